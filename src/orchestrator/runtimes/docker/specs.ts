// What Docker is asked to make of a pod: the pause container that holds its namespaces, and its containers within them.
import { totalmem } from 'node:os';
import type { ContainerDetails, ContainerSpec, Mount } from '../../../drivers/docker/index.ts';
import type { Pod } from '../../objects/pod.ts';
import { expand } from '../expand.ts';
import { containerResources, cpuShares, CPU_PERIOD_US, PAUSE_OOM_SCORE, PIDS_LIMIT } from '../resources.ts';
import type { StartRequest } from '../runtime.ts';
import { containerLabels, sandboxLabels } from './names.ts';
import { heldMounts } from './volumes.ts';
import { rightsOf, userOf } from './security.ts';

/** What both have: no restarts but ours, no probes but ours, and logs that cannot fill the disk. */
const COMMON = {
  RestartPolicy: { Name: 'no' },
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
} as const;
const NO_HEALTHCHECK = { Test: ['NONE'] };
/** sethostname(2). */
const MAX_HOSTNAME = 63;

export function sandboxSpec(pod: Pod, attempt: number, image: string, installation: string): ContainerSpec {
  const { hostNetwork = false, hostIPC = false, hostPID = false, hostname, securityContext } = pod.spec;
  const sysctls = securityContext?.sysctls ?? [];
  const Hostname = (hostname ?? pod.metadata.name).slice(0, MAX_HOSTNAME).replace(/[.-]+$/, '');
  return {
    Image: image,
    Labels: sandboxLabels(pod, attempt, installation),
    Healthcheck: NO_HEALTHCHECK,
    ...(hostNetwork ? {} : { Hostname }),
    HostConfig: {
      ...COMMON,
      // Until pods have a network of their own: none, or the host's.
      NetworkMode: hostNetwork ? 'host' : 'none',
      IpcMode: hostIPC ? 'host' : 'shareable',
      ...(hostPID ? { PidMode: 'host' } : {}),
      CpuShares: cpuShares(0),
      OomScoreAdj: PAUSE_OOM_SCORE,
      ...(sysctls.length === 0 ? {} : { Sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])) }),
      Mounts: heldMounts(pod, installation),
    },
  };
}

interface Ground {
  readonly installation: string;
  readonly sandbox: ContainerDetails;
  readonly imageUser: string;
  readonly mounts: Mount[];
}

export function containerSpec(
  { pod, container, attempt, env }: StartRequest,
  { installation, sandbox, imageUser, mounts }: Ground,
): { readonly spec: ContainerSpec; readonly warnings: readonly string[] } {
  const { hostIPC = false, hostPID = false, shareProcessNamespace = false } = pod.spec;
  const pause = `container:${sandbox.Id}`;
  const given = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  const words = (list: readonly string[]): string[] => list.map((word) => expand(word, given));
  const { command = [], args = [], workingDir } = container;
  const { cpuQuotaUs, memoryBytes, oomScoreAdj, ...limits } = containerResources(pod, container, totalmem());
  const score = scoreOn(sandbox, oomScoreAdj);
  const spec: ContainerSpec = {
    Image: container.image ?? '',
    // A command takes the place of the image's command and its arguments, arguments alone the place of those.
    ...(command.length === 0 ? {} : { Entrypoint: words(command) }),
    ...(args.length === 0 ? {} : { Cmd: words(args) }),
    Env: env.map(({ name, value }) => `${name}=${value}`),
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    User: userOf(pod, container, imageUser),
    Tty: container.tty === true,
    OpenStdin: container.stdin === true,
    Labels: containerLabels(pod, { container: container.name, attempt, sandboxId: sandbox.Id }, installation),
    Healthcheck: NO_HEALTHCHECK,
    HostConfig: {
      ...COMMON,
      ...rightsOf(pod, container),
      NetworkMode: pause,
      IpcMode: hostIPC ? 'host' : pause,
      ...(hostPID ? { PidMode: 'host' } : shareProcessNamespace ? { PidMode: pause } : {}),
      CpuShares: limits.cpuShares,
      ...(cpuQuotaUs === undefined ? {} : { CpuPeriod: CPU_PERIOD_US, CpuQuota: cpuQuotaUs }),
      // No swap beyond the limit.
      ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
      PidsLimit: PIDS_LIMIT,
      OomScoreAdj: score,
      Mounts: mounts,
    },
  };
  return { spec, warnings: score === oomScoreAdj ? [] : [scoreRefused(oomScoreAdj)] };
}

/** A pause container without its score was made where the host refuses negative ones: nothing else could start with one. */
const scoreOn = ({ HostConfig }: ContainerDetails, wanted: number): number =>
  (HostConfig.OomScoreAdj ?? 0) < 0 ? wanted : Math.max(0, wanted);

export const scoreRefused = (score: number): string =>
  `the OOM score ${score} is 0 instead: Docker may not set negative ones here (it lacks CAP_SYS_RESOURCE)`;

/** What the pod asks for and does not get in this version: it runs all the same. */
export function unenforced({ spec }: Pod): readonly string[] {
  const ports = spec.hostNetwork === true ? [] : spec.containers.flatMap((container) => container.ports ?? []);
  if (ports.length === 0) return [];
  const names = ports.map(({ containerPort }) => containerPort).join(', ');
  return [
    `nobody reaches the ports ${names}: pods on docker have no network in this version, but for hostNetwork: true`,
  ];
}
