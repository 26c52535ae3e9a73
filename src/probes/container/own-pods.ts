// Names of the pods that run as processes of the host, from the files that their runtime keeps.
import { z } from '../../base/schema.ts';
import { HostFiles } from '../host-files.ts';
import type { Facts } from './identity.ts';

const Spec = z.object({
  namespace: z.string(),
  podName: z.string(),
  name: z.string().optional(),
  image: z.string().optional(),
});

/** A container's `spec.json`, or a pod's `sandbox_N.json`. */
export function parseOwn(text: string): Facts {
  try {
    const { namespace, podName, name, image } = Spec.parse(JSON.parse(text));
    return { namespace, pod: podName, container: name, image };
  } catch {
    return {};
  }
}

interface OwnPods {
  container(podUid: string, directory: string): Facts;
  pod(podUid: string): Facts;
}

/** `dir` is the daemon's own, not below the root of the host that it watches. Undefined: no pods are run here. */
export function openOwnPods(dir: string | undefined): OwnPods {
  if (dir === undefined) return { container: () => ({}), pod: () => ({}) };
  const files = new HostFiles('/');
  const read = (file: string): Facts => {
    try {
      return parseOwn(files.text(`${dir}/${file}`));
    } catch {
      return {}; // of another daemon, or removed already
    }
  };
  return {
    container: (podUid, directory) => read(`${podUid}/${directory}/spec.json`),
    pod(podUid) {
      try {
        const [file] = files.list(`${dir}/${podUid}`).filter((name) => /^sandbox_\d+\.json$/.test(name));
        return file === undefined ? {} : read(`${podUid}/${file}`);
      } catch {
        return {};
      }
    },
  };
}
