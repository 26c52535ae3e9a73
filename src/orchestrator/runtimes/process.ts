// The process runtime: pods as plain processes of the host, which outlive the daemon. Needs no image and no Docker.
import { rm, unlink } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Health } from '../../base/component.ts';
import { Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import type { Pod } from '../objects/pod.ts';
import { CONTAINER_NAME_INVALID, CONTAINER_RUNNING, SANDBOX_MISSING } from './faults.ts';
import { type Cgroups, containerGroup, openCgroups, podGroup } from './process/cgroups.ts';
import {
  containerDirectory,
  type ContainerFile,
  containerId,
  isSafeName,
  makeOwnDirectory,
  podDirectory,
  sandboxFile,
  sandboxId,
  type SandboxFile,
  writeOwn,
} from './process/layout.ts';
import { readBootId } from './process/proc.ts';
import { type Entry, loadRegistry, type Registry } from './process/registry.ts';
import { runSpec, unenforced } from './process/run-spec.ts';
import { watchOver, type Watch } from './process/watch.ts';
import { containerResources, PIDS_LIMIT, podShares } from './resources.ts';
import type { ObservedContainer, ObservedSandbox, Runtime, StartRequest } from './runtime.ts';
import { openTurns } from './turns.ts';

interface ProcessRuntimeOptions {
  /** Its own directory; what it starts keeps its log and its state there. */
  readonly dir: string;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

interface Opened {
  readonly registry: Registry;
  readonly cgroups: Cgroups;
  readonly bootId: string;
  readonly watch: Watch;
}

/** Opens nothing yet: the first call reads the disk, and adopts what an earlier daemon left running. */
export function openProcessRuntime({ dir, log, now }: ProcessRuntimeOptions): Runtime {
  const listeners = new Set<() => void>();
  const changed = (): void => listeners.forEach((listener) => listener());
  let opening: Promise<Opened> | undefined;
  const open = (): Promise<Opened> =>
    (opening ??= (async () => {
      const [registry, cgroups, bootId] = await Promise.all([loadRegistry(dir), openCgroups(), readBootId()]);
      const watch = watchOver({ containers: registry.containers, cgroups, bootId, log, now, changed });
      return { registry, cgroups, bootId, watch };
    })().catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));
  /** One start or removal of a container or sandbox at a time. */
  const turns = openTurns();

  return {
    name: 'process',
    async check() {
      const { cgroups } = await open();
      return healthOf(cgroups);
    },
    async list() {
      const { registry, bootId, watch } = await open();
      await watch.refresh();
      return {
        sandboxes: [...registry.sandboxes].map(([id, file]) => observedSandbox(id, file, bootId)),
        containers: [...registry.containers.values()].map(observedContainer),
      };
    },
    watch(onChange) {
      const listener = (): void => onChange();
      listeners.add(listener);
      open().catch((err: unknown) => log.warn({ err }, 'process runtime not readable yet'));
      return {
        async [Symbol.asyncDispose]() {
          listeners.delete(listener);
        },
      };
    },
    async createSandbox(pod, attempt) {
      const { registry, cgroups, bootId } = await open();
      const podUid = safe(pod.metadata.uid);
      const id = sandboxId(podUid, attempt);
      return turns.take(id, async () => {
        const { warnings } = await makePodGroup(cgroups, pod);
        if (!registry.sandboxes.has(id)) {
          const { name: podName, namespace = 'default' } = pod.metadata;
          const file: SandboxFile = { podUid, namespace, podName, attempt, createdAt: now(), bootId };
          await makeOwnDirectory(podDirectory(dir, podUid));
          await writeOwn(sandboxFile(dir, podUid, attempt), file);
          registry.sandboxes.set(id, file);
          changed();
        }
        return { id, warnings };
      });
    },
    async startContainer(request) {
      const opened = await open();
      const { pod, container, attempt } = request;
      const id = containerId(safe(pod.metadata.uid), safe(container.name), attempt);
      return turns.take(id, async () => {
        const before = opened.registry.containers.get(id);
        if (before?.started !== undefined || before?.exit !== undefined) return { id, warnings: [] };
        const { entry, warnings } = await prepare(dir, request, opened, now());
        return { id, warnings: [...warnings, ...(await opened.watch.start(entry))] };
      });
    },
    async stopContainer(id, graceSeconds) {
      const { registry, watch } = await open();
      // A start under way comes first; two stops may run side by side, and the shorter grace wins.
      await turns.settled(id);
      const entry = registry.containers.get(id);
      if (entry !== undefined) await watch.stop(entry, graceSeconds);
    },
    async removeContainer(id) {
      const { registry, cgroups, watch } = await open();
      await turns.take(id, async () => {
        const entry = registry.containers.get(id);
        if (entry === undefined) return;
        await watch.refresh();
        if (entry.started !== undefined && entry.exit === undefined)
          throw new Fault(CONTAINER_RUNNING, `container ${id} is running`);
        await watch.sweep(entry);
        // Without it the rest is a leftover, wherever a crash cuts this short.
        await unlink(join(entry.directory, 'spec.json')).catch(() => undefined);
        await rm(entry.directory, { recursive: true, force: true });
        registry.containers.delete(id);
        await cgroups.remove(containerGroup(entry.spec));
        changed();
      });
    },
    async removeSandbox(id) {
      const { registry, cgroups } = await open();
      const sandbox = registry.sandboxes.get(id);
      if (sandbox === undefined) return;
      const { podUid, attempt } = sandbox;
      await rm(sandboxFile(dir, podUid, attempt), { force: true });
      registry.sandboxes.delete(id);
      const rest = [...registry.sandboxes.values(), ...[...registry.containers.values()].map(({ spec }) => spec)];
      if (!rest.some((one) => one.podUid === podUid)) {
        await rm(podDirectory(dir, podUid), { recursive: true, force: true });
        await cgroups.remove(podGroup(podUid));
      }
      changed();
    },
    async logFile(id) {
      const entry = (await open()).registry.containers.get(id);
      return entry === undefined ? undefined : { path: join(entry.directory, 'log'), format: 'raw' };
    },
  };
}

const safe = (name: string): string => {
  if (isSafeName(name)) return name;
  throw new Fault(CONTAINER_NAME_INVALID, `${JSON.stringify(name)} cannot name a pod's uid or container`);
};

const makePodGroup = (cgroups: Cgroups, pod: Pod): ReturnType<Cgroups['make']> =>
  cgroups.make(podGroup(pod.metadata.uid), { cpuShares: podShares(pod) });

/** Writes down what is to be started, and makes room for it in the cgroups. */
async function prepare(
  dir: string,
  request: StartRequest,
  { registry, cgroups }: Opened,
  createdAt: number,
): Promise<{ readonly entry: Entry; readonly warnings: readonly string[] }> {
  const { pod, container, attempt } = request;
  const { uid: podUid, name: podName, namespace = 'default' } = pod.metadata;
  if (!registry.sandboxes.has(request.sandboxId))
    throw new Fault(SANDBOX_MISSING, `there is no sandbox ${request.sandboxId}`);
  const { oomScoreAdj, ...limits } = containerResources(pod, container, totalmem());
  const run = await runSpec(request, oomScoreAdj);
  const about = { podUid, namespace, podName, name: container.name, attempt };
  const directory = containerDirectory(dir, about);
  await makePodGroup(cgroups, pod);
  const { procs, warnings } = await cgroups.make(containerGroup(about), { ...limits, pids: PIDS_LIMIT });
  const spec: ContainerFile = {
    ...about,
    sandboxId: request.sandboxId,
    image: container.image ?? '',
    createdAt,
    run: { ...run, cgroupProcs: [...procs] },
  };
  await makeOwnDirectory(directory);
  await writeOwn(join(directory, 'spec.json'), spec);
  const id = containerId(podUid, container.name, attempt);
  const entry: Entry = { id, directory, spec, isChild: false, wasAsked: false };
  registry.containers.set(id, entry);
  return { entry, warnings: [...warnings, ...unenforced(pod, container)] };
}

const observedSandbox = (id: string, file: SandboxFile, bootId: string): ObservedSandbox => {
  const { podUid, namespace, podName, attempt, createdAt } = file;
  // After a restart of the host, init containers have to run again.
  return { id, podUid, namespace, podName, attempt, createdAt, ready: file.bootId === bootId };
};

function observedContainer({ id, spec, started, exit }: Entry): ObservedContainer {
  const { sandboxId: sandbox, podUid, namespace, podName, name, attempt, image, createdAt } = spec;
  return {
    id,
    sandboxId: sandbox,
    podUid,
    namespace,
    podName,
    name,
    attempt,
    image,
    imageId: '',
    createdAt,
    state: exit !== undefined ? 'exited' : started !== undefined ? 'running' : 'created',
    ...(started === undefined ? {} : { startedAt: started.at }),
    ...(started === undefined || exit !== undefined ? {} : { pid: started.pid }),
    ...definedOf(exit),
  };
}

const definedOf = (exit: Entry['exit']): Partial<ObservedContainer> =>
  exit === undefined ? {} : (Object.fromEntries(Object.entries(exit)) as Partial<ObservedContainer>);

function healthOf({ hierarchies }: Cgroups): Health {
  const has = new Set(hierarchies.flatMap(({ controllers }) => controllers));
  const lacks = (['cpu', 'memory', 'pids'] as const).filter((name) => !has.has(name));
  if (lacks.length === 0) return { state: 'available', summary: 'limits by cgroup' };
  return {
    state: 'limited',
    reason: `no writable cgroup controller for ${lacks.join(', ')}`,
    costs: 'limits of pods are not enforced',
    remedy: 'run the daemon as root, with /sys/fs/cgroup mounted writable',
  };
}
