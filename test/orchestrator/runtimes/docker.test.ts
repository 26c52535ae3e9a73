// The docker runtime honours the contract of runtimes, on a real engine.
import { openLog } from '../../../src/base/logging.ts';
import { openDocker } from '../../../src/drivers/docker/index.ts';
import { openDockerRuntime } from '../../../src/orchestrator/index.ts';
import type { Runtime } from '../../../src/orchestrator/runtimes/runtime.ts';
import { honoursRuntime } from '../../contracts/runtime.ts';
import { privateDirectory } from '../../support/daemon.ts';
import { BUSYBOX, PAUSE, startDockerd } from '../../support/dockerd.ts';
import { needs, needsRoot } from '../../support/needs.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');

honoursRuntime(
  'docker',
  async (t) => {
    const { socket } = await startDockerd(t);
    const dir = privateDirectory(t);
    const reopen = (): Runtime =>
      openDockerRuntime({
        docker: openDocker({ socket }),
        installation: '11111111-1111-1111-1111-111111111111',
        pauseImage: () => PAUSE,
        dir,
        log: openLog('test', 'silent'),
      });
    return { runtime: reopen(), reopen, image: BUSYBOX };
  },
  { skip },
);
