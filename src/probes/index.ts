// Probes: what reads the host, and what remembers and exposes what was read.
export { type Announcements, announceTo, SILENT, watchAnnouncements } from './announcements.ts';
export { systemClock, type Clock } from './clock.ts';
export type { QuarantineEntry } from './collection.ts';
export type { Collector, Metric } from './collector.ts';
export { ProbesConfig } from './config.ts';
export { clearTraces } from './exec/index.ts';
export { containerRoutes } from './container/routes.ts';
export { fdsProcedures, fdsRoutes, openFdsInspection } from './fds/index.ts';
export { type FdsGrowthView, openHistory } from './history/index.ts';
export type { CollectorStatus, HostView } from './host-view.ts';
export { runnerProcedures, snapshotProcedures } from './procedures.ts';
export { encodePublications, Published, Resumption } from './publication.ts';
export type { MetricSample } from './sample-text.ts';
export { collectors, enabledCollectors, unknownDisabled } from './registry.ts';
export { openPublisher } from './publisher.ts';
export { probeRoutes } from './routes.ts';
export { openRunner, type Runner, type RunnerOptions } from './runner.ts';
export { openSnapshots } from './snapshots.ts';
