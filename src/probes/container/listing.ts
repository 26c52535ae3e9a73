// The containers one by one, for people and for finding one by what people call it.
import { z } from '../../base/schema.ts';
import { SANDBOX } from './identity.ts';
import type { Tracked } from './table.ts';

const text = z.string().nullable();
const Listed = z.object({
  id: text.describe('64 hexadecimal digits; null for runtimes that name their groups after the container'),
  name: z.string().describe("the runtime's name for it"),
  image: text,
  container: text.describe('the name in the pod'),
  pod: text,
  namespace: text,
  podUid: text,
  runtime: z.string(),
  cgroup: z.string().describe('the path from the root of the hierarchy'),
  startTime: z.number().nullable().describe('Unix seconds'),
  pid: z.number().nullable().describe('its first process'),
  processes: z.number().nullable().describe('null where they cannot be seen'),
});
export type ListedContainer = z.output<typeof Listed>;
export const ContainerListing = z.object({ items: z.array(Listed) });

const known = (value: string): string | null => (value === '' ? null : value);

/** The containers among the groups; null is not known. */
export const listContainers = (all: readonly Tracked[]): z.output<typeof ContainerListing> => ({
  items: all.flatMap(({ place, identity, path, startTime, members }) => {
    if (place.kind !== 'container') return [];
    return [
      {
        id: place.containerId ?? null,
        name: identity.name,
        image: known(identity.image),
        container: known(identity.container),
        pod: known(identity.pod),
        namespace: known(identity.namespace),
        podUid: place.podUid ?? null,
        runtime: place.runtime,
        cgroup: path,
        startTime: startTime ?? null,
        pid: members.init?.pid ?? null,
        processes: members.hidden ? null : members.pids.length,
      },
    ];
  }),
});

const BEGINNING = /^[0-9a-f]{4,63}$/;

/** What a container may be called; the first way in which there is one decides. The sandbox of a pod is not the pod. */
const WAYS: readonly ((wanted: string) => (one: ListedContainer) => boolean)[] = [
  (wanted) => (one) => one.id === wanted || one.cgroup === wanted,
  (wanted) => (one) => one.name === wanted,
  (wanted) => (one) => one.pod !== null && `${one.namespace}/${one.pod}/${one.container}` === wanted,
  (wanted) => (one) => BEGINNING.test(wanted) && one.id?.startsWith(wanted) === true,
  (wanted) => (one) => one.container === wanted,
  (wanted) => (one) =>
    one.container !== SANDBOX && one.pod !== null && [one.pod, `${one.namespace}/${one.pod}`].includes(wanted),
];

/** The containers that something may mean: none, one, or several between which only the asker can choose. */
export function matchContainers(items: readonly ListedContainer[], wanted: string): readonly ListedContainer[] {
  for (const way of WAYS) {
    const found = items.filter(way(wanted));
    if (found.length > 0) return found;
  }
  return [];
}
