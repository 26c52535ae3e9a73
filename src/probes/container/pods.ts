// What the containers of a pod and the pod itself know of each other.
import { identityOf, SANDBOX, type Facts } from './identity.ts';
import type { Tracked } from './table.ts';

/** What the program in a pod's sandbox is called, whatever the runtime. */
const PAUSE = 'pause';

/** Gives each the names that another one of its pod has; who only sleeps in a pod and has no name is its sandbox. */
export function shareNames(all: Iterable<Tracked>): void {
  const known = new Map<string, Facts>();
  const waiting: (readonly [Tracked, string])[] = [];
  for (const one of all) {
    const { place, facts, members } = one;
    if (place.kind === 'slice' || place.podUid === undefined) continue;
    if (facts.pod !== undefined && facts.namespace !== undefined) known.set(place.podUid, facts);
    else waiting.push([one, place.podUid]);
    if (place.kind === 'container' && facts.container === undefined && members.init?.comm === PAUSE) {
      name(one, { ...facts, container: SANDBOX });
    }
  }
  for (const [one, podUid] of waiting) {
    const { pod, namespace } = known.get(podUid) ?? {};
    if (pod !== undefined) name(one, { ...one.facts, pod, namespace });
  }
}

function name(one: Tracked, facts: Facts): void {
  one.facts = facts;
  one.identity = identityOf(one.place, facts);
}
