// The first inspection by itself: what the operator reads after the start, and the first report of a new installation.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../base/component.ts';
import { explain } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { formatSeconds } from '../base/units.ts';
import { isFinding, type Inspector, type Result, type Run } from '../inspector/index.ts';
import type { Reporter } from '../report/index.ts';

interface FirstReport extends Component {
  /** What to print of the first inspection; undefined until it is done. */
  text(): readonly string[] | undefined;
}

interface FirstReportOptions {
  readonly inspector: Inspector;
  readonly reporter: Reporter;
  readonly log: Logger;
}

const POLL_MS = 100;

/** Waits for the inspector's first run in the background. Start it after the inspector and the reporter. */
export function firstReport({ inspector, reporter, log }: FirstReportOptions): FirstReport {
  const stopping = new AbortController();
  let text: readonly string[] | undefined;
  let working: Promise<void> = Promise.resolve();

  const work = async (): Promise<void> => {
    while (inspector.health().state === 'starting') await sleep(POLL_MS, undefined, { signal: stopping.signal });
    const run = await inspector.latest();
    if (run === undefined) return;
    const lines = inspectionLines(run);
    text = [...lines, ...(await report(run))];
  };

  /** The first report of an installation; later starts leave reports to the schedule. */
  const report = async (run: Run): Promise<readonly string[]> => {
    try {
      if ((await reporter.latest()) !== undefined) return [];
      const { subject, mail } = await reporter.publish(await inspector.reportInput(run), {
        mail: true,
        kind: 'manual',
      });
      log.info({ subject, mail: mail?.state }, 'first report made');
      return [
        `first report: ${subject}`,
        ...(mail === undefined ? [] : [`  its mail is ${mail.state}; read it with: jdos report`]),
      ];
    } catch (error) {
      log.error({ err: error }, 'first report could not be made');
      return [`the first report could not be made: ${explain(error)}`];
    }
  };

  return {
    name: 'first',
    start() {
      working = work().catch((error: unknown) => {
        if (!stopping.signal.aborted) log.error({ err: error }, 'first inspection could not be read');
      });
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await working;
    },
    health: () => ({ state: 'available' }),
    text: () => text,
  };
}

const SYMBOLS = { crit: '✖', warn: '▲', unknown: '?', skipped: '–', ok: '●' } as const;
const RANK = { crit: 0, warn: 1, unknown: 2, skipped: 3, ok: 4 } as const;
const SHOWN = 7;

/** The score, the counts, and the worst findings of a run, a line each. */
function inspectionLines(run: Run): readonly string[] {
  const count = (verdict: Result['verdict']): number =>
    run.results.filter((result) => result.verdict === verdict).length;
  const findings = run.results.filter(isFinding).sort((a, b) => RANK[a.verdict] - RANK[b.verdict]);
  const seconds = Math.max(0, run.finishedAt - run.startedAt) / 1000;
  return [
    `inspection of ${run.host}: score ${run.score}; ${count('crit')} critical, ${count('warn')} warnings, ${count('unknown')} unknown, ${count('ok')} ok, in ${formatSeconds(seconds)}`,
    ...findings.slice(0, SHOWN).map(({ verdict, line, code }) => `  ${SYMBOLS[verdict]} ${line.en}  [${code}]`),
    ...(findings.length > SHOWN ? [`  and ${findings.length - SHOWN} more: jdos inspect`] : []),
    ...run.waiting.map(({ code, reason }) => `  … ${code} waits for data: ${reason.en}`),
  ];
}
