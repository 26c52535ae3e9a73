// Which container each process belongs to, by the labels that its groups carry.
import { readController, parseMembership } from '../cgroup/membership.ts';
import type { CollectorContext, KnownContainers } from '../collector.ts';
import { containerAt, nameless } from '../container/attribution.ts';
import { LABELS } from '../container/family.ts';

/** A container as groups know it: all cgroups with these labels, so that one that is started again goes on. */
export interface Owner {
  readonly container: string;
  readonly pod: string;
  readonly namespace: string;
  /** Uptime in seconds when a process of it was there last. */
  aliveAt: number;
}

/** By {@link ownerKey}. */
export type Owners = Map<string, Owner>;

export const ownerKey = ({ container, pod, namespace }: Omit<Owner, 'aliveAt'>): string =>
  `${container}\0${pod}\0${namespace}`;

/** Collections that a container may be without a name before its id stands in. */
const WAIT_CYCLES = 2;
const LAYOUT_CYCLES = 40;
const MOST_TEXTS = 10_000;

/** `waiting`: it is in a container that has no name yet. Undefined: it is in none. */
export type Ownership = Owner | 'waiting' | undefined;

export interface Containers {
  /** Begins a collection; `now` is its uptime in seconds. False on a host without cgroups: then nothing is asked. */
  begin(cycle: number, now: number): boolean;
  /** The path of the container's cgroup out of the bytes of /proc/PID/cgroup; undefined for a process of the host. */
  pathIn(cgroups: Buffer): string | undefined;
  /** Who the container is that a process is in. */
  ownerOf(path: string): Ownership;
  /** Forgets the containers that nobody asked for. */
  end(): void;
}

interface Seen {
  /** What it is called as long as nobody tells its name. */
  readonly byId: readonly string[];
  /** Collections. */
  readonly since: number;
  last: number;
  ownership: Ownership;
}

const CONTAINER = LABELS.indexOf('container');
const POD = LABELS.indexOf('pod');
const NAMESPACE = LABELS.indexOf('namespace');
const NAME = LABELS.indexOf('name');

function ownerNamed(labels: readonly string[]): Owner {
  const label = (at: number): string => labels[at] ?? '';
  return { container: label(CONTAINER) || label(NAME), pod: label(POD), namespace: label(NAMESPACE), aliveAt: 0 };
}

/**
 * Paths as the collector of containers has them. A process in a cgroup namespace of its own sees other groups as `/../…`
 * (cgroup_namespaces(7)): those are found by their last part, which holds the id.
 */
function openWholePaths(known: KnownContainers | undefined): (path: string) => string {
  let of: KnownContainers['labels'] | undefined;
  let byLastPart = new Map<string, string>();
  const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  return (path) => {
    if (!path.startsWith('/../') || known === undefined) return path;
    if (of !== known.labels) byLastPart = new Map([...known.labels.keys()].map((one) => [lastPart(one), one]));
    of = known.labels;
    return byLastPart.get(lastPart(path)) ?? path;
  };
}

/**
 * A container that is new, or whose name its runtime does not tell, is waited for, two collections at most: till then its
 * processes are in no group and nothing of what they do is lost, as it is counted from where they were. Without a name it is
 * then known by its id. Should a name come later, what is done from then on counts for that; the series of the id stand still
 * and end five minutes later. So no counter falls, and none takes over what another one has counted.
 */
export function openContainers({ host, known }: Pick<CollectorContext, 'host' | 'known'>, owners: Owners): Containers {
  let controller: string | undefined;
  const texts = new Map<string, string | undefined>();
  const seen = new Map<string, Seen>();
  const whole = openWholePaths(known);
  let cycle = 0;
  let now = 0;

  const own = (labels: readonly string[]): Owner => {
    const owner = ownerNamed(labels);
    const key = ownerKey(owner);
    const before = owners.get(key);
    if (before === undefined) owners.set(key, owner);
    return before ?? owner;
  };
  const look = (path: string, { byId, since, ownership }: Seen): Ownership => {
    const told = known?.labels.get(whole(path));
    if (told !== undefined && (told[CONTAINER] !== '' || told[NAME] !== byId[NAME])) return own(told);
    if (ownership !== undefined && ownership !== 'waiting') return ownership;
    const labels = told ?? byId;
    // After a restart of this process it is there already: waiting again would say that nothing of it runs.
    return cycle - since >= WAIT_CYCLES || owners.has(ownerKey(ownerNamed(labels))) ? own(labels) : 'waiting';
  };

  return {
    begin(...moment) {
      [cycle, now] = moment;
      if (controller === undefined || cycle % LAYOUT_CYCLES === 0) {
        controller = readController(host) ?? controller;
        texts.clear();
      }
      return controller !== undefined;
    },
    pathIn(cgroups) {
      const text = cgroups.toString('utf8');
      if (texts.has(text)) return texts.get(text);
      if (texts.size >= MOST_TEXTS) texts.clear();
      const path = parseMembership(text, controller ?? '')?.path;
      const container = path === undefined ? undefined : containerAt(path);
      texts.set(text, container);
      return container;
    },
    ownerOf(path) {
      let one = seen.get(path);
      if (one === undefined)
        seen.set(path, (one = { byId: nameless(path), since: cycle, last: -1, ownership: undefined }));
      if (one.last !== cycle) one.ownership = look(path, one);
      one.last = cycle;
      if (typeof one.ownership === 'object') one.ownership.aliveAt = now;
      return one.ownership;
    },
    end() {
      for (const [path, { last }] of seen) if (last !== cycle) seen.delete(path);
    },
  };
}
