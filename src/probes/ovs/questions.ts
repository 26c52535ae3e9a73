// What ovs-vswitchd is asked, and in which collections: what costs its main thread more is asked less often.
import type { Command } from '../../drivers/ovsdb/index.ts';
import type { Metric } from '../collector.ts';
import { BOND_METRICS, readBonds, readLacp } from './bonds.ts';
import { CONNTRACK_METRICS, readConnections, readLimits, readMostConnections } from './conntrack.ts';
import { COVERAGE_METRICS, readCoverage } from './coverage.ts';
import { DATAPATH_METRICS, readDatapaths, readUpcalls, type Datapath } from './datapath.ts';
import { LOG_METRICS, readLogLevels } from './log-levels.ts';
import { MEMORY_METRICS, readMemory } from './memory.ts';
import { PMD_METRICS, readPmds, readQueues } from './pmd.ts';
import { QUEUE_METRICS, readShaped, type Shaped } from './queues.ts';
import type { Reading } from './readings.ts';

/** What decides which questions make sense. */
export interface Circumstances {
  /** Whether a port has several interfaces; undefined as long as the database has not told. */
  readonly bonds: boolean | undefined;
  readonly shaped: readonly Shaped[];
  /** Those that were told of last. */
  readonly datapaths: readonly Datapath[];
  /** That this ovs-vswitchd has. */
  readonly commands: ReadonlySet<string>;
}

interface Kind {
  readonly command: Command;
  /** Asked in each collection of this many, in the `turn`-th of them, so that the dear ones do not meet; and in the first two. */
  readonly every: number;
  readonly turn: number;
  readonly args?: readonly string[];
  /** Of bonds only where there are some; of each datapath that has the type, by this form of its name. */
  readonly of?: 'bonds' | { readonly types: readonly string[]; readonly by: (datapath: Datapath) => string };
  /** Asked instead of this one, where that is missing. */
  readonly insteadOf?: Command;
  readonly read: (text: string, datapath: Datapath) => readonly Reading[];
}

const whole = ({ type, name }: Datapath): string => `${type}@${name}`;
const bare = ({ name }: Datapath): string => name;
const USERSPACE = ['netdev', 'dummy'];
const ANY = ['system', ...USERSPACE];

/**
 * Being asked wakes the main thread, which then looks at every port: with 500 of them that alone is half a millisecond. So all of them are asked
 * at once, and only those that are due.
 */
const KINDS: readonly Kind[] = [
  // It tells of the datapaths, which others are asked of.
  { command: 'upcall/show', every: 1, turn: 0, read: readUpcalls },
  { command: 'coverage/show', every: 2, turn: 0, read: readCoverage },
  {
    command: 'dpif-netdev/pmd-perf-show',
    args: ['-nh'],
    every: 2,
    turn: 1,
    of: { types: USERSPACE, by: bare },
    read: readPmds,
  },
  {
    command: 'dpif-netdev/pmd-stats-show',
    insteadOf: 'dpif-netdev/pmd-perf-show',
    every: 2,
    turn: 1,
    of: { types: USERSPACE, by: bare },
    read: readPmds,
  },
  { command: 'bond/show', every: 2, turn: 1, of: 'bonds', read: readBonds },
  { command: 'lacp/show', every: 2, turn: 1, of: 'bonds', read: readLacp },
  { command: 'dpctl/show', every: 4, turn: 1, read: readDatapaths },
  { command: 'memory/show', every: 4, turn: 3, read: readMemory },
  { command: 'dpctl/ct-get-limits', every: 4, turn: 3, of: { types: ANY, by: whole }, read: readLimits },
  { command: 'dpctl/ct-get-nconns', every: 4, turn: 2, of: { types: USERSPACE, by: whole }, read: readConnections },
  {
    command: 'dpctl/ct-get-maxconns',
    every: 4,
    turn: 0,
    of: { types: USERSPACE, by: whole },
    read: readMostConnections,
  },
  { command: 'dpif-netdev/pmd-rxq-show', every: 4, turn: 2, of: { types: USERSPACE, by: bare }, read: readQueues },
  { command: 'vlog/list', every: 16, turn: 6, read: readLogLevels },
];

export const ANSWER_METRICS: readonly Metric[] = [
  ...COVERAGE_METRICS,
  ...MEMORY_METRICS,
  ...DATAPATH_METRICS,
  ...BOND_METRICS,
  ...CONNTRACK_METRICS,
  ...PMD_METRICS,
  ...QUEUE_METRICS,
  ...LOG_METRICS,
];

/** One question. Its `key` names what its answer replaces. */
export interface Question {
  readonly key: string;
  readonly command: Command;
  readonly args: readonly string[];
  readonly every: number;
  readonly read: (text: string) => readonly Reading[];
}

const NO_DATAPATH: Datapath = { type: '', name: '' };
/** A switch has one or two. */
const MOST_DATAPATHS = 4;

const SHAPED_AT_ONCE = 4;
const SHAPED_EVERY = 4;

/** Of a few interfaces at a time, each in every fourth collection or later. */
function questionsOfShaped(cycle: number, shaped: readonly Shaped[]): readonly Question[] {
  const every = Math.max(SHAPED_EVERY, Math.ceil(shaped.length / SHAPED_AT_ONCE));
  return shaped
    .filter((_, index) => index % every === cycle % every)
    .map((one) => ({
      key: `qos/show ${one.interface}`,
      command: 'qos/show',
      args: [one.interface],
      every,
      read: (text) => readShaped(text, one),
    }));
}

/** The questions of a collection, the first being 0. Those of datapaths that are not known yet are asked the next time. */
export function questionsOf(cycle: number, circumstances: Circumstances): readonly Question[] {
  const { bonds, shaped, datapaths, commands } = circumstances;
  const due = ({ every, turn }: Kind): boolean => cycle < 2 || cycle % every === turn;
  const always = KINDS.filter(
    (kind) =>
      due(kind) && commands.has(kind.command) && !(kind.insteadOf !== undefined && commands.has(kind.insteadOf)),
  ).flatMap(({ command, args = [], every, of, read }): readonly Question[] => {
    const one = (more: readonly string[], datapath: Datapath): Question => {
      const all = [...args, ...more];
      return { key: [command, ...all].join(' '), command, args: all, every, read: (text) => read(text, datapath) };
    };
    if (of === undefined || of === 'bonds') return of === 'bonds' && bonds === false ? [] : [one([], NO_DATAPATH)];
    return datapaths
      .filter(({ type }) => of.types.includes(type))
      .slice(0, MOST_DATAPATHS)
      .map((datapath) => one([of.by(datapath)], datapath));
  });
  return commands.has('qos/show') ? [...always, ...questionsOfShaped(cycle, shaped)] : always;
}
