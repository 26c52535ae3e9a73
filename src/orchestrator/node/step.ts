// What the node agent does to a pod, as data: each step says its reason, and the list prints itself.
import type { RuntimeName } from '../runtimes/runtime.ts';

interface About {
  /** `namespace/name`. */
  readonly pod: string;
  readonly uid: string;
  readonly runtime: RuntimeName;
  readonly because: string;
}

export type Step = About &
  (
    | { readonly kind: 'create-sandbox'; readonly attempt: number }
    /** Without `sandboxId`: in the sandbox that a step before made. */
    | {
        readonly kind: 'start-container';
        readonly container: string;
        readonly attempt: number;
        readonly sandboxId?: string;
      }
    | {
        readonly kind: 'stop-container';
        readonly container: string;
        readonly attempt: number;
        readonly id: string;
        readonly graceSeconds: number;
      }
    /** The API must know how the containers ended before they are removed. */
    | { readonly kind: 'write-status' }
    | { readonly kind: 'remove-container'; readonly container: string; readonly attempt: number; readonly id: string }
    | { readonly kind: 'remove-sandbox'; readonly attempt: number; readonly id: string }
    /** Tells the API that nothing of the pod is left. */
    | { readonly kind: 'confirm-deletion' }
    /** Nothing is done until `seconds` have passed or, without them, until something changes. */
    | { readonly kind: 'wait'; readonly container?: string; readonly seconds?: number }
  );

/** A step without what all steps of one pod share. */
type Act = Step extends infer S ? (S extends Step ? Omit<S, keyof About> : never) : never;

/** Gives an act the pod's name and its reason. */
export type Say = (because: string, act: Act) => Step;

/** `default/hello/main`, or the pod alone. */
export const targetOf = (step: Step): string =>
  'container' in step && step.container !== undefined ? `${step.pod}/${step.container}` : step.pod;

/** One line per step: `#1 start-container default/hello/main attempt 0 (it never ran)`. */
export const render = (steps: readonly Step[]): string =>
  steps
    .map((step, i) => {
      const words = [`#${i + 1}`, step.kind, targetOf(step), ...detail(step)];
      return `${words.join(' ')} (${step.because})`;
    })
    .join('\n');

function detail(step: Step): readonly string[] {
  switch (step.kind) {
    case 'create-sandbox':
      return [`attempt ${step.attempt} on ${step.runtime}`];
    case 'stop-container':
      return [`attempt ${step.attempt}, grace ${step.graceSeconds} s`];
    case 'start-container':
    case 'remove-container':
    case 'remove-sandbox':
      return [`attempt ${step.attempt}`];
    case 'wait':
      return step.seconds === undefined ? [] : [`${Math.ceil(step.seconds)} s`];
    case 'write-status':
    case 'confirm-deletion':
      return [];
  }
}
