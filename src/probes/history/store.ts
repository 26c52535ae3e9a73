// History in its thread: collections come in, a minute that is over is rolled up, chosen from, and written.
import { explain } from '../../base/fault.ts';
import { diskState, type DiskState } from '../../drivers/sqlite/index.ts';
import type { HistoryConfig } from './config.ts';
import { FdsFollower } from './fds.ts';
import { DAY_MS, openFiles } from './files.ts';
import { HOUR_MS, hourOf, minuteOf } from './hour.ts';
import { type Lines, type Live, openIntake } from './intake.ts';
import type { FdsGrowth, HistoryStats, NamesQuery, ProcessesQuery, SeriesQuery } from './messages.ts';
import { openProcessLog, type Snapshot } from './process-log.ts';
import { answerNames, answerProcesses, answerSeries } from './answers.ts';
import type { Rollup } from './rollup.ts';
import { openRollups } from './rollups.ts';
import { GROUP_FDS, KEPT, type KeptFamily } from './series.ts';
import { chooseWorst } from './worst.ts';

export interface LocalHistory {
  take(lines: readonly Lines[], snapshot: Snapshot | undefined): void;
  /** Rolls up and writes the minute under way if it is over; to be called after each minute. */
  tick(): void;
  series(query: SeriesQuery): object;
  names(query: NamesQuery): object;
  processes(query: ProcessesQuery): object;
  stats(): HistoryStats;
  growth(): FdsGrowth;
  /** Writes also the minute that is not over. */
  close(): void;
}

export interface LocalHistoryOptions {
  readonly dir: string;
  readonly config: HistoryConfig;
  readonly now: () => number;
  readonly onTrouble: (message: string, cause: string) => void;
  readonly onGrowth: (growth: FdsGrowth) => void;
  readonly families?: readonly KeptFamily[];
  /** The file system; for tests. */
  readonly disk?: () => DiskState;
}

const BUDGET_SHARE = 0.1;
/** Series that did not come in so many collections (an hour of them, roughly) are forgotten. */
const FORGET_ROUNDS = 5000;

/** Opens the files and takes up what an earlier life left. Throws where the directory cannot be used. */
export function openLocalHistory(options: LocalHistoryOptions): LocalHistory {
  const { dir, config, now, onTrouble, onGrowth, families = KEPT } = options;
  const files = openFiles(dir, onTrouble);
  const rollups = openRollups(files, now);
  const log = openProcessLog(files);
  const intake = openIntake(families, config.maxSeries);
  const fds = new FdsFollower();
  const chosen = new Map<KeptFamily, Map<string, number>>(families.map((family) => [family, new Map()]));
  let minute: number | undefined;
  let hour: number | undefined;
  let trouble: string | null = null;
  let disk = options.disk?.() ?? diskState(dir);

  const maxBytes = (): number => config.maxBytes ?? Math.floor(disk.budgetBytes * BUDGET_SHARE);
  const limits = () => ({
    maxAgeMs: {
      minutes: config.minuteDays * DAY_MS,
      days: config.dailyDays * DAY_MS,
      processes: config.processHours * HOUR_MS,
    },
    maxBytes: maxBytes(),
  });

  const rollUp = (at: number): void => {
    const present = [...intake.series.values()].filter(({ minute: { count } }) => count > 0);
    const kept = keptOf(present, chosen, at);
    const rows: (readonly [string, Rollup])[] = [];
    for (const live of present) {
      const rollup = live.minute.rollup();
      live.minute.clear();
      if (rollup === undefined || (live.subject !== undefined && kept.get(live.family)?.has(live.subject) === false))
        continue;
      rows.push([live.text, rollup]);
      if (live.metric === GROUP_FDS) fds.noteGroup(live.text, at, rollup);
    }
    rollups.put(at, rows);
    intake.forget(FORGET_ROUNDS);
  };
  const write = (): void => {
    disk = options.disk?.() ?? diskState(dir);
    if (disk.full) return;
    try {
      rollups.write();
      log.write();
      trouble = null;
    } catch (error) {
      if (trouble === null) onTrouble('history cannot be written; it is held in memory for some hours', explain(error));
      trouble = `history cannot be written: ${explain(error)}`;
    }
  };
  const retain = (): void => {
    try {
      files.retain(limits(), now());
    } catch (error) {
      onTrouble('old history cannot be deleted', explain(error));
    }
  };
  const flush = (): void => {
    if (minute === undefined) return;
    rollUp(minute);
    write();
    if (hour === hourOf(minute)) return;
    hour = hourOf(minute);
    retain();
    onGrowth(fds.growth(now()));
  };

  retain();
  fds.recall(rollups, log, now());
  return {
    take(lines, snapshot) {
      for (const one of lines) {
        const of = minuteOf(one.at);
        if (minute !== of) flush();
        minute = of;
        intake.take(one);
      }
      if (snapshot === undefined) return;
      log.take(snapshot);
      fds.noteProcesses(snapshot);
    },
    tick() {
      if (minute === undefined || minuteOf(now()) === minute) return;
      flush();
      minute = undefined;
    },
    series: (query) => answerSeries(rollups, query),
    names: (query) => answerNames(rollups, query),
    processes: (query) => answerProcesses(log, query),
    growth: () => fds.growth(now()),
    stats: () => ({
      series: intake.series.size,
      beyond: intake.dropped.size,
      diskBytes: files.bytes(),
      maxBytes: maxBytes(),
      since: files.begins('minutes')[0] ?? null,
      lostMinutes: rollups.lost(),
      full: disk.full,
      usedRatio: disk.usedRatio,
      trouble,
    }),
    close() {
      flush();
      files.close();
    },
  };
}

/** The things that are kept of each family with any number of them. */
function keptOf(
  present: readonly Live[],
  chosen: ReadonlyMap<KeptFamily, Map<string, number>>,
  at: number,
): ReadonlyMap<KeptFamily, ReadonlySet<string>> {
  const uses = new Map<KeptFamily, Map<string, Map<string, number>>>();
  for (const { family, subject, metric, minute } of present) {
    if (subject === undefined) continue;
    let things = uses.get(family);
    if (things === undefined) uses.set(family, (things = new Map()));
    let thing = things.get(subject);
    if (thing === undefined) things.set(subject, (thing = new Map()));
    thing.set(metric, minute.max);
  }
  return new Map(
    [...uses].map(([family, things]) => {
      const before = chosen.get(family) ?? new Map<string, number>();
      return [family, family.worst === undefined ? new Set() : chooseWorst(things, family.worst, before, at)] as const;
    }),
  );
}
