// Names and images of the containers of Podman and CRI-O, from the list that containers/storage keeps of them.
import { z } from '../../base/schema.ts';
import type { HostFiles } from '../host-files.ts';
import { kubernetesName, merge, type Facts } from './identity.ts';

const Listed = z.object({
  id: z.string(),
  names: z.array(z.string()).optional(),
  /** JSON as a string, of the program that made the container. */
  metadata: z.string().optional(),
});
const Metadata = z.object({ 'image-name': z.string().optional(), name: z.string().optional() });

/** containers.json by container id; an entry that makes no sense is left out. */
export function parseStorage(text: string): ReadonlyMap<string, Facts> {
  const found = new Map<string, Facts>();
  const list: unknown = json(text);
  for (const entry of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    const parsed = Listed.safeParse(entry);
    if (!parsed.success) continue;
    const { id, names: [name] = [], metadata } = parsed.data;
    const about = Metadata.safeParse(json(metadata ?? '')).data;
    const called = about?.name ?? name;
    found.set(id, merge([{ image: about?.['image-name'] }, called === undefined ? {} : kubernetesName(called)]));
  }
  return found;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ROOT = '/var/lib/containers/storage';
const DRIVERS = ['overlay', 'vfs', 'btrfs', 'zfs'];
/** The second holds those that need not survive a reboot. */
const FILES = ['containers.json', 'volatile-containers.json'];
const LARGEST = 16 * 1024 * 1024;

/** The containers of the system's Podman and CRI-O; those of other users have lists in their homes, which are not read. */
export function readStorage(host: HostFiles): ReadonlyMap<string, Facts> {
  const found = new Map<string, Facts>();
  for (const driver of DRIVERS) {
    for (const file of FILES) {
      try {
        for (const [id, facts] of parseStorage(host.text(`${ROOT}/${driver}-containers/${file}`, LARGEST)))
          found.set(id, facts);
      } catch {
        continue; // not this driver
      }
    }
  }
  return found;
}
