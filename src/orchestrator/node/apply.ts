// Carries out steps, in order and without thinking; what happens is told as events.
import { impossible } from '../../base/fault.ts';
import type { Container } from '../objects/pod.ts';
import type { Pod } from '../objects/pod.ts';
import type { Runtime, StartRequest } from '../runtimes/runtime.ts';
import { adviceOf, reasonOf } from './reasons.ts';
import type { Step } from './step.ts';
import { SANDBOX } from './memory.ts';
import { containersOf } from './runs.ts';

/** One thing that happened to a pod, for its events. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly container?: string;
}

export interface Hands {
  readonly runtime: Runtime;
  readonly pod: Pod | undefined;
  environment(container: Container): StartRequest['env'];
  tell(happening: Happening): void;
  /** A container or the sandbox was started, or could not be. */
  started(key: string): void;
  failed(key: string, reason: string, message: string): void;
  writeStatus(): Promise<void>;
  confirmDeletion(): Promise<void>;
}

/**
 * Applies the steps up to the first sandbox that is made: what comes after depends on facts that it brings, its address.
 * A container that cannot be started does not keep the others from it; every other failure ends the round.
 */
export async function apply(steps: readonly Step[], hands: Hands): Promise<void> {
  for (let i = 0; i < steps.length; i += 1) {
    const step = steps[i];
    if (step?.kind !== 'stop-container') {
      if (step !== undefined) await applyOne(step, hands);
      if (step?.kind === 'create-sandbox') return;
      continue;
    }
    // All containers of a pod get their signal at once, and share the grace.
    const rest = steps.slice(i);
    const end = rest.findIndex(({ kind }) => kind !== 'stop-container');
    const stops = end === -1 ? rest : rest.slice(0, end);
    const ends = await Promise.allSettled(stops.map((stop) => applyOne(stop, hands)));
    for (const each of ends) if (each.status === 'rejected') throw each.reason;
    i += stops.length - 1;
  }
}

async function applyOne(step: Step, hands: Hands): Promise<void> {
  const { runtime, pod } = hands;
  switch (step.kind) {
    case 'create-sandbox':
      if (pod !== undefined) await createSandbox(pod, step.attempt, hands);
      return;
    case 'start-container':
      if (pod !== undefined) await startContainer(pod, step, hands);
      return;
    case 'stop-container':
      hands.tell({
        type: 'Normal',
        reason: 'Killing',
        message: `Stopping container ${step.container}: ${step.because}`,
        container: step.container,
      });
      return runtime.stopContainer(step.id, step.graceSeconds);
    case 'remove-container':
      return runtime.removeContainer(step.id);
    case 'remove-sandbox':
      return runtime.removeSandbox(step.id);
    case 'write-status':
      return hands.writeStatus();
    case 'confirm-deletion':
      return hands.confirmDeletion();
    case 'wait':
      return;
    default:
      return impossible(step);
  }
}

async function createSandbox(pod: Pod, attempt: number, hands: Hands): Promise<void> {
  try {
    const { warnings } = await hands.runtime.createSandbox(pod, attempt);
    for (const message of warnings) hands.tell({ type: 'Warning', reason: 'RuntimeWarning', message });
    hands.started(SANDBOX);
  } catch (error) {
    const message = adviceOf(error);
    hands.failed(SANDBOX, 'ContainerCreating', message);
    hands.tell({
      type: 'Warning',
      reason: 'FailedCreatePodSandBox',
      message: `Failed to create pod sandbox: ${message}`,
    });
  }
}

async function startContainer(pod: Pod, step: Step & { kind: 'start-container' }, hands: Hands): Promise<void> {
  const { container: name, attempt, sandboxId } = step;
  const container = containersOf(pod).find((each) => each.name === name);
  if (container === undefined || sandboxId === undefined) return;
  try {
    const request = { pod, container, attempt, sandboxId, env: hands.environment(container) };
    const { warnings } = await hands.runtime.startContainer(request);
    hands.started(name);
    for (const message of warnings) hands.tell({ type: 'Warning', reason: 'RuntimeWarning', message, container: name });
    const how = attempt === 0 ? '' : ` (attempt ${attempt})`;
    hands.tell({ type: 'Normal', reason: 'Started', message: `Started container ${name}${how}`, container: name });
  } catch (error) {
    const [reason, message] = [reasonOf(error), adviceOf(error)];
    hands.failed(name, reason, message);
    hands.tell({ type: 'Warning', reason: 'Failed', message: `Error: ${reason}: ${message}`, container: name });
  }
}
