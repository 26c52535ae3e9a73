// CPU time, throttling and CPU limits of a cgroup, from cpu.stat and its neighbours of v1 and v2.
import { decimalAt } from '../process/bytes.ts';
import { key, numberIn, divided, valueOf } from './flat.ts';
import { UNIFIED, type Cgroup } from './group.ts';

/** Times in seconds since the group was made, with all groups below it; what the kernel does not say is absent. */
export interface CpuUsage {
  readonly usage: number | undefined;
  readonly user: number | undefined;
  readonly system: number | undefined;
  /** Periods in which the limit was enforced, and those in which it was reached; of the group's own limit. */
  readonly periods: number | undefined;
  readonly throttledPeriods: number | undefined;
  readonly throttled: number | undefined;
  readonly burstPeriods: number | undefined;
  readonly burst: number | undefined;
  /** Time in which its own tasks wanted to run and were throttled, by its own limit or by one above it (Linux 6.6). */
  readonly throttledLocal: number | undefined;
}

const MICRO = 1e6;
const NANO = 1e9;

const USAGE = key('usage_usec');
const USER_USEC = key('user_usec');
const SYSTEM_USEC = key('system_usec');
const PERIODS = key('nr_periods');
const THROTTLED_PERIODS = key('nr_throttled');
const THROTTLED_USEC = key('throttled_usec');
const THROTTLED_NSEC = key('throttled_time');
const BURSTS = key('nr_bursts');
const BURST_USEC = key('burst_usec');
const BURST_NSEC = key('burst_time');
const USER = key('user');
const SYSTEM = key('system');

/** The part of cpu.stat that both versions have, in their own units of time. */
const parseThrottling = (bytes: Buffer, throttled: Buffer, burst: Buffer, unitsPerSecond: number) => ({
  periods: valueOf(bytes, PERIODS),
  throttledPeriods: valueOf(bytes, THROTTLED_PERIODS),
  throttled: divided(valueOf(bytes, throttled), unitsPerSecond),
  burstPeriods: valueOf(bytes, BURSTS),
  burst: divided(valueOf(bytes, burst), unitsPerSecond),
});

/** v2's cpu.stat (cgroup-v2.rst); the lines after the third are there where the cpu controller is enabled. */
export const parseCpuStat = (bytes: Buffer): Omit<CpuUsage, 'throttledLocal'> => ({
  usage: divided(valueOf(bytes, USAGE), MICRO),
  user: divided(valueOf(bytes, USER_USEC), MICRO),
  system: divided(valueOf(bytes, SYSTEM_USEC), MICRO),
  ...parseThrottling(bytes, THROTTLED_USEC, BURST_USEC, MICRO),
});

const NOTHING = Buffer.alloc(0);
const NO_THROTTLING = parseThrottling(NOTHING, THROTTLED_USEC, BURST_USEC, MICRO);

/** Reads it in either version; undefined where no controller for it is there. `ticksPerSecond` is of v1's cpuacct.stat. */
export function readCpuUsage(group: Cgroup, ticksPerSecond: number): CpuUsage | undefined {
  if (group.isV1('cpuacct') || group.isV1('cpu')) return readV1(group, ticksPerSecond);
  const bytes = group.bytes('cpu.stat');
  if (bytes === undefined) return undefined;
  const usage = parseCpuStat(bytes);
  const local = group.bytes('cpu.stat.local');
  return {
    ...usage,
    throttledLocal: local === undefined ? undefined : divided(valueOf(local, THROTTLED_USEC), MICRO),
  };
}

function readV1(group: Cgroup, ticksPerSecond: number): CpuUsage {
  const bytes = group.bytes('cpu.stat');
  const throttling = bytes === undefined ? NO_THROTTLING : parseThrottling(bytes, THROTTLED_NSEC, BURST_NSEC, NANO);
  const local = group.bytes('cpu.stat.local');
  const throttledLocal = local === undefined ? undefined : divided(valueOf(local, THROTTLED_NSEC), NANO);
  const usage = divided(numberIn(group.bytes('cpuacct.usage')), NANO);
  if (usage !== undefined) return { ...throttling, throttledLocal, usage, ...readV1Modes(group, ticksPerSecond) };
  // A group need not be in every hierarchy, and the v2 side of hybrid hosts counts the time of all that it has.
  const unified = group.bytes(`${UNIFIED}cpu.stat`);
  const { user, system, usage: total } = parseCpuStat(unified ?? NOTHING);
  return { ...throttling, throttledLocal, usage: total, user, system };
}

/** In nanoseconds where the kernel says them (Linux 4.7), else in ticks. */
function readV1Modes(group: Cgroup, ticksPerSecond: number): Pick<CpuUsage, 'user' | 'system'> {
  const user = numberIn(group.bytes('cpuacct.usage_user'));
  const system = numberIn(group.bytes('cpuacct.usage_sys'));
  if (user !== undefined && system !== undefined) return { user: user / NANO, system: system / NANO };
  const bytes = group.bytes('cpuacct.stat');
  return {
    user: bytes === undefined ? undefined : divided(valueOf(bytes, USER), ticksPerSecond),
    system: bytes === undefined ? undefined : divided(valueOf(bytes, SYSTEM), ticksPerSecond),
  };
}

export interface CpuLimits {
  /** Microseconds of CPU time in each period; Infinity without a limit. */
  readonly quotaUs: number | undefined;
  readonly periodUs: number | undefined;
  /** v1's, as it stands there; v2 has none. */
  readonly shares: number | undefined;
  /** v2's, as it stands there. Which shares it was made from cannot be told: two formulas are in use. */
  readonly weight: number | undefined;
}

/** v2's cpu.max: `QUOTA PERIOD` with `max` for no limit. Undefined for anything else. */
export function parseCpuMax(bytes: Buffer): Pick<CpuLimits, 'quotaUs' | 'periodUs'> | undefined {
  const space = bytes.indexOf(0x20);
  if (space === -1) return undefined;
  const quotaUs = numberIn(bytes.subarray(0, space));
  const periodUs = decimalAt(bytes, space + 1);
  return quotaUs === undefined || periodUs === undefined ? undefined : { quotaUs, periodUs };
}

/** Reads the limits in either version; undefined where the cpu controller is not there. */
export function readCpuLimits(group: Cgroup): CpuLimits {
  if (group.isV1('cpu')) {
    return {
      quotaUs: numberIn(group.bytes('cpu.cfs_quota_us')),
      periodUs: numberIn(group.bytes('cpu.cfs_period_us')),
      shares: numberIn(group.bytes('cpu.shares')),
      weight: undefined,
    };
  }
  const max = group.bytes('cpu.max');
  const parsed = max === undefined ? undefined : parseCpuMax(max);
  return {
    quotaUs: parsed?.quotaUs,
    periodUs: parsed?.periodUs,
    shares: undefined,
    weight: numberIn(group.bytes('cpu.weight')),
  };
}
