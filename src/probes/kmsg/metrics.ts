// The families of the kernel's log, node-problem-detector's among them, and how they are written.
import type { Metric, SampleWriter } from '../collector.ts';
import { openSeries, type Series } from '../series.ts';
import { isOn } from './conditions.ts';
import type { Unread } from './device.ts';
import type { EngineState } from './engine.ts';
import { SEVERITIES } from './record.ts';
import { isNote, type Condition, type EventRule, type Rule } from './rule.ts';

const LOG = '/dev/kmsg';

const metric = (
  type: Metric['type'],
  name: string,
  unit: string,
  help: string,
  labels: readonly string[] = [],
): Metric => ({ name, help, source: LOG, unit, type, labels });

const READING = metric(
  'gauge',
  'jdos_kmsg_reading',
  '0 or 1',
  "Whether the kernel's log is read, 1 or 0; the reason says why not: absent, permission, other-root.",
  ['reason'],
);
const RECORDS = metric(
  'counter',
  'jdos_kmsg_records_total',
  'records',
  "Records read of the kernel's log since the boot, by severity.",
  ['severity'],
);
const LOST = metric(
  'counter',
  'jdos_kmsg_lost_total',
  'records',
  'Records that the kernel overwrote before they were read, by the gaps in their numbers.',
);
const EVENTS = metric(
  'counter',
  'jdos_kernel_events_total',
  'events',
  'Problems that the kernel told of, exactly, whether or not an event was kept of each.',
  ['reason'],
);
const SUPPRESSED = metric(
  'counter',
  'jdos_kernel_events_suppressed_total',
  'events',
  'Problems of which no event was kept, because there were more than probes.kmsg.eventsPerMinute.',
  ['reason'],
);
const UNSTORED = metric(
  'counter',
  'jdos_kernel_events_unstored_total',
  'events',
  'Events that are lost because for long nothing could be written to the disk.',
);
const PROBLEMS = metric(
  'counter',
  'problem_counter',
  'problems',
  'node-problem-detector: Number of times a specific type of problem have occurred. Here permanent ones count each time, too.',
  ['reason'],
);
const LASTING = metric(
  'gauge',
  'problem_gauge',
  '0 or 1',
  'node-problem-detector: Whether a specific type of problem is affecting the node or not. Here it ends when the problem does.',
  ['type', 'reason'],
);

export const KMSG_METRICS: readonly Metric[] = [
  READING,
  RECORDS,
  LOST,
  EVENTS,
  SUPPRESSED,
  UNSTORED,
  PROBLEMS,
  LASTING,
];

/** The series of rules, all of them from the beginning: that nothing happened is known. */
export function openKmsgSeries(rules: readonly Rule[]) {
  const events = rules.filter((rule): rule is EventRule => !isNote(rule));
  const byReason = (of: Metric, some: readonly EventRule[]): readonly (readonly [string, Series])[] =>
    [...new Set(some.map(({ reason }) => reason))].map((reason) => [reason, openSeries(of, reason)]);
  const counted = byReason(EVENTS, events);
  const suppressed = byReason(SUPPRESSED, events);
  const problems = byReason(
    PROBLEMS,
    events.filter(({ npd }) => npd === true),
  );
  const lasting = new Map<string, { readonly raises: Condition; readonly series: Series }>(
    events.flatMap(({ raises, reason }) =>
      raises === undefined
        ? []
        : [[`${raises.type}\n${reason}`, { raises, series: openSeries(LASTING, raises.type, reason) }] as const],
    ),
  );
  const severities = SEVERITIES.map((severity) => openSeries(RECORDS, severity));
  const lost = openSeries(LOST);
  const unstoredSeries = openSeries(UNSTORED);

  return {
    shapeOf: ({ type, reason }: { readonly type: string; readonly reason: string }): Condition | undefined =>
      lasting.get(`${type}\n${reason}`)?.raises,
    /** `now` in Unix milliseconds. */
    write(out: SampleWriter, state: EngineState, unstored: number, now: number): void {
      out.add(READING.name, 1, '');
      severities.forEach((series, severity) => out.set(series, state.records[severity] ?? 0));
      out.set(lost, state.lost);
      out.set(unstoredSeries, unstored);
      for (const [reason, series] of counted) out.set(series, state.counts.get(reason)?.count ?? 0);
      for (const [reason, series] of suppressed) out.set(series, state.counts.get(reason)?.suppressed ?? 0);
      for (const [reason, series] of problems) out.set(series, state.counts.get(reason)?.count ?? 0);
      const on = new Set<string>();
      for (const raised of state.conditions.values()) {
        const key = `${raised.type}\n${raised.reason}`;
        const shape = lasting.get(key)?.raises;
        if (shape !== undefined && isOn(raised, shape, now)) on.add(key);
      }
      for (const [key, { series }] of lasting) out.set(series, on.has(key) ? 1 : 0);
    },
  };
}

/** Says why nothing is known: a host without the log is no failure. */
export const writeUnread = (out: SampleWriter, why: Unread): void => out.add(READING.name, 0, why);
