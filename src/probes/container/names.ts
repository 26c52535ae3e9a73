// Finds out who containers are: asks each source that may know, and asks again later for what none of them knew.
import { runningContainers } from '../../drivers/docker/index.ts';
import type { NameSources } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { readStorage } from './containers-storage.ts';
import { fromLabels, identityOf, isComplete, merge, SANDBOX, type Facts, type Identity } from './identity.ts';
import { readLogNames, type LogNames } from './kubelet-logs.ts';
import { bundleDirectories, readBundle } from './oci-bundle.ts';
import { openOwnPods } from './own-pods.ts';
import type { Place } from './place.ts';

/** What is named. `facts` is what is known so far. */
export interface Named {
  readonly place: Place;
  readonly path: string;
  facts: Facts;
  identity: Identity;
  /** How often it was asked for, and the collection in which to ask next. */
  asked: number;
  askAt: number;
}

/** Collections between two tries for what is not known, at most; nothing is given up for ever. */
const LONGEST_WAIT = 20;
/** Docker's containers can be renamed: asked for again after so many collections. */
const RENAMED = 40;
/** A source that hangs holds up a collection no longer than this. */
const DOCKER_MS = 1000;

export interface Names {
  /** Asks for what is due. Never rejects. */
  resolve(all: Iterable<Named>, cycle: number): Promise<void>;
}

type Docker = ReadonlyMap<string, Facts>;

export function openNames(host: HostFiles, { dockerSocket, podsDir }: Partial<NameSources> = {}): Names {
  const own = openOwnPods(podsDir);
  let dockerAt = -Infinity;
  let docker: Docker = new Map();

  const askDocker = async (cycle: number): Promise<void> => {
    if (dockerSocket === undefined || dockerAt === cycle) return;
    dockerAt = cycle;
    try {
      docker = await readDocker(host.path(dockerSocket));
    } catch {
      docker = new Map(); // not there, or hung: the next try is due soon enough
    }
  };

  return {
    async resolve(all, cycle) {
      const due = [...all].filter(({ askAt }) => askAt <= cycle);
      if (due.length === 0) return;
      if (due.some(({ place }) => mayBeDockers(place))) await askDocker(cycle);
      const files = openFiles(host);
      for (const one of due) {
        one.facts = merge([...askedOf(one, { own, docker, files, host }), one.facts]);
        one.identity = identityOf(one.place, one.facts);
        one.asked += 1;
        one.askAt = cycle + waitAfter(one);
      }
    },
  };
}

function waitAfter({ place, facts, asked }: Named): number {
  if (isComplete(place, facts)) return mayBeDockers(place) ? RENAMED : Infinity;
  return Math.min(LONGEST_WAIT, 2 ** (asked - 1));
}

const mayBeDockers = (place: Place): boolean =>
  place.kind === 'container' && (place.runtime === 'docker' || place.runtime === 'unknown');

async function readDocker(socket: string): Promise<Docker> {
  const found = new Map<string, Facts>();
  for (const { id, name, image, labels } of await runningContainers(socket, DOCKER_MS)) {
    const sandbox = labels['io.kubernetes.docker.type'] === 'podsandbox';
    found.set(id, { ...fromLabels(labels), ...(sandbox ? { container: SANDBOX } : {}), image, name });
  }
  return found;
}

/** The lists of this collection, each read when it is first wanted. */
function openFiles(host: HostFiles) {
  let logs: LogNames | undefined;
  let storage: ReadonlyMap<string, Facts> | undefined;
  let bundles: readonly string[] | undefined;
  return {
    logs: () => (logs ??= readLogNames(host)),
    storage: () => (storage ??= readStorage(host)),
    bundles: () => (bundles ??= bundleDirectories(host)),
  };
}

interface Asked {
  readonly own: ReturnType<typeof openOwnPods>;
  readonly docker: Docker;
  readonly files: ReturnType<typeof openFiles>;
  readonly host: HostFiles;
}

/** The sources in the order of their word: the runtime itself first, what it wrote down next, the kubelet last. */
function askedOf({ place, path }: Named, { own, docker, files, host }: Asked): readonly Facts[] {
  if (place.kind === 'slice') return [];
  if (place.kind === 'pod') {
    return place.ours ? [own.pod(place.podUid)] : [files.logs().pods.get(place.podUid) ?? {}];
  }
  const { runtime, containerId: id, podUid } = place;
  if (runtime === 'jdos') return [own.container(podUid ?? '', path.slice(path.lastIndexOf('/') + 1))];
  if (id === undefined) return [];
  return [
    docker.get(id) ?? {},
    readBundle(host, files.bundles(), id),
    ...(runtime === 'docker' ? [] : [files.storage().get(id) ?? {}]),
    ...(podUid === undefined ? [] : [files.logs().containers.get(id) ?? {}, files.logs().pods.get(podUid) ?? {}]),
  ];
}
