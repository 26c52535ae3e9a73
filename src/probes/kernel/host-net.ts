// Files of the host's network, which are those of its first process: `/proc/net` is that of this process' own namespace.
import { readFailure, type HostFiles } from '../host-files.ts';

/** About 150 bytes for each socket or interface, and hosts with a hundred thousand exist. */
const LARGEST = 16 * 1024 * 1024;

/**
 * The text of `/proc/1/net/NAME`; where that may not be seen, of this process' own network, which is the host's unless it
 * runs in a container or under systemd's PrivateNetwork. Throws the system error where neither is there.
 */
export function hostNet(host: HostFiles, name: string): string {
  try {
    return host.text(`/proc/1/net/${name}`, LARGEST);
  } catch (error) {
    if (readFailure(error) === 'failed') throw error;
    return host.text(`/proc/self/net/${name}`, LARGEST);
  }
}

/** The same, undefined where the kernel has no such file. */
export function hostNetIfThere(host: HostFiles, name: string): string | undefined {
  try {
    return hostNet(host, name);
  } catch (error) {
    if (readFailure(error) === 'absent') return undefined;
    throw error;
  }
}
