// The threads of chosen groups: what each did since it was first seen, summed by the name of the thread.
import { RE2JS } from 're2js';
import type { HostFiles } from '../host-files.ts';
import { advance, known, NONVOLUNTARY, unknownCounters, USER, VOLUNTARY, type Counters } from './counters.ts';
import type { Group } from './groups.ts';
import { readThread, type Thread } from './read-thread.ts';
import type { Pass } from './read.ts';
import type { Tracked } from './table.ts';

/** Threads of one name in a group, the ended ones among them. */
export interface NamedThreads {
  readonly totals: Counters;
  /** Live ones in the last collection. */
  count: number;
  /** Uptime in seconds when there was one last. */
  aliveAt: number;
}

interface ThreadsOfGroup {
  readonly names: Map<string, NamedThreads>;
  /** Threads by the function of the kernel they wait in. */
  readonly waits: Map<string, number>;
}

export type FollowedGroups = Map<Group, ThreadsOfGroup>;

/**
 * Threads that are read in one collection, at some 30 microseconds each when they work. The oldest of the processes that come
 * first are read, so that it is the same ones each time.
 */
const MOST_THREADS = 2000;
/** Names that a group has series for; pools without end number their threads. */
const MOST_NAMES = 200;
const OTHER = 'other';
/** As for the groups of containers. */
const KEPT_SECONDS = 300;

export interface Threads {
  /** Begins a collection. */
  begin(): void;
  /** Reads the threads of a process and adds what they did to its group. False: the group is not followed. */
  follow(process: Tracked, pass: Pass): boolean;
  /** Forgets names that no thread has had for five minutes; `now` is the uptime in seconds. */
  end(now: number): void;
  /** Undefined: it is not followed. */
  of(group: Group): ThreadsOfGroup | undefined;
  /** Threads of the last collection beyond the limit. */
  dropped(): number;
}

/**
 * Follows the groups whose name is one of `chosen`, or matches it as a whole. `followed` is what is known of them already, and is
 * kept up to date. Undefined: none are chosen.
 */
export function openThreads(
  chosen: readonly string[],
  followed: FollowedGroups,
  mostThreads = MOST_THREADS,
): Threads | undefined {
  if (chosen.length === 0) return undefined;
  const names = new Set(chosen);
  const patterns = chosen.map((text) => RE2JS.compile(text));
  const decided = new Map<string, boolean>();
  let left = 0;
  let dropped = 0;

  const isChosen = (name: string): boolean => {
    let answer = decided.get(name);
    if (answer === undefined) {
      answer = names.has(name) || patterns.some((pattern) => pattern.matches(name));
      decided.set(name, answer);
    }
    return answer;
  };
  for (const group of followed.keys()) if (!isChosen(group.name)) followed.delete(group);
  const of = (group: Group): ThreadsOfGroup | undefined => {
    let threads = followed.get(group);
    if (threads !== undefined || !isChosen(group.name)) return threads;
    followed.set(group, (threads = { names: new Map(), waits: new Map() }));
    return threads;
  };
  const take = (process: Tracked, group: Group, threads: ThreadsOfGroup, pass: Pass): void => {
    const table = (process.threads ??= new Map<number, Thread>());
    // It was born while we watched and has not counted yet, as when it waited for the name of its container.
    const fresh = process.born && known(process.counters, USER) === undefined;
    let read = 0;
    let whole = false;
    try {
      for (const tid of threadsOf(process, pass.host)) {
        if (read >= left) break;
        const thread = readThread(table, { pid: process.pid, tid, fresh }, pass);
        if (thread === undefined) continue;
        read += 1;
        add(thread, group, threads, pass);
      }
      whole = read < left;
    } catch {
      // it ends at this moment
    }
    left -= read;
    if (!whole) dropped += Math.max(0, process.stat.threads - read);
    // Those beyond the limit are there all the same: should they be read again, they count from where they were.
    if (whole) for (const [tid, { cycle }] of table) if (cycle !== pass.cycle) table.delete(tid);
  };

  return {
    of,
    dropped: () => dropped,
    begin() {
      left = mostThreads;
      dropped = 0;
      for (const { names, waits } of followed.values()) {
        waits.clear();
        for (const named of names.values()) named.count = 0;
      }
    },
    follow(process, pass) {
      const { group } = process;
      const threads = group === undefined ? undefined : of(group);
      if (group === undefined || threads === undefined) {
        if (process.threads !== undefined) leave(process);
        return false;
      }
      if (process.stat.state === 'Z' && process.stat.threads <= 1) return true;
      take(process, group, threads, pass);
      return true;
    },
    end(now) {
      for (const [group, { names }] of followed) {
        if (group.ended) followed.delete(group);
        for (const [name, { aliveAt }] of names) if (now - aliveAt > KEPT_SECONDS) names.delete(name);
      }
      if (decided.size > 10_000) decided.clear();
    },
  };
}

/** The ids of its threads, the oldest first. Throws when it has ended. */
function* threadsOf({ pid, stat }: Tracked, host: HostFiles): Generator<number, void, undefined> {
  if (stat.threads <= 1) yield pid;
  else for (const name of host.entries(`/proc/${pid}/task`)) yield Number(name);
}

/** The threads of a name, those beyond the limit of names together. */
export function openNamed({ names }: ThreadsOfGroup, wanted: string): NamedThreads {
  const name = names.has(wanted) || names.size < MOST_NAMES ? wanted : OTHER;
  let named = names.get(name);
  if (named === undefined) names.set(name, (named = { totals: unknownCounters(), count: 0, aliveAt: 0 }));
  return named;
}

function add(thread: Thread, { totals }: Group, threads: ThreadsOfGroup, pass: Pass): void {
  const named = openNamed(threads, thread.name);
  named.count += 1;
  named.aliveAt = pass.now;
  if (thread.wait !== undefined) threads.waits.set(thread.wait, (threads.waits.get(thread.wait) ?? 0) + 1);
  const [voluntary, nonvoluntary] = [named.totals[VOLUNTARY], named.totals[NONVOLUNTARY]];
  advance(thread.counters, thread.read, thread.born, named.totals);
  grow(totals, VOLUNTARY, voluntary, named.totals);
  grow(totals, NONVOLUNTARY, nonvoluntary, named.totals);
}

/** A process that goes to a group whose threads are not followed: its main thread counts there from where it is. */
function leave(process: Tracked): void {
  const main = process.threads?.get(process.pid);
  process.threads = undefined;
  for (const at of [VOLUNTARY, NONVOLUNTARY]) {
    const counted = main === undefined ? undefined : known(main.counters, at);
    if (counted !== undefined) process.counters[at] = Math.max(known(process.counters, at) ?? 0, counted);
  }
}

/** The context switches of a group are those of its threads: the kernel has no sum for a process. */
function grow(totals: Counters, index: number, before: number | undefined, now: Counters): void {
  const sum = known(now, index);
  if (sum === undefined) return;
  totals[index] = (known(totals, index) ?? 0) + sum - (before === undefined || Number.isNaN(before) ? 0 : before);
}
