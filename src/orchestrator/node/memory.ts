// What the agent remembers of a pod between two looks: when its runs began and ended by the monotonic clock, and which starts
// failed. All of it can be rebuilt from the facts: after a restart of the agent it is, on the side of patience.
import type { Pod } from '../objects/pod.ts';
import { afterStart, type BackOff, delayAfter, LAST_DELAY_MS, type Trouble } from './back-off.ts';
import { lastRun, lastSandbox, type PodFacts } from './runs.ts';

/** The key of the sandbox among the containers: no container can have this name. */
export const SANDBOX = '(sandbox)';

interface Remembered extends BackOff {
  readonly sandboxId: string;
}

export interface PodMemory {
  /** By container name, and {@link SANDBOX}. */
  readonly backOffs: ReadonlyMap<string, Remembered>;
  readonly troubles: ReadonlyMap<string, Trouble>;
  /** Since when the pod has been active, for `activeDeadlineSeconds`. */
  readonly activeSince: number;
}

/** One reading of both clocks, in milliseconds. */
interface Moment {
  /** Monotonic. */
  readonly now: number;
  /** Unix time; can jump. */
  readonly wall: number;
}

interface Seen {
  readonly attempt: number;
  readonly sandboxId: string;
  readonly ended: boolean;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
}

/** The memory after a look at the facts. Without a memory, it is rebuilt from what the facts say of their times. */
export function remember(
  memory: PodMemory | undefined,
  pod: Pod | undefined,
  facts: PodFacts,
  moment: Moment,
): PodMemory {
  const backOffs = new Map<string, Remembered>();
  const note = (key: string, seen: Seen): void => {
    backOffs.set(key, next(memory?.backOffs.get(key), seen, memory === undefined, moment));
  };
  for (const name of new Set(facts.runs.map((run) => run.name))) {
    const run = lastRun(facts, name);
    if (run === undefined || run.state === 'created') continue;
    const { attempt, sandboxId, createdAt, startedAt = createdAt, finishedAt } = run;
    note(name, { attempt, sandboxId, ended: run.state === 'exited', startedAt, finishedAt });
  }
  const sandbox = lastSandbox(facts);
  if (sandbox !== undefined) {
    const { attempt, ready, createdAt } = sandbox;
    note(SANDBOX, { attempt, sandboxId: '', ended: !ready, startedAt: createdAt, finishedAt: undefined });
  }
  return {
    backOffs,
    troubles: memory?.troubles ?? new Map(),
    activeSince: memory?.activeSince ?? moment.now - age(pod?.status.startTime, moment),
  };
}

function next(known: Remembered | undefined, seen: Seen, fresh: boolean, { now, wall }: Moment): Remembered {
  const { attempt, sandboxId, ended } = seen;
  if (known?.attempt === attempt) {
    return ended && known.endedAt === undefined ? { ...known, endedAt: now } : known;
  }
  if (known !== undefined || !fresh) {
    const before = known ?? { attempt: attempt - 1, startedAt: now, delayMs: delayAfter(attempt - 1) };
    const counted = known === undefined || known.sandboxId === sandboxId;
    const started = attempt === 0 ? { attempt, startedAt: now, delayMs: 0 } : afterStart(before, attempt, now, counted);
    return { ...started, sandboxId, ...(ended ? { endedAt: now } : {}) };
  }
  // The agent was started again: the wall clock is all there is, and it is believed within bounds.
  const endedAt = now - Math.min(LAST_DELAY_MS, Math.max(0, wall - (seen.finishedAt ?? wall)));
  const ran = Math.max(0, (ended ? (seen.finishedAt ?? wall) : wall) - seen.startedAt);
  const startedAt = (ended ? endedAt : now) - ran;
  return { attempt, sandboxId, startedAt, delayMs: delayAfter(attempt), ...(ended ? { endedAt } : {}) };
}

const age = (since: string | undefined, { wall }: Moment): number =>
  since === undefined ? 0 : Math.max(0, wall - Date.parse(since));

/** The memory with a start that failed, or, without `trouble`, one that succeeded. */
export function withTrouble(memory: PodMemory, key: string, trouble: Trouble | undefined): PodMemory {
  const troubles = new Map(memory.troubles);
  if (trouble === undefined) troubles.delete(key);
  else troubles.set(key, trouble);
  return { ...memory, troubles };
}
