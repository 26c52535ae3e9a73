// From a value to a verdict: two limits with a dead band between entering and leaving, and streaks. Pure.
import type { Limits, Observation, Verdict } from './model.ts';

type Side = 'ok' | 'warn' | 'crit';

/** What is remembered of one check on one target between runs. */
export interface Memory {
  /** The side of the limits it is held to be on; undefined before the first value. */
  readonly side: Side | undefined;
  /** Unix milliseconds since when it is on that side. */
  readonly sideSince: number;
  /** The side that the last runs saw instead, and how many of them in a row. */
  readonly toward: Side | undefined;
  readonly streak: number;
  /** While there is no value: which verdict says so, and since when. */
  readonly missing: { readonly verdict: 'unknown' | 'skipped'; readonly since: number } | undefined;
}

interface Judgement {
  readonly verdict: Verdict;
  readonly since: number;
  readonly streak: number;
  readonly memory: Memory;
}

/** `warn` is believed after so many runs in a row, and a better side too. `crit` and the first sight are at once. */
const STREAK = 2;

const RANK = { ok: 0, warn: 1, crit: 2 } as const satisfies Record<Side, number>;

const worse = (a: Side, b: Side): Side => (RANK[a] >= RANK[b] ? a : b);

/** The side a value is on, for something that is on `before`: a limit once crossed holds until its clear limit. */
function sideOf(value: number, limits: Limits, before: Side): Side {
  const sign = limits.bad === 'above' ? 1 : -1;
  const reached = (limit: number): boolean => (value - limit) * sign >= 0;
  if (reached(limits.crit) || (before === 'crit' && reached(limits.clearCrit))) return 'crit';
  if (reached(limits.warn) || (before !== 'ok' && reached(limits.clearWarn))) return 'warn';
  return 'ok';
}

/** Judges one observation after what is remembered of its target. A missing value leaves the side as it was. */
export function judge(
  before: Memory | undefined,
  observation: Pick<Observation, 'value' | 'missing' | 'atMost'>,
  limits: Limits,
  now: number,
): Judgement {
  const { value, missing, atMost } = observation;
  if (value === undefined || !Number.isFinite(value)) return unseen(before, missing?.verdict ?? 'unknown', now);
  const seen = sideOf(value, limits, before?.side ?? 'ok');
  const raw = atMost !== undefined && RANK[seen] > RANK[atMost] ? atMost : seen;
  const memory = step(before, raw, now);
  return { verdict: memory.side ?? raw, since: memory.sideSince, streak: memory.streak, memory };
}

function step(before: Memory | undefined, raw: Side, now: number): Memory {
  const calm = { toward: undefined, streak: 0, missing: undefined };
  if (before?.side === undefined) return { side: raw, sideSince: now, ...calm };
  const { side, sideSince } = before;
  if (raw === side) return { side, sideSince, ...calm };
  if (raw === 'crit') return { side: raw, sideSince: now, ...calm };
  const same = before.toward !== undefined && RANK[before.toward] > RANK[side] === RANK[raw] > RANK[side];
  const streak = same ? before.streak + 1 : 1;
  // Of two better runs the less good one is believed: critical, warn, ok is not yet ok.
  const toward = same && before.toward !== undefined ? worse(before.toward, raw) : raw;
  if (streak < STREAK) return { side, sideSince, toward, streak, missing: undefined };
  // The last of them may already have been better still: it counts as the first good run there.
  const ahead = raw === toward ? calm : { ...calm, toward: raw, streak: 1 };
  return { side: toward, sideSince: now, ...ahead };
}

function unseen(before: Memory | undefined, verdict: 'unknown' | 'skipped', now: number): Judgement {
  const since = before?.missing?.verdict === verdict ? before.missing.since : now;
  const memory: Memory = {
    side: before?.side,
    sideSince: before?.sideSince ?? now,
    toward: before?.toward,
    streak: before?.streak ?? 0,
    missing: { verdict, since },
  };
  return { verdict, since, streak: 0, memory };
}
