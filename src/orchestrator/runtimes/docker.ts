// The docker runtime: a pause container for each pod and its containers in the namespaces of that, all named so that a call
// that is made again after a crash finds what the first one made.
import { rm } from 'node:fs/promises';
import { Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import type { ContainerDetails, Docker } from '../../drivers/docker/index.ts';
import { created, type Made } from './docker/create.ts';
import { dockerHealth } from './docker/health.ts';
import { type Images, openImages } from './docker/images.ts';
import { keepInspections } from './docker/inspections.ts';
import { containerName, installationLabel, ours, POD_UID, sandboxName } from './docker/names.ts';
import { hasBegun, isSandbox, observedContainer, observedSandbox } from './docker/observe.ts';
import { openSandboxes } from './docker/sandboxes.ts';
import { containerSpec, unenforced } from './docker/specs.ts';
import { containerMounts, podVolumes } from './docker/volumes.ts';
import { isSafeName } from './process/layout.ts';
import { CONTAINER_RUNNING, CONTAINER_START_FAILED, PAUSE_IMAGE_MISSING, SANDBOX_MISSING } from './faults.ts';
import type { Runtime, StartRequest } from './runtime.ts';
import { openTurns } from './turns.ts';

interface DockerRuntimeOptions {
  readonly docker: Docker;
  /** Names this installation among all that use the engine. */
  readonly installation: string;
  /** The image that holds the namespaces of each pod, by the configuration as it is now. */
  readonly pauseImage: () => string | undefined;
  /** For volumes of pods. */
  readonly dir: string;
  readonly log: Logger;
}

const LIST_MS = 60_000;
/** Over everything that one start or removal asks of the engine. */
const CALL_MS = 115_000;

/** Opens nothing yet: a host without Docker pays for a look whether the socket is there. */
export function openDockerRuntime(options: DockerRuntimeOptions): Runtime {
  const { docker, installation, pauseImage, dir, log } = options;
  const label = installationLabel(installation);
  const turns = openTurns();
  const inspections = keepInspections();
  const images = openImages(docker);
  const sandboxes = openSandboxes(installation);
  const own = async (engine: Docker, id: string): Promise<ContainerDetails | undefined> => {
    const details = await engine.inspect(id);
    return details === undefined ? undefined : ours(details, installation);
  };

  return {
    name: 'docker',
    check: () => dockerHealth(docker, pauseImage()),
    async list() {
      const engine = docker.within(LIST_MS);
      const found = await inspections.of(engine, await engine.containers([label]), turns.isBusy);
      return {
        sandboxes: found.filter(isSandbox).map(observedSandbox),
        containers: found.filter((details) => !isSandbox(details)).map(observedContainer),
      };
    },
    watch: (onChange) =>
      docker.events([label], {
        event(container) {
          inspections.forget(container);
          onChange();
        },
        connected() {
          inspections.heard(true);
          log.info('docker answers, and its events are heard');
          onChange();
        },
        lost(why) {
          inspections.heard(false);
          log.warn({ why }, 'events of docker are not heard any more');
          onChange();
        },
      }),
    createSandbox: (pod, attempt) =>
      turns.take(sandboxName(pod, attempt), async () => {
        const engine = docker.within(CALL_MS);
        const before = await own(engine, sandboxName(pod, attempt));
        if (before?.State.Running === true) return { id: before.Id, warnings: [] };
        const image = await ensurePause(images, engine, pauseImage());
        if (before !== undefined) await engine.remove(before.Id);
        const { id, warnings } = await sandboxes.make(engine, pod, attempt, image);
        return { id, warnings: [...warnings, ...unenforced(pod)] };
      }),
    startContainer: (request) => {
      const name = containerName(request.pod, request.container.name, request.attempt);
      return turns.take(name, async () => {
        const engine = docker.within(CALL_MS);
        const before = await own(engine, name);
        if (before !== undefined && hasBegun(before.State)) return { id: before.Id, warnings: [] };
        const { id, warnings } =
          before === undefined
            ? await make(engine, request, name, { installation, dir, images })
            : { id: before.Id, warnings: [] };
        return start(engine, id, warnings);
      });
    },
    async stopContainer(id, graceSeconds) {
      // A start under way comes first; two stops may run side by side, and the shorter grace wins.
      await turns.settled((await own(docker, id))?.Name ?? '');
      const details = await own(docker, id);
      if (details?.State.Running === true) await docker.stop(id, graceSeconds);
    },
    async removeContainer(id) {
      const engine = docker.within(CALL_MS);
      const details = await own(engine, id);
      if (details === undefined) return;
      await turns.take(details.Name, async () => {
        if (!(await engine.remove(id))) throw new Fault(CONTAINER_RUNNING, `container ${id} is running`);
      });
    },
    async removeSandbox(id) {
      const engine = docker.within(CALL_MS);
      const details = await own(engine, id);
      if (details === undefined) return;
      const uid = details.Config.Labels[POD_UID] ?? '';
      if (details.State.Running) await engine.stop(id, 0);
      const rest = (await engine.containers([label, `${POD_UID}=${uid}`])).filter(({ Id }) => Id !== id);
      // Before the sandbox: a crash in between leaves something by which it is found again.
      if (rest.length === 0 && isSafeName(uid)) await rm(podVolumes(dir, uid), { recursive: true, force: true });
      await engine.remove(id);
      await engine.removeUnusedVolumes([label]);
    },
    async logFile(id) {
      const path = (await own(docker, id))?.LogPath;
      return path === undefined || path === '' ? undefined : { path, format: 'docker-json' };
    },
  };
}

async function ensurePause(images: Images, docker: Docker, image: string | undefined): Promise<string> {
  if (image === undefined)
    throw new Fault(PAUSE_IMAGE_MISSING, 'no pod can be started on docker: docker.pauseImage is not configured');
  await images.ensure(docker, image, 'IfNotPresent').catch((error: unknown) => {
    throw new Fault(PAUSE_IMAGE_MISSING, `the pause image ${image} is not there`, { cause: error });
  });
  return image;
}

/** Creates a container in its sandbox; what it needs is brought first, and whatever stands in the way is a Fault. */
async function make(
  engine: Docker,
  request: StartRequest,
  name: string,
  { installation, dir, images }: { readonly installation: string; readonly dir: string; readonly images: Images },
): Promise<Made> {
  const { pod, container, sandboxId } = request;
  const image = await images.ensure(engine, container.image ?? '', container.imagePullPolicy);
  const sandbox = await engine.inspect(sandboxId);
  if (sandbox?.State.Running !== true) throw new Fault(SANDBOX_MISSING, `there is no running sandbox ${sandboxId}`);
  const mounts = await containerMounts(pod, container, { dir, installation });
  const { spec, warnings } = containerSpec(request, { installation, sandbox, imageUser: image.user, mounts });
  const made = await created(engine, name, spec, installation);
  return { id: made.id, warnings: [...warnings, ...made.warnings] };
}

/** A command that cannot be run is an end, which Docker keeps; a sandbox that went away under it is not. */
async function start(engine: Docker, id: string, warnings: readonly string[]): Promise<Made> {
  const why = await engine.start(id);
  if (why === undefined) return { id, warnings };
  if (/non[- ]running container|No such container/i.test(why)) {
    await engine.remove(id);
    throw new Fault(SANDBOX_MISSING, `the sandbox ended while container ${id} was started: ${why}`);
  }
  const after = await engine.inspect(id);
  if (after !== undefined && hasBegun(after.State)) return { id, warnings };
  throw new Fault(CONTAINER_START_FAILED, `Docker cannot start container ${id}: ${why}`);
}
