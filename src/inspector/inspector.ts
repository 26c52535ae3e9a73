// The inspector as a part of the daemon: sweeps by the minute tick, one daily report for each date, runs when asked.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Component, Health } from '../base/component.ts';
import { explain } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { formatSeconds } from '../base/units.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { HostView } from '../probes/index.ts';
import { checks } from './checks/index.ts';
import type { InspectorConfig } from './config.ts';
import { parseCron } from './cron.ts';
import { factsOf } from './facts.ts';
import type { Localized, ReportInput, Run } from './model.ts';
import { HOST_METRICS, hostName, reportInput } from './report-input.ts';
import { inspect } from './run.ts';
import { reportDue, sweepDue } from './schedule.ts';
import * as table from './store.ts';
import { minuteTicker, type Ticker } from './ticker.ts';
import { both } from './wording.ts';

/** How long a fresh collection is waited for, and how long a whole run may take. */
const REFRESH_MS = 10_000;
const RUN_MS = 30_000;

/** The metrics to watch for the inspector. */
export const watched: readonly string[] = [
  ...new Set([...checks.flatMap((check) => check.needs), ...HOST_METRICS]),
].sort();

export interface InspectorOptions {
  readonly view: HostView;
  /** With {@link table.inspectorMigrations} applied. */
  readonly store: StateStore;
  readonly config: InspectorConfig;
  /** The health of all parts; failing ones are findings. */
  readonly parts: () => ReadonlyMap<string, Health>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
  /** Asks for a fresh collection. Rejects when it did not end within the deadline: the run is then partial. */
  readonly refresh: (deadlineMs: number) => Promise<void>;
  /**
   * Takes over a report. A daily one is handed over again (the same run id) when the daemon stopped before it could
   * note that it was taken: whoever takes it knows by the id what it already has.
   */
  readonly onReport: (input: ReportInput, kind: 'daily' | 'manual') => Promise<void>;
  /** What the daemon costs, for the report. */
  readonly cost: () => ReportInput['cost'];
  /** The tick; node-cron's unless given. */
  readonly ticker?: Ticker;
}

export interface Inspector extends Component {
  /** Runs now, after the run at work if there is one; `mail` hands a report of it over. Rejects when `signal` aborts. */
  inspectNow(options: { readonly mail: boolean; readonly signal: AbortSignal }): Promise<Inspected>;
  latest(): Promise<Run | undefined>;
  reportInput(run: Run): Promise<ReportInput>;
  readonly watched: readonly string[];
}

export interface Inspected {
  readonly run: Run;
  readonly input: ReportInput;
}

export function openInspector(options: InspectorOptions): Inspector {
  const { view, store, config, now, log } = options;
  const sweep = parseCron(config.sweep);
  const report = { cron: parseCron(config.report), zone: config.timezone, catchUpHours: config.catchUpHours };
  const stopping = new AbortController();
  let stopTicking = (): void => undefined;
  let working: Promise<unknown> = Promise.resolve();
  let last: Pick<Run, 'startedAt' | 'score' | 'state'> | undefined;
  let failure: unknown;

  /** One run at a time: two would judge by the same memory. */
  const exclusive = <T>(work: () => Promise<T>): Promise<T> => {
    const result = working.then(work);
    working = result.catch(() => undefined);
    return result;
  };

  const input = (run: Run): Promise<ReportInput> => reportInput({ store, view, cost: options.cost }, run);

  async function makeRun(occasion: table.Occasion): Promise<Run> {
    const startedAt = now();
    const missing = await collect(options);
    const ages = checks.flatMap((check) => check.lookBack ?? []);
    const outcome = inspect({
      id: runId(startedAt),
      host: hostName(view) ?? hostname(),
      startedAt,
      checks,
      facts: factsOf({
        view,
        parts: options.parts,
        history: await table.loadHistory(store, ages, startedAt),
        now: now(),
      }),
      memories: await table.loadMemories(store),
      limits: config.limits,
      mutes: config.mute,
      missing,
      deadline: startedAt + RUN_MS,
      clock: now,
    });
    await table.saveRun(store, outcome, occasion);
    const { run } = outcome;
    last = run;
    log.debug({ run: run.id, score: run.score, state: run.state, occasion: occasion.kind }, 'inspection done');
    return run;
  }

  async function makeReport(key: string, lateMs: number): Promise<void> {
    const run = (await table.runForKey(store, key)) ?? (await makeRun({ kind: 'report', key }));
    await options.onReport(await input(run), 'daily');
    await table.closeReport(store, key, { runId: run.id, at: now() });
    log.info({ run: run.id, date: key, score: run.score, late_seconds: Math.round(lateMs / 1000) }, 'report made');
  }

  /** What is due now. The report first: it is a run as good as a sweep. */
  async function work(): Promise<void> {
    const due = reportDue(report, await table.loadSchedule(store, now()), now());
    if (due.kind === 'due') await makeReport(due.fire.key, due.lateMs);
    if (due.kind === 'missed') {
      log.warn({ date: due.fire.key, catch_up_hours: config.catchUpHours }, 'report missed, the daemon did not run');
      await table.closeReport(store, due.fire.key, undefined);
    }
    if (sweepDue(sweep, config.timezone, last?.startedAt, now())) await makeRun({ kind: 'sweep' });
  }

  async function tick(): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      await exclusive(work);
      failure = undefined;
    } catch (error) {
      failure = error;
      if (!stopping.signal.aborted) log.error({ err: error }, 'inspection failed, tried again in a minute');
    }
  }

  return {
    name: 'inspector',
    watched,
    async start() {
      await table.loadSchedule(store, now());
      stopTicking = (options.ticker ?? minuteTicker(log))(tick);
      // The first run waits for the first collections; the part works without it.
      void tick();
    },
    async stop() {
      stopping.abort();
      stopTicking();
      await working;
    },
    health: () => healthOf(last, failure, now()),
    async inspectNow({ mail, signal }) {
      const done = exclusive(async (): Promise<Inspected> => {
        signal.throwIfAborted();
        const run = await makeRun({ kind: 'asked' });
        const made = await input(run);
        if (mail) await options.onReport(made, 'manual');
        return { run, input: made };
      });
      return abortable(done, signal);
    },
    latest: () => table.latestRun(store),
    reportInput: input,
  };
}

/** Asks for a fresh collection; what that could not bring is named, and the run goes on with what there is. */
async function collect({ refresh, log }: InspectorOptions): Promise<readonly Localized[]> {
  try {
    await refresh(REFRESH_MS);
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

function healthOf(last: Pick<Run, 'startedAt' | 'score'> | undefined, failure: unknown, now: number): Health {
  if (failure !== undefined) {
    return {
      state: 'failing',
      reason: explain(failure),
      costs: 'no new findings and no reports',
      remedy: 'see the error in the log; it is tried again every minute',
    };
  }
  if (last === undefined) return { state: 'starting', summary: `${checks.length} checks, first run at work` };
  const age = formatSeconds(Math.max(0, (now - last.startedAt) / 1000));
  return { state: 'available', summary: `${checks.length} checks, score ${last.score}, ${age} ago` };
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
