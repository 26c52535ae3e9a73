// What containerd and CRI-O wrote down for the OCI runtime: names as annotations, and the CPU shares that were asked for.
import { z } from '../../base/schema.ts';
import type { HostFiles } from '../host-files.ts';
import { kubernetesName, merge, SANDBOX, type Facts } from './identity.ts';

const Bundle = z.object({
  annotations: z.record(z.string(), z.string()).optional(),
  linux: z
    .object({ resources: z.object({ cpu: z.object({ shares: z.number() }) }) })
    .optional()
    .catch(undefined),
});

/** config.json of the OCI runtime specification, with the annotations of containerd's CRI, CRI-O and nerdctl. */
export function parseBundle(text: string): Facts {
  const parsed = Bundle.safeParse(json(text));
  if (!parsed.success) return {};
  const { annotations = {}, linux } = parsed.data;
  const isSandbox = [annotations['io.kubernetes.cri.container-type'], annotations['io.kubernetes.cri-o.ContainerType']];
  const crio = annotations['io.kubernetes.cri-o.Name'];
  return merge([
    isSandbox.includes('sandbox') ? { container: SANDBOX } : {},
    {
      container: annotations['io.kubernetes.cri.container-name'] ?? annotations['io.kubernetes.container.name'],
      namespace: annotations['io.kubernetes.cri.sandbox-namespace'] ?? annotations['io.kubernetes.pod.namespace'],
      pod: annotations['io.kubernetes.cri.sandbox-name'] ?? annotations['io.kubernetes.pod.name'],
      image: annotations['io.kubernetes.cri.image-name'] ?? annotations['io.kubernetes.cri-o.ImageName'],
      name: annotations['nerdctl/name'],
      shares: linux?.resources.cpu.shares,
    },
    crio === undefined ? {} : kubernetesName(crio),
  ]);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** containerd's own directory of running tasks, and that of the containerd which Docker starts for itself. */
const CONTAINERD = [
  '/run/containerd/io.containerd.runtime.v2.task',
  '/run/docker/containerd/daemon/io.containerd.runtime.v2.task',
];
const CRI_O = '/run/containers/storage/overlay-containers';
const LARGEST = 4 * 1024 * 1024;

/** The directories that hold a directory per container, as far as they are there. */
export function bundleDirectories(host: HostFiles): readonly string[] {
  const spaces = CONTAINERD.flatMap((root) => {
    try {
      return host.directories(root).map((namespace) => `${root}/${namespace}`);
    } catch {
      return [];
    }
  });
  return [...spaces, CRI_O];
}

/** Looks for a container in these directories; nothing where no runtime wrote anything of it, or we may not read it. */
export function readBundle(host: HostFiles, directories: readonly string[], id: string): Facts {
  for (const directory of directories) {
    const file = directory === CRI_O ? `${directory}/${id}/userdata/config.json` : `${directory}/${id}/config.json`;
    try {
      return parseBundle(host.text(file, LARGEST));
    } catch {
      continue;
    }
  }
  return {};
}
