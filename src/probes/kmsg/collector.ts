// The collector of the kernel's log: reads it as it is written, counts what it tells of, and hands the events over.
import type { Collecting, Collector, CollectorContext } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { openLiveSource } from '../live-source.ts';
import { readBootId, readBootTime } from '../process/boot.ts';
import { expire, isOn, type Raised } from './conditions.ts';
import { openKernelLog, type KernelLog, type Unread } from './device.ts';
import { openEngine } from './engine.ts';
import { openAttribution } from './event.ts';
import { readFacts } from './facts.ts';
import { noteWord, type LastWord } from './last-words.ts';
import { KMSG_METRICS, openKmsgSeries, writeUnread } from './metrics.ts';
import { openMoments } from './moment.ts';
import { importRule } from './npd.ts';
import { openOutbox } from './outbox.ts';
import { dayOf, forget, keepLast } from './recent.ts';
import { lastReboot, REBOOT, type Reboot } from './reboot.ts';
import { RULES } from './rules/index.ts';
import { restore, save } from './saved.ts';

/**
 * What the kernel says in its log (/dev/kmsg), by rules that are a superset of node-problem-detector's. It needs the host's
 * own log, and where kernel.dmesg_restrict is set, root; without them it says so and counts nothing.
 */
export const kmsg: Collector = {
  name: 'kmsg',
  view: 'problem',
  periodSeconds: 15,
  steady: true,
  metrics: [...KMSG_METRICS, REBOOT],
  open: openKmsg,
};

/**
 * The log holds some thousand records, which a flood fills within a tenth of a second: where many came, more are looked for
 * soon.
 */
const PACE = { quietMs: 500, busyMs: 10 };
const MANY = 64;
/** A turn takes at most so long, so that a flood costs at most two thirds of a CPU; what is overwritten meanwhile is counted. */
const WORK_MS = 20;
const CLOCK_EVERY = 64;
/** Turns of one collection; what is not read then is left to the timer. */
const MOST_TURNS = 5;
/** How often where reading stands is kept when nothing happens. */
const KEEP_MS = 600_000;

/** Undefined where the time of the boot is not known either. */
function rebootOf(host: HostFiles, before: readonly LastWord[]): Reboot | undefined {
  try {
    return lastReboot(host, readBootTime(host) * 1000, before);
  } catch {
    return undefined;
  }
}

const monotonic = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

function openKmsg({ host, config, known, saved, tell }: CollectorContext): Collecting {
  const { facilities, rules: imported, eventsPerMinute } = config.kmsg;
  const rules = [...RULES, ...imported.map(importRule)];
  const series = openKmsgSeries(rules);
  const bootId = readBootId(host) ?? '';
  const { state, pending } = restore(saved, bootId);
  const attribute = openAttribution(host, known);
  const outbox = openOutbox({ tell, pending, stateOf: (left) => save(state, bootId, left), now: monotonic });
  const engine = openEngine(state, {
    rules,
    facilities,
    perMinute: eventsPerMinute,
    onProblem(problem) {
      const event = attribute(problem, bootId);
      noteWord(state.words, problem);
      keepLast(state.recents, event);
      outbox.put(event);
    },
  });
  const reboot = rebootOf(host, state.before);
  const moments = openMoments();
  let log: KernelLog | undefined;
  let kept = { at: monotonic(), seq: state.seq };

  const close = (): void => {
    log?.close();
    log = undefined;
  };
  /** True when there is more to read, or will be soon. */
  const turn = (from: KernelLog): boolean => {
    const began = monotonic();
    moments.begin({ unix: Date.now(), monotonic: began });
    let records = 0;
    for (let length = from.next(); length !== undefined; length = from.next()) {
      engine.take(from.bytes, length, moments.at);
      records += 1;
      if (records % CLOCK_EVERY === 0 && monotonic() - began > WORK_MS) return true;
    }
    moments.drained();
    engine.settle(moments.usec());
    return records >= MANY;
  };
  const report = (): void => {
    const changed = state.seq !== kept.seq && monotonic() - kept.at > KEEP_MS;
    if (changed) kept = { at: monotonic(), seq: state.seq };
    outbox.send(changed);
  };
  const look = (): boolean => {
    const more = log !== undefined && turn(log);
    report();
    return more;
  };
  const source = openLiveSource(look, close, PACE);
  const begin = (): Unread | undefined => {
    if (host.root !== '/') return 'other-root'; // what is here is the log of the host, but which host is mounted there is not known
    const opened = host.risky('/dev/kmsg', () => openKernelLog());
    if (typeof opened === 'string') return opened;
    log = opened;
    source.begin();
    return undefined;
  };
  const isNow = (raised: Raised): boolean => {
    const shape = series.shapeOf(raised);
    return shape !== undefined && isOn(raised, shape, Date.now());
  };

  return {
    collect(out) {
      if (reboot !== undefined) out.add(REBOOT.name, 1, reboot.reason, reboot.source);
      source.tellFailure();
      const unread = log === undefined ? begin() : undefined;
      source.tellFailure();
      if (unread !== undefined) return writeUnread(out, unread);
      for (let turns = 0; turns < MOST_TURNS && log !== undefined && turn(log); turns += 1);
      report();
      expire(state.conditions, series.shapeOf, readFacts(host), Date.now());
      forget(state.recents, Date.now());
      series.write(out, state, outbox.dropped(), Date.now());
    },
    details: () => ({
      day: [...state.recents].map(([reason, recent]) => ({ reason, count: dayOf(recent), last: recent.last })),
      lasting: [...state.conditions.values()]
        .filter(isNow)
        .map(({ type, reason, subject, since }) => ({ type, reason, subject, since })),
    }),
    save: () => (bootId === '' ? undefined : save(state, bootId, outbox.pending())),
    close: source.end,
  };
}
