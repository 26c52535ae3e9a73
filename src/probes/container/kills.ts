// Sees a kill for want of memory when it happens: the runtime may remove the group of the dead long before the next collection.
import { killsFile, withEvents } from '../cgroup/memory.ts';
import type { HostFiles } from '../host-files.ts';
import type { Tracked } from './table.ts';

/** A group at its limit changes its events all the time: they are read so often at most. */
const PAUSE_MS = 20;

/** Keeps the events of a container in its reading up to date until what it returns is called. On v1 nothing tells of them. */
export function followKills(tracked: Tracked, host: HostFiles): () => void {
  const file = killsFile(tracked.group);
  let pause: NodeJS.Timeout | undefined;
  const read = (): void => {
    pause = undefined;
    const { reading, group } = tracked;
    const memory = withEvents(group, reading.memory);
    const kills = memory?.events?.oomKill;
    if (kills === undefined) return;
    reading.memory = memory;
    reading.oomKills = kills;
  };
  const onChange = (): void => {
    pause ??= setTimeout(read, PAUSE_MS).unref();
  };
  const stop = watchOf(host, file, onChange);
  return () => {
    clearTimeout(pause);
    stop();
  };
}

function watchOf(host: HostFiles, file: string | undefined, onChange: () => void): () => void {
  if (file === undefined) return () => {};
  try {
    return host.watch(file, onChange);
  } catch {
    return () => {}; // no such file, or no watches are left: the collections still see what lasts
  }
}
