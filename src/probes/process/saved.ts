// What survives a restart of the probe process: the counters of the groups, and where those of the processes stood.
import { z } from '../../base/schema.ts';
import { COUNTERS } from './counters.ts';
import { ownerKey, type Owner, type Owners } from './containers.ts';
import { openGroup, type Groups } from './groups.ts';
import { newThread, type Thread } from './read-thread.ts';
import type { Remembered, Table } from './table.ts';
import type { FollowedGroups } from './threads.ts';

export interface ScrapeErrors {
  scrape: number;
  processRead: number;
  partial: number;
}

/** All that lasts longer than one collection. */
export interface Accumulated {
  readonly groups: Groups;
  readonly owners: Owners;
  readonly followed: FollowedGroups;
  readonly table: Table;
  readonly errors: ScrapeErrors;
  /** The clock tick of the first collection; undefined before it. */
  firstTick: number | undefined;
  /** The uptime of the last collection. */
  lastAt: number | undefined;
  readonly remembered: Map<number, Remembered>;
  /** CPU time of children that nobody saw, in clock ticks; undefined before the second collection. */
  unseenTicks: number | undefined;
}

/** What must be the same for counters to go on: the boot, and what the groups are named after. */
export interface Epoch {
  readonly bootId: string | undefined;
  readonly groupBy: string;
}

const amount = z.number().nonnegative();
const text = z.string().max(4096);
const place = z.number().int().nonnegative();

/** What stands before the numbers, as JSON. */
const Head = z.object({
  version: z.literal(3),
  bootId: z.string(),
  groupBy: z.string(),
  firstTick: amount,
  lastAt: amount,
  unseenTicks: amount.optional(),
  errors: z.object({ scrape: amount, processRead: amount, partial: amount }),
  /** Container, pod and namespace. */
  owners: z.array(z.tuple([text, text, text])).max(100_001),
  /** Names of the groups, those of the host first; of the others each with the place of its owner. */
  groups: z.array(text).max(100_001),
  owned: z.array(place).max(100_001),
  /** The names of followed threads, each with the place of its group. */
  threadNames: z.array(z.tuple([place, text])).max(100_000),
  threads: place.max(100_000),
  processes: z
    .number()
    .int()
    .nonnegative()
    .max(4 * 1024 * 1024), // PID_MAX_LIMIT
});

/** Numbers of the threads of a name: their counters, and when there was one last. */
const NAME_NUMBERS = COUNTERS.length + 1;
/** Numbers of a thread: pid, id, start, counters. */
const THREAD_NUMBERS = COUNTERS.length + 3;

const LENGTH_BYTES = 4;
const NUMBER_BYTES = 8;
/** Numbers of a group: its counters, and whether all its members were sampled. */
const GROUP_NUMBERS = COUNTERS.length + 1;
/** Numbers of a process: pid, start, counters, proportional memory (2), when it was sampled, since when it is stuck. */
const PROCESS_NUMBERS = COUNTERS.length + 6;

/**
 * What was accumulated, as bytes: the length of a JSON head, the head, and then numbers as doubles of this machine, NaN for
 * what is not known. Undefined before the first collection, or on a kernel without a boot id.
 */
export function save(state: Accumulated, { bootId, groupBy }: Epoch): Buffer | undefined {
  const { owners, table, errors, firstTick, lastAt } = state;
  if (bootId === undefined || firstTick === undefined || lastAt === undefined) return undefined;
  const places = new Map([...owners.values()].map((owner, i) => [owner, i]));
  const groups = [...state.groups.values()].sort(
    (a, b) => Number(a.owner !== undefined) - Number(b.owner !== undefined),
  );
  const named = [...state.followed].flatMap(([group, { names }]) => {
    const place = groups.indexOf(group);
    return place === -1 ? [] : [...names].map(([name, known]) => [place, name, known] as const);
  });
  const threads = [...table.values()].flatMap(({ pid, threads }) =>
    threads === undefined || state.followed.size === 0
      ? []
      : [...threads].map(([tid, thread]) => ({ pid, tid, ...thread })),
  );
  const head = Buffer.from(
    JSON.stringify({
      version: 3,
      bootId,
      groupBy,
      firstTick,
      lastAt,
      unseenTicks: state.unseenTicks,
      errors: { ...errors },
      owners: [...owners.values()].map(({ container, pod, namespace }) => [container, pod, namespace]),
      groups: groups.map(({ name }) => name),
      owned: groups.flatMap(({ owner }) => (owner === undefined ? [] : [places.get(owner) ?? owners.size])),
      threadNames: named.map(([place, name]) => [place, name]),
      threads: threads.length,
      processes: table.size,
    } satisfies z.input<typeof Head>),
  );
  const numbers = new Float64Array(
    owners.size +
      groups.length * GROUP_NUMBERS +
      named.length * NAME_NUMBERS +
      threads.length * THREAD_NUMBERS +
      table.size * PROCESS_NUMBERS,
  );
  let at = 0;
  for (const { aliveAt } of owners.values()) numbers[at++] = aliveAt;
  for (const { totals, proportionalComplete } of groups) {
    numbers.set(totals, at);
    numbers[at + COUNTERS.length] = proportionalComplete ? 1 : 0;
    at += GROUP_NUMBERS;
  }
  for (const [, , { totals, aliveAt }] of named) {
    numbers.set(totals, at);
    numbers[at + COUNTERS.length] = aliveAt;
    at += NAME_NUMBERS;
  }
  for (const { pid, tid, start, counters } of threads) {
    numbers.set([pid, tid, start], at);
    numbers.set(counters, at + 3);
    at += THREAD_NUMBERS;
  }
  for (const { pid, stat, counters, proportional, sampledAt, stuckSince } of table.values()) {
    numbers[at] = pid;
    numbers[at + 1] = stat.start;
    numbers.set(counters, at + 2);
    at += 2 + COUNTERS.length;
    numbers[at] = proportional?.residentBytes ?? Number.NaN;
    numbers[at + 1] = proportional?.swappedBytes ?? Number.NaN;
    numbers[at + 2] = sampledAt ?? Number.NaN;
    numbers[at + 3] = stuckSince ?? Number.NaN;
    at += 4;
  }
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, Buffer.from(numbers.buffer)]);
}

