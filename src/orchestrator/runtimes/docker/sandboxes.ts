// Pause containers: created and started with their OOM score, or without it where the host refuses that.
import { Fault } from '../../../base/fault.ts';
import type { ContainerSpec, Docker } from '../../../drivers/docker/index.ts';
import type { Pod } from '../../objects/pod.ts';
import { CONTAINER_START_FAILED } from '../faults.ts';
import { created, type Made } from './create.ts';
import { sandboxName } from './names.ts';
import { sandboxSpec, scoreRefused } from './specs.ts';

interface Sandboxes {
  /** Resolves when it runs. */
  make(engine: Docker, pod: Pod, attempt: number, image: string): Promise<Made>;
}

/** In the words of runc: the second are those of versions before 1.2, which do not say what failed. */
const REFUSAL = /oom[ _]score|final child's PID from pipe/i;

export function openSandboxes(installation: string): Sandboxes {
  /** Whether a negative score was refused before: then each try would cost a start that fails. */
  let isRefused = false;
  return {
    async make(engine, pod, attempt, image) {
      const name = sandboxName(pod, attempt);
      const spec = sandboxSpec(pod, attempt, image, installation);
      const score = spec.HostConfig?.OomScoreAdj ?? 0;
      const plain = { ...spec, HostConfig: { ...spec.HostConfig, OomScoreAdj: 0 } };
      const first = await createAndStart(engine, name, isRefused ? plain : spec, installation);
      if (first.why === undefined)
        return { id: first.id, warnings: isRefused ? [...first.warnings, scoreRefused(score)] : first.warnings };
      await engine.remove(first.id);
      const second = await createAndStart(engine, name, plain, installation);
      if (second.why !== undefined) {
        await engine.remove(second.id);
        throw new Fault(CONTAINER_START_FAILED, `the pause container cannot be started: ${second.why}`);
      }
      isRefused = REFUSAL.test(first.why);
      return { id: second.id, warnings: [...second.warnings, scoreRefused(score)] };
    },
  };
}

async function createAndStart(
  engine: Docker,
  name: string,
  spec: ContainerSpec,
  installation: string,
): Promise<Made & { readonly why: string | undefined }> {
  const made = await created(engine, name, spec, installation);
  return { ...made, why: await engine.start(made.id) };
}
