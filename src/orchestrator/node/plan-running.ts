// The steps that keep a pod running: one good sandbox, init containers one by one, then all containers, each in one run.
import type { Container, Pod } from '../objects/pod.ts';
import { dueAt } from './back-off.ts';
import { type PodMemory, SANDBOX } from './memory.ts';
import { endedWell, initFailed, lastRun, lastSandbox, type PodFacts, restarts, type Run, runsOf } from './runs.ts';
import type { Say, Step } from './step.ts';

interface Ground {
  readonly say: Say;
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly memory: PodMemory;
  readonly now: number;
  /** The sandbox that works, if there is one. */
  readonly sandboxId: string | undefined;
}

export function keepRunning(say: Say, pod: Pod, facts: PodFacts, memory: PodMemory, now: number): readonly Step[] {
  const sandbox = lastSandbox(facts);
  const ground: Ground = { say, pod, facts, memory, now, sandboxId: sandbox?.ready === true ? sandbox.id : undefined };
  const starts = startSteps(ground);
  const needsSandbox = ground.sandboxId === undefined && starts.some(({ kind }) => kind === 'start-container');
  const stops = stopSteps(ground);
  if (!needsSandbox) return [...stops, ...starts, ...tidySteps(ground)];
  const wait = waitFor(ground, SANDBOX, 'the sandbox');
  if (wait !== undefined) return [...stops, wait];
  const because = sandbox === undefined ? 'the pod has no sandbox' : `sandbox ${sandbox.attempt} is gone`;
  return [
    ...stops,
    say(because, { kind: 'create-sandbox', attempt: (sandbox?.attempt ?? -1) + 1 }),
    ...starts,
    ...tidySteps(ground),
  ];
}

/** Ends what runs outside of the sandbox that counts, and whatever runs twice. */
const stopSteps = ({ say, pod, facts, sandboxId }: Ground): readonly Step[] =>
  facts.runs.flatMap((run) => {
    if (run.state !== 'running') return [];
    const last = lastRun(facts, run.name);
    if (run.sandboxId === sandboxId && run.id === last?.id) return [];
    const because = run.id === last?.id ? 'its sandbox is gone' : `attempt ${last?.attempt} of it is there as well`;
    const graceSeconds = pod.spec.terminationGracePeriodSeconds;
    return [
      say(because, { kind: 'stop-container', container: run.name, attempt: run.attempt, id: run.id, graceSeconds }),
    ];
  });

function startSteps(ground: Ground): readonly Step[] {
  const { pod, facts, say, sandboxId } = ground;
  const policy = pod.spec.restartPolicy;
  const wanted = pod.spec.containers.filter(({ name }) => wantsRun(pod, lastRun(facts, name), sandboxId));
  if (wanted.length === 0) return [];
  const begun = pod.spec.containers.some(({ name }) => isHere(lastRun(facts, name), sandboxId));
  for (const init of begun ? [] : (pod.spec.initContainers ?? [])) {
    const run = lastRun(facts, init.name);
    if (initFailed(policy, run)) return [];
    if (run !== undefined && isHere(run, sandboxId)) {
      if (run.state === 'running')
        return [say('the init container is running', { kind: 'wait', container: init.name })];
      if (endedWell(run)) continue;
    }
    return [nextRun(ground, init, run)];
  }
  return wanted.map((container) => nextRun(ground, container, lastRun(facts, container.name)));
}

const isHere = (run: Run | undefined, sandboxId: string | undefined): boolean =>
  run !== undefined && sandboxId !== undefined && run.sandboxId === sandboxId;

/** A run outside of the sandbox that counts is stopped, and what never restarts is not started anew for that. */
function wantsRun(pod: Pod, run: Run | undefined, sandboxId: string | undefined): boolean {
  if (run === undefined || run.state === 'created') return true;
  if (run.state === 'exited') return restarts(pod.spec.restartPolicy, run);
  return !isHere(run, sandboxId) && pod.spec.restartPolicy !== 'Never';
}

/** The start that a container needs, or the wait for it. */
function nextRun(ground: Ground, { name }: Container, run: Run | undefined): Step {
  const { say, pod, sandboxId } = ground;
  const wait = waitFor(ground, name, `attempt ${run?.attempt ?? 0}`, !isHere(run, sandboxId));
  if (wait !== undefined) return wait;
  const start = (attempt: number, because: string): Step =>
    say(because, { kind: 'start-container', container: name, attempt, ...(sandboxId ? { sandboxId } : {}) });
  if (run === undefined) return start(0, 'it never ran');
  if (!isHere(run, sandboxId))
    return start(run.attempt + 1, run.gone ? 'its container is gone' : 'its sandbox was replaced');
  if (run.state === 'created') return start(run.attempt, 'it was created, but not started');
  return start(run.attempt + 1, `${ending(run)}, restartPolicy ${pod.spec.restartPolicy}`);
}

/** The wait that a failed start or a back-off asks for; `moved` is true where the last run ended with its sandbox. */
function waitFor({ say, memory, now }: Ground, key: string, what: string, moved = false): Step | undefined {
  const named = key === SANDBOX ? {} : { container: key };
  const wait = (until: number, because: string): Step =>
    say(because, { kind: 'wait', ...named, seconds: (until - now) / 1000 });
  const trouble = memory.troubles.get(key);
  if (trouble !== undefined && trouble.retryAt > now)
    return wait(trouble.retryAt, `${trouble.reason}: ${trouble.message}`);
  const backOff = moved ? undefined : memory.backOffs.get(key);
  const due = backOff === undefined ? undefined : dueAt(backOff);
  if (backOff === undefined || due === undefined || due <= now) return undefined;
  return wait(due, `back-off ${backOff.delayMs / 1000} s after ${what} ended`);
}

const ending = (run: Run): string => {
  if (run.signal !== undefined) return `attempt ${run.attempt} ended by signal ${run.signal}`;
  return run.exitCode === undefined
    ? `attempt ${run.attempt} ended, nobody saw how`
    : `attempt ${run.attempt} ended with exit code ${run.exitCode}`;
};

/** Of each container the last run stays and, for `logs --previous`, the last that ended before it. */
function tidySteps({ say, facts }: Ground): readonly Step[] {
  return [...new Set(facts.runs.map(({ name }) => name))].flatMap((name) => {
    const [last, ...older] = runsOf(facts, name);
    const previous = last?.state === 'exited' ? undefined : older.find(({ state }) => state === 'exited');
    return older
      .filter((run) => run !== previous && run.state !== 'running' && run.gone !== true)
      .map(({ id, attempt }) =>
        say('only the last run that ended is kept', { kind: 'remove-container', container: name, attempt, id }),
      );
  });
}
