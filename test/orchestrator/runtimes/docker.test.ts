// The docker runtime honours the contract of runtimes, on a real engine.
import { honoursRuntime } from '../../contracts/runtime.ts';
import { BUSYBOX, startDockerd } from '../../support/dockerd.ts';
import { needs, needsRoot } from '../../support/needs.ts';
import { onDocker } from './on-docker.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');

honoursRuntime(
  'docker',
  async (t) => {
    const open = onDocker(t, await startDockerd(t));
    return { runtime: open(), reopen: open, image: BUSYBOX };
  },
  { skip },
);
