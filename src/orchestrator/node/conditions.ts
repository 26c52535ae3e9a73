// Conditions of a pod or a node: their time of transition moves only when their status does.
import type { Condition, Time } from '../objects/meta.ts';

export type Verdict = Omit<Condition, 'lastTransitionTime' | 'lastHeartbeatTime'>;

/** The conditions as they are now; those of other writers stay as they were. */
export function settle(
  before: readonly Condition[] | undefined,
  verdicts: readonly Verdict[],
  at: Time,
): readonly Condition[] {
  const foreign = (before ?? []).filter(({ type }) => verdicts.every((verdict) => verdict.type !== type));
  const own = verdicts.map((verdict): Condition => {
    const was = before?.find(({ type }) => type === verdict.type);
    const same = was?.status === verdict.status && was.lastTransitionTime !== undefined;
    return { ...verdict, lastTransitionTime: same ? was.lastTransitionTime : at };
  });
  return [...foreign, ...own];
}

/** `True`, or `False` with a reason and, where there is more to say, a message. */
export const verdict = (type: string, holds: boolean, reason: string, message?: string): Verdict =>
  holds ? { type, status: 'True' } : { type, status: 'False', reason, ...(message === undefined ? {} : { message }) };
