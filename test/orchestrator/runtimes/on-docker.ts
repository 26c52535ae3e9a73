// The docker runtime on a private engine, for tests.
import type { Test } from 'tap';
import { openLog } from '../../../src/base/logging.ts';
import { type Docker, openDocker } from '../../../src/drivers/docker/index.ts';
import { openDockerRuntime } from '../../../src/orchestrator/index.ts';
import type { Runtime } from '../../../src/orchestrator/runtimes/runtime.ts';
import { privateDirectory } from '../../support/daemon.ts';
import { type Dockerd, PAUSE } from '../../support/dockerd.ts';

export const INSTALLATION = '11111111-1111-1111-1111-111111111111';

interface Opening {
  readonly installation?: string;
  readonly pauseImage?: string | undefined;
  /** Stands between the runtime and the engine. */
  readonly between?: (docker: Docker) => Docker;
}

/** Each opening is a daemon that was started anew. */
export function onDocker(t: Test, { socket }: Pick<Dockerd, 'socket'>): (opening?: Opening) => Runtime {
  const dir = privateDirectory(t);
  return (opening = {}) => {
    const { installation = INSTALLATION, between = (docker) => docker } = opening;
    const docker = openDocker({ socket });
    return openDockerRuntime({
      docker: between(docker),
      installation,
      pauseImage: () => ('pauseImage' in opening ? opening.pauseImage : PAUSE),
      dir,
      log: openLog('test', 'silent'),
    });
  };
}
