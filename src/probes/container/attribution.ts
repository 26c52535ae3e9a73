// Which container a cgroup belongs to, and what that is called as long as nobody has told its name.
import { identityOf } from './identity.ts';
import { labelsOf } from './metrics.ts';
import { placeOf } from './place.ts';

const MOST_PATHS = 10_000;

/** The path of the outermost container that a cgroup is in or is; undefined for none. */
export function containerAt(path: string): string | undefined {
  for (let slash = path.indexOf('/', 1); ; slash = path.indexOf('/', slash + 1)) {
    const at = slash === -1 ? path : path.slice(0, slash);
    if (at.length > 1 && placeOf(at)?.kind === 'container') return at;
    if (slash === -1) return undefined;
  }
}

/** As {@link containerAt}, remembering what it found. */
export function openContainerAt(): typeof containerAt {
  const found = new Map<string, string | undefined>();
  return (path) => {
    if (found.has(path)) return found.get(path);
    if (found.size >= MOST_PATHS) found.clear();
    const container = containerAt(path);
    found.set(path, container);
    return container;
  };
}

/** Who a container is whose names are not known (yet). */
export function nameless(path: string): readonly string[] {
  const place = placeOf(path);
  return place === undefined ? [] : labelsOf({ path, identity: identityOf(place, {}) });
}
