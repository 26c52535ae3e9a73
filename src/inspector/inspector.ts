// The inspector as a part of the daemon: sweeps by the minute tick, one daily report for each date, runs when asked.
import type { Component, Health } from '../base/component.ts';
import { explain } from '../base/fault.ts';
import { formatSeconds } from '../base/units.ts';
import { checks } from './checks/index.ts';
import { parseCron } from './cron.ts';
import type { ReportInput, Run } from './model.ts';
import { abortable, openRuns, type RunsOptions } from './runs.ts';
import { reportDue, sweepDue } from './schedule.ts';
import * as table from './store.ts';
import { minuteTicker, type Ticker } from './ticker.ts';

interface InspectorOptions extends RunsOptions {
  /**
   * Takes over a report. A daily one is handed over again (the same run id) when the daemon stopped before it could
   * note that it was taken: whoever takes it knows by the id what it already has.
   */
  readonly onReport: (input: ReportInput, kind: 'daily' | 'manual') => Promise<void>;
  /** The tick; node-cron's unless given. */
  readonly ticker?: Ticker;
}

export interface Inspector extends Component {
  /** Runs now, after the run at work if there is one; `mail` hands a report of it over. Rejects when `signal` aborts. */
  inspectNow(options: { readonly mail: boolean; readonly signal: AbortSignal }): Promise<Inspected>;
  latest(): Promise<Run | undefined>;
  reportInput(run: Run): Promise<ReportInput>;
}

interface Inspected {
  readonly run: Run;
  readonly input: ReportInput;
}

export function openInspector(options: InspectorOptions): Inspector {
  const { store, config, now, log } = options;
  const sweep = parseCron(config.sweep);
  const report = { cron: parseCron(config.report), zone: config.timezone, catchUpHours: config.catchUpHours };
  const stopping = new AbortController();
  let stopTicking = (): void => undefined;
  const runs = openRuns(options, stopping.signal);
  let failure: unknown;

  async function makeReport(key: string, lateMs: number): Promise<void> {
    const run = (await table.runForKey(store, key)) ?? (await runs.make({ kind: 'report', key }));
    await options.onReport(await runs.input(run), 'daily');
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
    if (sweepDue(sweep, config.timezone, runs.last()?.startedAt, now())) await runs.make({ kind: 'sweep' });
  }

  async function tick(): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      await runs.exclusive(work);
      failure = undefined;
    } catch (error) {
      failure = error;
      if (!stopping.signal.aborted) log.error({ err: error }, 'inspection failed, tried again in a minute');
    }
  }

  return {
    name: 'inspector',
    async start() {
      await table.loadSchedule(store, now());
      stopTicking = (options.ticker ?? minuteTicker(log))(tick);
      // The first run waits for the first collections; the part works without it.
      void tick();
    },
    async stop() {
      stopping.abort();
      stopTicking();
      await runs.idle();
    },
    health: () => healthOf(runs.last(), failure, now()),
    async inspectNow({ mail, signal }) {
      const done = runs.exclusive(async (): Promise<Inspected> => {
        signal.throwIfAborted();
        const run = await runs.make({ kind: 'asked' });
        const made = await runs.input(run);
        if (mail) await options.onReport(made, 'manual');
        return { run, input: made };
      });
      return abortable(done, signal);
    },
    latest: () => table.latestRun(store),
    reportInput: runs.input,
  };
}

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
