// Makes runs, one at a time: fresh facts, the checks over them, and everything kept in one transaction.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Health } from '../base/component.ts';
import { explain } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { HostView } from '../probes/index.ts';
import { checks } from './checks/index.ts';
import type { InspectorConfig } from './config.ts';
import { factsOf } from './facts.ts';
import type { Localized, ReportInput, Run } from './model.ts';
import { hostName, reportInput } from './report-input.ts';
import { inspect } from './run.ts';
import { loadHistory, loadMemories, saveRun, type Occasion } from './store.ts';
import { both } from './wording.ts';

/** How long a fresh collection is waited for, and how long a whole run may take. */
const REFRESH_MS = 10_000;
const REFRESH_GRACE_MS = 1000;
const RUN_MS = 30_000;

export interface RunsOptions {
  readonly view: HostView;
  /** With the migrations of the inspector applied. */
  readonly store: StateStore;
  readonly config: InspectorConfig;
  /** The health of all parts; failing ones are findings. */
  readonly parts: () => ReadonlyMap<string, Health>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
  /** Asks for a fresh collection. Rejects when it did not end within the deadline: the run is then partial. */
  readonly refresh: (deadlineMs: number) => Promise<void>;
  /** What the daemon costs, for the report. */
  readonly cost: () => ReportInput['cost'];
}

interface Runs {
  /** Inspects now. Use it within {@link Runs.exclusive}. Rejects when the inspector is stopped or the store fails. */
  make(occasion: Occasion): Promise<Run>;
  /** Work that no other run overlaps: two would judge by the same memory. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when the work begun so far has ended. */
  idle(): Promise<void>;
  /** The last run made by this process. */
  last(): Run | undefined;
  input(run: Run): Promise<ReportInput>;
}

export function openRuns(options: RunsOptions, stopping: AbortSignal): Runs {
  const { view, store } = options;
  let working: Promise<unknown> = Promise.resolve();
  let last: Run | undefined;
  return {
    async make(occasion) {
      last = await makeRun(options, occasion, stopping);
      return last;
    },
    exclusive(work) {
      const result = working.then(work);
      working = result.catch(() => undefined);
      return result;
    },
    idle: async () => void (await working),
    last: () => last,
    input: (run) => reportInput({ store, view, cost: options.cost }, run),
  };
}

async function makeRun(options: RunsOptions, occasion: Occasion, stopping: AbortSignal): Promise<Run> {
  const { view, store, config, now, log } = options;
  const startedAt = now();
  const missing = await collect(options, stopping);
  stopping.throwIfAborted();
  const ages = checks.flatMap((check) => check.lookBack ?? []);
  const outcome = inspect({
    id: runId(startedAt),
    host: hostName(view) ?? hostname(),
    startedAt,
    checks,
    facts: factsOf({
      view,
      parts: options.parts,
      history: await loadHistory(store, ages, startedAt),
      now: now(),
    }),
    memories: await loadMemories(store),
    limits: config.limits,
    mutes: config.mute,
    missing,
    deadline: startedAt + RUN_MS,
    clock: now,
  });
  await saveRun(store, outcome, occasion);
  const { run } = outcome;
  log.debug({ run: run.id, score: run.score, state: run.state, occasion: occasion.kind }, 'inspection done');
  return run;
}

/**
 * Asks for a fresh collection; what that could not bring is named, and the run goes on with what there is. A refresh that
 * keeps no deadline is not waited for.
 */
async function collect({ refresh, log }: RunsOptions, stopping: AbortSignal): Promise<readonly Localized[]> {
  try {
    const patience = AbortSignal.timeout(REFRESH_MS + REFRESH_GRACE_MS);
    await abortable(refresh(REFRESH_MS), AbortSignal.any([stopping, patience]));
    return [];
  } catch (error) {
    log.debug({ err: error }, 'collection before the inspection did not end');
    const why = explain(error).slice(0, 160);
    return [both(`采集未完成,部分数据不是最新:${why}`, `the collection did not end, some data is not fresh: ${why}`)];
  }
}

/** Sorts by time; unique also for two runs within one second. */
const runId = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z-${randomBytes(4).toString('hex')}`;

/** The result of some work, or a rejection as soon as the signal aborts; the work goes on. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
