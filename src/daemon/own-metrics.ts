// The daemon's own metrics: what it is, which parts work, what its processes cost. In prom-client's registry.
import { Gauge, Counter, Registry } from '../base/metrics.ts';
import type { Parts } from '../http/index.ts';
import type { DaemonView } from './daemon-view.ts';
import { END_REASONS } from './restart.ts';

interface OwnMetricsOptions {
  readonly version: string;
  readonly parts: () => Parts;
  readonly view: DaemonView;
}

/** A registry whose values are taken when it is read. */
export function ownMetrics({ version, parts, view }: OwnMetricsOptions): Registry {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'jdos_build_info',
    help: 'Version of the daemon and of the Node that runs it; always 1.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  new Gauge({
    name: 'jdos_component_up',
    help: 'Whether a part works: 1, or 0 while it starts or fails. What the host lacks does not make it 0.',
    labelNames: ['component'],
    registers,
    collect() {
      this.reset();
      for (const [component, { state }] of parts())
        this.set({ component }, state === 'failing' || state === 'starting' ? 0 : 1);
    },
  });
  new Gauge({
    name: 'jdos_process_resident_memory_bytes',
    help: 'Resident memory of a process of the daemon.',
    labelNames: ['process'],
    registers,
    collect() {
      this.reset();
      for (const { name, residentBytes } of view.status()?.processes ?? [])
        if (residentBytes !== undefined) this.set({ process: name }, residentBytes);
    },
  });
  cumulative(
    registry,
    'jdos_process_cpu_seconds_total',
    'CPU time of the processes of the daemon, over their restarts.',
    ['process'],
    () =>
      (view.status()?.processes ?? []).map(({ name, pid, cpuSeconds }) => ({
        labels: { process: name },
        run: pid,
        value: cpuSeconds,
      })),
  );
  cumulative(
    registry,
    'jdos_process_restarts_total',
    'Times the agent had to start a process of the daemon again, by the reason: killed because it hung, its memory (probes.budget.maxRssBytes), another configuration, or it ended by itself.',
    ['process', 'reason'],
    () =>
      (view.status()?.processes ?? []).flatMap(({ name, ends }) =>
        name === 'agent'
          ? []
          : END_REASONS.map((reason) => ({
              labels: { process: name, reason },
              run: undefined,
              value: ends.find((end) => end.reason === reason)?.count ?? 0,
            })),
      ),
  );
  return registry;
}

interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  /** What tells one life of the process from the next. */
  readonly run: number | undefined;
  readonly value: number | undefined;
}

/** A counter over values that start at 0 in each life of a process. */
function cumulative(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  read: () => readonly Reading[],
): void {
  const seen = new Map<string, Reading>();
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      for (const reading of read()) {
        if (reading.value === undefined) continue;
        const key = Object.values(reading.labels).join(' ');
        const before = seen.get(key);
        const since = before?.run === reading.run ? (before?.value ?? 0) : 0;
        this.inc(reading.labels, Math.max(0, reading.value - since));
        seen.set(key, reading);
      }
    },
  });
}
