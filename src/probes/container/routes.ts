// The containers of this host over HTTP.
import { Fault, faultKind } from '../../base/fault.ts';
import { route, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { NOT_SEEN_YET } from '../routes.ts';
import type { Snapshots } from '../snapshots.ts';
import { containers } from './collector.ts';
import { ContainerListing, matchContainers, type ListedContainer } from './listing.ts';

const NO_CONTAINER = faultKind(
  'JD_CONTAINER_UNKNOWN',
  404,
  'take an id, a name or a cgroup path from /jdos/v1/containers; a container that was just started is there after one period',
);
const SEVERAL = faultKind('JD_CONTAINER_AMBIGUOUS', 409, 'name one of them by its id');

type Known = Pick<Snapshots, 'details' | 'collectors'>;

/** The containers of the last collection, and when that was. Throws a Fault while there was none. */
export function containersOf(snapshots: Known): z.output<typeof ContainerListing> & { readonly at: number } {
  const at = snapshots.collectors().find(({ name }) => name === containers.name)?.lastSuccessAt;
  const parsed = ContainerListing.safeParse(snapshots.details(containers.name));
  if (at === undefined || !parsed.success) throw new Fault(NOT_SEEN_YET, 'the containers have not been read yet');
  return { ...parsed.data, at };
}

const SHOWN = 10;

/** The one container that something means. Throws a Fault for none, and for several with what tells them apart. */
export function findContainer(items: readonly ListedContainer[], wanted: string): ListedContainer {
  const found = matchContainers(items, wanted);
  const [one, another] = found;
  if (one === undefined) throw new Fault(NO_CONTAINER, `no container here is called ${JSON.stringify(wanted)}`);
  if (another === undefined) return one;
  const names = found.slice(0, SHOWN).map(({ id, name, cgroup }) => `${name} (${id?.slice(0, 12) ?? cgroup})`);
  const more = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
  throw new Fault(SEVERAL, `${JSON.stringify(wanted)} may be ${names.join(', ')}${more}`);
}

export const containerRoutes = ({ snapshots }: { readonly snapshots: Known }): readonly Route[] => [
  route({
    method: 'GET',
    path: '/jdos/v1/containers',
    right: 'read',
    summary: 'The containers of this host: who they are, by which runtime, and their first process',
    reply: ContainerListing.extend({ at: z.number().describe('Unix milliseconds'), next: z.null() }),
    handler() {
      const { items, at } = containersOf(snapshots);
      return { body: { items, at, next: null } };
    },
  }),
];
