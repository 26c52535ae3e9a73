// Decides what is to be done about pods: pure, from what is wanted, what is there, and what is remembered.
import type { Pod } from '../objects/pod.ts';
import type { RuntimeName } from '../runtimes/runtime.ts';
import { keepRunning } from './plan-running.ts';
import { tearDown } from './plan-teardown.ts';
import type { PodMemory } from './memory.ts';
import { containersOf, lastRun, type PodFacts } from './runs.ts';
import type { Say, Step } from './step.ts';

/** Everything that the decision about one pod rests on. */
export interface PodView {
  readonly uid: string;
  /** `namespace/name`. */
  readonly key: string;
  /** Absent where the API has no pod of this uid any more. */
  readonly pod: Pod | undefined;
  readonly runtime: RuntimeName;
  /** Absent where the runtime could not say: what is unknown is neither there nor gone. */
  readonly facts: PodFacts | undefined;
  readonly memory: PodMemory;
  /** Why nothing of the pod may be started here. */
  readonly refusal?: string;
}

/** For pods that the API forgot: their own grace went with them. */
const ORPHAN_GRACE_SECONDS = 30;

/** The steps for one pod, in order. Applied and planned again they give none, or only waits. `now` is monotonic. */
export function planPod(view: PodView, now: number): readonly Step[] {
  const { uid, key, pod, runtime, facts, memory } = view;
  const say: Say = (because, act) => ({ ...act, pod: key, uid, runtime, because }) as Step;
  if (facts === undefined)
    return [say(`${runtime} does not answer: what it runs is unknown, and nothing is changed`, { kind: 'wait' })];
  if (pod === undefined) return tearDown(say, facts, ORPHAN_GRACE_SECONDS, 'the API has no such pod any more');
  if (pod.metadata.deletionTimestamp !== undefined) {
    const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
    return [
      ...tearDown(say, facts, grace, 'the pod is being deleted', pod),
      say('nothing of the pod is left', { kind: 'confirm-deletion' }),
    ];
  }
  const over = isOver(pod, memory, now);
  if (over !== undefined) return stopAll(say, pod, facts, over);
  const rest = deadlineIn(pod, memory, now);
  const steps = view.refusal === undefined ? keepRunning(say, pod, facts, memory, now) : [];
  if (view.refusal !== undefined && !facts.runs.some(({ state }) => state === 'running'))
    return [say(view.refusal, { kind: 'wait' })];
  if (rest === undefined || isAtRest(pod, facts)) return steps;
  return [
    ...steps,
    say(`activeDeadlineSeconds ${pod.spec.activeDeadlineSeconds}`, { kind: 'wait', seconds: rest / 1000 }),
  ];
}

/** The steps for all pods. */
export const plan = (views: readonly PodView[], now: number): readonly Step[] =>
  views.flatMap((view) => planPod(view, now));

/** Why the pod has come to its end and is never started again, or undefined. */
function isOver(pod: Pod, memory: PodMemory, now: number): string | undefined {
  const { phase, reason } = pod.status;
  if (phase === 'Succeeded' || phase === 'Failed') return `the pod is ${phase}${reason ? `: ${reason}` : ''}`;
  return isPastDeadline(pod, memory, now)
    ? `activeDeadlineSeconds ${pod.spec.activeDeadlineSeconds} have passed`
    : undefined;
}

const deadlineIn = (pod: Pod, memory: PodMemory, now: number): number | undefined =>
  pod.spec.activeDeadlineSeconds === undefined
    ? undefined
    : memory.activeSince + pod.spec.activeDeadlineSeconds * 1000 - now;

/** Whether the pod has been active longer than it may. */
export const isPastDeadline = (pod: Pod, memory: PodMemory, now: number): boolean =>
  (deadlineIn(pod, memory, now) ?? 1) <= 0;

/** Everything ran and ended: there is nothing left that a deadline could end. */
const isAtRest = (pod: Pod, facts: PodFacts): boolean =>
  pod.spec.restartPolicy !== 'Always' &&
  containersOf(pod).every(({ name }) => lastRun(facts, name)?.state === 'exited');

const stopAll = (say: Say, pod: Pod, facts: PodFacts, because: string): readonly Step[] =>
  facts.runs
    .filter(({ state }) => state === 'running')
    .map(({ id, name, attempt }) =>
      say(because, {
        kind: 'stop-container',
        container: name,
        attempt,
        id,
        graceSeconds: pod.spec.terminationGracePeriodSeconds,
      }),
    );
