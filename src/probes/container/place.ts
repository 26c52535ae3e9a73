// What a cgroup is by its path alone: a container of some runtime, a pod, a slice that sums up others, or nothing to show.

export type Runtime = 'docker' | 'containerd' | 'cri-o' | 'podman' | 'jdos' | 'lxc' | 'nspawn' | 'unknown';

export type Place =
  | {
      readonly kind: 'container';
      /** `unknown` where the path does not say: whoever knows the id tells. */
      readonly runtime: Runtime;
      /** 64 hexadecimal digits; undefined for runtimes that name their groups after the container. */
      readonly containerId: string | undefined;
      /** With dashes. */
      readonly podUid: string | undefined;
      /** The name in the path. */
      readonly name: string | undefined;
    }
  | { readonly kind: 'pod'; readonly podUid: string; readonly ours: boolean }
  | { readonly kind: 'slice' };

const ID = '[0-9a-f]{64}';
const UID = '[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32}';

/** `docker-ID.scope`, `crio-ID`, and `…:cri-containerd:ID` where containerd and the kubelet disagree on the driver. */
const PREFIXED = new RegExp(
  `(?:^|:)(docker|cri-containerd|nerdctl|crio|libpod|libpod-payload)[-:](${ID})(?:\\.scope)?$`,
);
const BARE = new RegExp(`^${ID}$`);
/** `pod…` of the cgroupfs driver, `kubepods-burstable-pod….slice` of systemd's. Static pods have uids without dashes. */
const POD = new RegExp(`^(?:[a-z0-9-]+-)?pod(${UID})(?:\\.slice)?$`);
const POD_ABOVE = new RegExp(`/(?:[a-z0-9-]+-)?pod(${UID})(?:\\.slice)?[/:]`);
const OUR_CONTAINER = new RegExp(`^/jdos/pod(${UID})/([^/]+)_(\\d+)$`);
const LXC = /^\/(?:lxc|lxc\.payload)\/([^/]+)$|^\/lxc\.payload\.([^/]+)$/;
const NSPAWN = /\/(?:machine-(?!qemu)([^/]+)\.scope|systemd-nspawn@([^/]+)\.service)$/;
/** The pods by quality of service, below the kubelet's own group. */
const QOS = /\/kubepods(?:\.slice)?\/(?:[a-z0-9-]*kubepods-)?(?:besteffort|burstable)(?:\.slice)?$/;
const SUMMED = new Set(['docker', 'jdos', 'kubepods', 'lxc', 'libpod_parent', 'machine', 'system', 'user']);

const RUNTIMES: Readonly<Record<string, Runtime>> = {
  docker: 'docker',
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  libpod: 'podman',
  'libpod-payload': 'podman',
};

const dashed = (uid: string): string => uid.replaceAll('_', '-');

/** A path from the root of the hierarchy. Undefined: not shown by itself; what is below it may be. */
export function placeOf(path: string): Place | undefined {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (name.length >= 64) {
    const container = withId(path, name, slash);
    if (container !== undefined) return container;
  }
  const pod = name.includes('pod') ? POD.exec(name)?.[1] : undefined;
  if (pod !== undefined) return { kind: 'pod', podUid: dashed(pod), ours: path.startsWith('/jdos/') };
  if (slash === 0 && (name.endsWith('.slice') || SUMMED.has(name))) return { kind: 'slice' };
  return QOS.test(path) ? { kind: 'slice' } : named(path);
}

function withId(path: string, name: string, slash: number): Place | undefined {
  const podUid = POD_ABOVE.exec(path)?.[1];
  const about = {
    kind: 'container',
    podUid: podUid === undefined ? undefined : dashed(podUid),
    name: undefined,
  } as const;
  const [, prefix = '', id] = PREFIXED.exec(name) ?? [];
  if (id !== undefined) return { ...about, runtime: RUNTIMES[prefix] ?? 'unknown', containerId: id };
  if (!BARE.test(name)) return undefined;
  const runtime = path.slice(0, slash).endsWith('/docker') ? 'docker' : 'unknown';
  return { ...about, runtime, containerId: name };
}

/** Runtimes whose groups are named after the container. */
function named(path: string): Place | undefined {
  const about = { kind: 'container', containerId: undefined } as const;
  const [, podUid, ours] = OUR_CONTAINER.exec(path) ?? [];
  if (podUid !== undefined && ours !== undefined)
    return { ...about, runtime: 'jdos', podUid: dashed(podUid), name: ours };
  const lxc = LXC.exec(path);
  const nspawn = lxc === null ? NSPAWN.exec(path) : null;
  const found = lxc ?? nspawn;
  const name = found?.[1] ?? found?.[2];
  if (name === undefined) return undefined;
  return { ...about, runtime: lxc === null ? 'nspawn' : 'lxc', podUid: undefined, name };
}