const nothing = (): Accumulated => ({
  groups: new Map(),
  owners: new Map(),
  followed: new Map(),
  table: new Map(),
  errors: { scrape: 0, processRead: 0, partial: 0 },
  firstTick: undefined,
  lastAt: undefined,
  remembered: new Map(),
  unseenTicks: undefined,
});

/** What an earlier probe process saved, or a new beginning when it is of another boot or makes no sense. */
export function restore(saved: unknown, { bootId, groupBy }: Epoch): Accumulated {
  const read = Buffer.isBuffer(saved) ? parse(saved) : undefined;
  if (read === undefined || read.head.bootId !== bootId || read.head.groupBy !== groupBy) return nothing();
  const { head, numbers } = read;
  let at = 0;
  const take = (count: number): Float64Array => numbers.slice(at, (at += count));
  const optional = (value: number | undefined): number | undefined =>
    value === undefined || Number.isNaN(value) ? undefined : value;
  const owners: Owners = new Map();
  const byPlace = head.owners.map(([container, pod, namespace]): Owner => {
    const owner = { container, pod, namespace, aliveAt: take(1)[0] ?? 0 };
    owners.set(ownerKey(owner), owner);
    return owner;
  });
  const ofHost = head.groups.length - head.owned.length;
  const groups: Groups = new Map();
  for (const [i, name] of head.groups.entries()) {
    const group = openGroup(groups, name, i < ofHost ? undefined : byPlace[head.owned[i - ofHost] ?? 0]);
    group.totals.set(take(COUNTERS.length));
    group.proportionalComplete = take(1)[0] === 1;
  }
  const all = [...groups.values()];
  const followed: FollowedGroups = new Map();
  for (const [place, name] of head.threadNames) {
    const totals = take(COUNTERS.length);
    const aliveAt = take(1)[0] ?? 0;
    const group = all[place];
    if (group === undefined) continue;
    let threads = followed.get(group);
    if (threads === undefined) followed.set(group, (threads = { names: new Map(), waits: new Map() }));
    threads.names.set(name, { totals, count: 0, aliveAt });
  }
  const threadsByPid = new Map<number, Map<number, Thread>>();
  for (let i = 0; i < head.threads; i += 1) {
    const [pid = 0, tid = 0, start = 0] = take(3);
    let threads = threadsByPid.get(pid);
    if (threads === undefined) threadsByPid.set(pid, (threads = new Map()));
    threads.set(tid, newThread(start, false, take(COUNTERS.length)));
  }
  const remembered = new Map<number, Remembered>();
  for (let i = 0; i < head.processes; i += 1) {
    const [pid = 0, start = 0] = take(2);
    const counters = take(COUNTERS.length);
    const [residentBytes, swappedBytes, sampledAt, stuckSince] = [...take(4)].map(optional);
    const proportional =
      residentBytes === undefined || swappedBytes === undefined ? undefined : { residentBytes, swappedBytes };
    const threads = threadsByPid.get(pid);
    remembered.set(pid, { start, counters, proportional, sampledAt, stuckSince, threads });
  }
  const { errors, firstTick, lastAt, unseenTicks } = head;
  return { groups, owners, followed, table: new Map(), errors, firstTick, lastAt, remembered, unseenTicks };
}

/** Undefined for what was not written by {@link save}. */
function parse(bytes: Buffer): { readonly head: z.output<typeof Head>; readonly numbers: Float64Array } | undefined {
  try {
    const from = LENGTH_BYTES + bytes.readUInt32LE();
    const head = Head.parse(JSON.parse(bytes.toString('utf8', LENGTH_BYTES, from)));
    const count =
      head.owners.length +
      head.groups.length * GROUP_NUMBERS +
      head.threadNames.length * NAME_NUMBERS +
      head.threads * THREAD_NUMBERS +
      head.processes * PROCESS_NUMBERS;
    if (bytes.length - from !== count * NUMBER_BYTES) return undefined;
    if (head.owned.some((place) => place >= head.owners.length)) return undefined;
    const numbers = new Float64Array(new Uint8Array(bytes.subarray(from)).buffer);
    return numbers.every((value) => value >= 0 || Number.isNaN(value)) ? { head, numbers } : undefined;
  } catch {
    return undefined;
  }
}
