// History as a part of the daemon: what the probe process publishes goes to the thread, which is started again when it fails.
import { setTimeout as sleep } from 'node:timers/promises';
import { backOffMs, type Component, type Health } from '../../base/component.ts';
import { explain, Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import type { Registry } from '../../base/metrics.ts';
import type { Route } from '../../base/route.ts';
import { formatBytes } from '../../base/units.ts';
import type { Publication } from '../publication.ts';
import type { HistoryConfig } from './config.ts';
import { sameProcess } from './culprit.ts';
import type { Lines } from './intake.ts';
import type { FdsGrowth, HistoryStats } from './messages.ts';
import { historyMetrics } from './metrics.ts';
import { HISTORY_FAILED, type HistoryStore, openHistoryStore } from './open.ts';
import type { ProcessFacts, Snapshot } from './process-log.ts';
import { historyRoutes } from './routes.ts';
import { KEPT, keptNames } from './series.ts';

/** How many file descriptors are gained per hour, over the last day; undefined where too little is known. */
export interface FdsGrowthView {
  group(name: string): number | undefined;
  process(process: { readonly pid: number; readonly startTime: number }): number | undefined;
}

export interface History extends Component {
  readonly routes: readonly Route[];
  /** Takes what was published. Never waits, never throws. */
  take(publications: readonly Publication[]): void;
  readonly fdsGrowth: FdsGrowthView;
}

interface HistoryOptions {
  /** Directory of the files; made where it is not there. */
  readonly dir: string;
  readonly config: HistoryConfig;
  readonly registry: Registry;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const NAMES = keptNames(KEPT);
const PROCESS_COLLECTOR = 'process';
const MOST_EARLY = 40;

export function openHistory({ dir, config, registry, log, now }: HistoryOptions): History {
  let open: HistoryStore | undefined;
  let stats: HistoryStats | undefined;
  let growth: FdsGrowth | undefined;
  let failure: unknown;
  let behind = false;
  let stopping: AbortSignal | undefined;
  let starting: Promise<void> = Promise.resolve();
  /** What came while it was being opened. */
  const early: Parameters<HistoryStore['take']>[] = [];

  const store = (): HistoryStore => {
    if (open === undefined) throw new Fault(HISTORY_FAILED, 'history is not open');
    return open;
  };
  const start = async (): Promise<void> => {
    open = await openHistoryStore(
      { dir, config },
      {
        onStats: (told) => (stats = told),
        onGrowth: (told) => (growth = told),
        onTrouble: (message, cause) => log.warn({ part: 'history', why: cause }, message),
        onBehind: (is) => (behind = is),
        onGone: again,
      },
    );
    behind = false;
    failure = undefined;
    for (const take of early.splice(0)) open.take(...take);
  };
  /** Tries until it is open. */
  const keepTrying = async (): Promise<void> => {
    for (let tries = 0; open === undefined && stopping?.aborted === false; tries += 1) {
      await start().catch((error: unknown) => {
        if (tries === 0) log.error({ part: 'history', err: error }, 'history could not be opened');
        failure = error;
      });
      if (open === undefined) await sleep(backOffMs(tries), undefined, { signal: stopping }).catch(() => undefined);
    }
  };
  const again = (fault: Fault): void => {
    open = undefined;
    failure = fault;
    log.error({ part: 'history', err: fault }, 'the history thread ended and is started again');
    starting = sleep(backOffMs(0), undefined, { signal: stopping })
      .catch(() => undefined)
      .then(keepTrying);
  };
  historyMetrics(registry, () => ({ stats, growth }));

  return {
    name: 'history',
    routes: historyRoutes({ store, now }),
    take(publications) {
      const lines = publications.flatMap(linesOf);
      const snapshot = snapshotOf(publications.find(({ collector }) => collector === PROCESS_COLLECTOR));
      if (lines.length === 0 && snapshot === undefined) return;
      if (open !== undefined) open.take(lines, snapshot);
      else if (early.push([lines, snapshot]) > MOST_EARLY) early.shift();
    },
    fdsGrowth: {
      group: (name) => growth?.groups.get(name),
      process: (process) => growth?.processes.find((one) => sameProcess(one, process))?.perHour,
    },
    /** Does not wait for the disk: it is opened in the background, and nothing else is later for that. */
    start(signal) {
      stopping = signal;
      starting = keepTrying();
      return Promise.resolve();
    },
    async stop() {
      await starting;
      await open?.[Symbol.asyncDispose]();
    },
    health: () => healthOf(open === undefined ? undefined : stats, failure, behind),
  };
}

function linesOf({ collector, at, periodSeconds, error, families }: Publication): Lines[] {
  if (error !== undefined) return [];
  // Copies: the thread gets these bytes alone, and not all that came with them.
  const kept = families
    .filter(({ name }) => NAMES.has(name))
    .map(({ name, text }) => ({ name, text: new Uint8Array(text) }));
  return kept.length === 0 ? [] : [{ collector, at, uptime: performance.now(), periodSeconds, families: kept }];
}

function snapshotOf(publication: Publication | undefined): Snapshot | undefined {
  const details = publication?.details;
  if (publication === undefined || publication.error !== undefined) return undefined;
  if (typeof details !== 'object' || details === null || !('processes' in details)) return undefined;
  const { processes, ...rest } = details;
  return Array.isArray(processes) ? { at: publication.at, processes: processes as ProcessFacts[], rest } : undefined;
}

function healthOf(stats: HistoryStats | undefined, failure: unknown, behind: boolean): Health {
  const failing = (reason: string, costs: string): Health => ({
    state: 'failing',
    reason,
    costs,
    remedy: HISTORY_FAILED.remedy,
  });
  if (failure !== undefined) return failing(explain(failure), 'no history is written or can be read');
  if (stats === undefined) return { state: 'starting' };
  if (behind) return failing('the disk does not answer', 'what is collected now has no history');
  if (stats.full)
    return {
      ...failing(
        `the file system is ${Math.round(stats.usedRatio * 100)} % full`,
        'history is held in memory for some hours, then lost; what is stored can be read',
      ),
      remedy: 'free space on the file system of the data directory',
    };
  if (stats.trouble !== null) return failing(stats.trouble, 'history is held in memory for some hours, then lost');
  const summary = `${stats.series} series, ${formatBytes(stats.diskBytes)} of ${formatBytes(stats.maxBytes)}`;
  if (stats.beyond === 0) return { state: 'available', summary };
  return {
    state: 'limited',
    summary,
    reason: `${stats.beyond} series or more are beyond probes.history.maxSeries`,
    costs: 'these have no history',
  };
}
