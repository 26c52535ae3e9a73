// Whether pods can be started on docker now, and if not, why, what that costs and what to do.
import type { Health } from '../../../base/component.ts';
import { explain, Fault } from '../../../base/fault.ts';
import type { Docker } from '../../../drivers/docker/index.ts';
import { PAUSE_IMAGE_MISSING } from '../faults.ts';

const COSTS = {
  missing: 'pods run as processes of the host; those with runtimeClassName: docker wait',
  failing: 'pods on docker stay as they are: none is started, stopped or concluded about',
} as const;
/** Codes of a host that has no Docker, or has it for others: nothing that would pass by itself. */
const LACKS: readonly string[] = ['JD_DOCKER_MISSING', 'JD_DOCKER_FORBIDDEN', 'JD_DOCKER_TOO_OLD'];

export async function dockerHealth(docker: Docker, pauseImage: string | undefined): Promise<Health> {
  try {
    const { Version } = await docker.version();
    const summary = `Docker ${Version}`;
    const lacks = { summary, costs: 'no pod can be started on docker', remedy: PAUSE_IMAGE_MISSING.remedy };
    if (pauseImage === undefined) return { state: 'limited', reason: 'docker.pauseImage is not configured', ...lacks };
    if ((await docker.image(pauseImage)) !== undefined) return { state: 'available', summary };
    return { state: 'limited', reason: `the pause image ${pauseImage} is not in Docker yet`, ...lacks };
  } catch (error) {
    const state = error instanceof Fault && LACKS.includes(error.code) ? 'missing' : 'failing';
    return {
      state,
      reason: explain(error),
      costs: COSTS[state],
      ...(error instanceof Fault ? { remedy: error.remedy } : {}),
    };
  }
}
