// The steps that take a pod away: TERM with its grace, the last status, its containers, and its sandbox last.
import type { Pod } from '../objects/pod.ts';
import type { PodFacts } from './runs.ts';
import type { Say, Step } from './step.ts';

const ascending = <T extends { readonly attempt: number }>(items: readonly T[]): readonly T[] =>
  [...items].sort((a, b) => a.attempt - b.attempt);

/** `pod` is given where the API still has it and must be told how it ended. */
export function tearDown(say: Say, facts: PodFacts, graceSeconds: number, because: string, pod?: Pod): readonly Step[] {
  const runs = ascending(facts.runs.filter(({ gone }) => gone !== true));
  const stops = runs
    .filter(({ state }) => state === 'running')
    .map(({ id, name, attempt }) =>
      say(because, { kind: 'stop-container', container: name, attempt, id, graceSeconds }),
    );
  const told = pod === undefined ? [] : [say('how its containers ended goes with them', { kind: 'write-status' })];
  return [
    ...stops,
    ...told,
    ...runs.map(({ id, name, attempt }) => say(because, { kind: 'remove-container', container: name, attempt, id })),
    ...ascending(facts.sandboxes).map(({ id, attempt }) => say(because, { kind: 'remove-sandbox', attempt, id })),
  ];
}
