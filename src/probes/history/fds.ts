// The growth of open file descriptors by group and by process, followed from hour to hour and found again after a restart.
import { sameProcess } from './culprit.ts';
import { GROWTH_HOURS, HourlyMinima } from './growth.ts';
import { HOUR_MS } from './hour.ts';
import { parseSeries } from '../sample-text.ts';
import type { FdsGrowth } from './messages.ts';
import type { ProcessLog, Snapshot } from './process-log.ts';
import type { Rollup } from './rollup.ts';
import type { Rollups } from './rollups.ts';
import { GROUP_FDS } from './series.ts';

const MOST_GROUPS = 1000;
const MOST_PROCESSES = 2000;
/** After a restart one collection in so many milliseconds is read back. */
const SAMPLE_MS = 600_000;

interface Known {
  readonly pid: number;
  readonly startTime: number;
}

export class FdsFollower {
  readonly #groups = new HourlyMinima(MOST_GROUPS);
  readonly #processes = new HourlyMinima(MOST_PROCESSES);
  /** By pid: whose number it is now. */
  readonly #known = new Map<number, Known>();

  noteGroup(series: string, at: number, { min }: Rollup): void {
    const group = parseSeries(series)?.labels['groupname'];
    if (group !== undefined) this.#groups.note(group, at, min);
  }

  noteProcesses({ at, processes }: Snapshot): void {
    for (const { pid, startTime, fds } of processes) {
      if (typeof pid !== 'number' || typeof startTime !== 'number' || typeof fds !== 'number') continue;
      const before = this.#known.get(pid);
      const same = before !== undefined && sameProcess(before, { pid, startTime }) ? before : { pid, startTime };
      this.#known.set(pid, same);
      this.#processes.note(nameOf(same), at, fds);
    }
  }

  growth(now: number): FdsGrowth {
    const byName = this.#processes.growth(now);
    const processes = [...this.#known.values()].flatMap((known) => {
      const perHour = byName.get(nameOf(known));
      return perHour === undefined ? [] : [{ ...known, perHour }];
    });
    if (this.#known.size > MOST_PROCESSES) this.#known.clear();
    return { groups: this.#groups.growth(now), processes };
  }

  /** Reads back the last day. */
  recall(rollups: Rollups, log: ProcessLog, now: number): void {
    const span = { from: now - (GROWTH_HOURS + 1) * HOUR_MS, to: now };
    const names = new Set(rollups.names(GROUP_FDS, span));
    rollups.visitMinutes(GROUP_FDS, names, span, (name, at, rollup) => this.noteGroup(name, at, rollup));
    log.sample(span.from, span.to, SAMPLE_MS, (snapshot) => this.noteProcesses(snapshot));
  }
}

const nameOf = ({ pid, startTime }: Known): string => `${pid} ${startTime}`;
