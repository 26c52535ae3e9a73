// vlog/list: modules of ovs-vswitchd that somebody told to log everything, and did not tell to stop.
import type { Metric } from '../collector.ts';
import { gauge, linesOf, type Reading } from './readings.ts';

const DEBUG = gauge(
  'jdos_ovs_log_debug_modules',
  'ovs-vswitchd: vlog/list',
  'Modules of ovs-vswitchd that log everything (DBG), by where they log to: console, syslog, file.',
  { labels: ['destination'], unit: 'modules' },
);

export const LOG_METRICS: readonly Metric[] = [DEBUG];

const HEAD = /^ +(console +syslog +file)\s*$/;
const MODULE = /^\w[\w-]* +[A-Z]+(?: +[A-Z]+)*\s*$/;

/** Columns are by the head; without it nothing is known. */
export function readLogLevels(text: string): readonly Reading[] {
  let counts: Map<string, number> | undefined;
  for (const line of linesOf(text)) {
    const [, names] = HEAD.exec(line) ?? [];
    if (names !== undefined) counts = new Map(names.split(/ +/).map((name) => [name, 0]));
    if (counts === undefined || !MODULE.test(line)) continue;
    const [, ...levels] = line.trim().split(/ +/);
    for (const [index, name] of [...counts.keys()].entries())
      if (levels[index] === 'DBG') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...(counts ?? [])].map(([name, value]) => ({ metric: DEBUG, value, labels: [name] }));
}
