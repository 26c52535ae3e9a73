// From a pod's resources to what the kernel is told: shares, weight, quota, memory and OOM score.
// Kubernetes' own arithmetic: kubelet helpers_linux.go; KEP-2570 and runc 1.3.2 for the new weight.
import { parseBytes, parseMillicores } from '../objects/quantity.ts';
import type { Container, Pod, PodStatus } from '../objects/pod.ts';
import { qosClass } from '../objects/qos.ts';

type QosClass = NonNullable<PodStatus['qosClass']>;

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
export const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;
/** Processes and threads that one container may have: enough for a large service, and no fork bomb takes the host. */
export const PIDS_LIMIT = 4096;

/** What one container asks for, in the kernel's units. Absent is unlimited. */
interface ContainerResources {
  readonly cpuShares: number;
  readonly cpuQuotaUs?: number;
  readonly memoryBytes?: number;
  readonly oomScoreAdj: number;
}

/** cgroup v1 cpu.shares. */
export const cpuShares = (millicores: number): number =>
  Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((millicores * 1024) / 1000)));

/** Microseconds of each {@link CPU_PERIOD_US}. */
export const cpuQuotaUs = (millicores: number): number =>
  Math.max(MIN_QUOTA_US, Math.floor((millicores * CPU_PERIOD_US) / 1000));

/** cgroup v2 cpu.weight as runc 1.3.2 and crun 1.23 write it: 1 core is 100. */
export function cpuWeight(shares: number): number {
  if (shares <= MIN_SHARES) return 1;
  if (shares >= MAX_SHARES) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

const read = (parse: (text: string) => number | undefined, text: string | undefined): number | undefined =>
  text === undefined ? undefined : parse(text);

const limit = ({ resources }: Container, name: string): string | undefined => resources?.limits?.[name];
/** A limit without a request is its own request (core/v1 defaults). */
const request = (container: Container, name: string): string | undefined =>
  container.resources?.requests?.[name] ?? limit(container, name);

/** What holds a pod's namespaces goes after everything that runs in them. */
export const PAUSE_OOM_SCORE = -998;
const GUARANTEED = -997;
const BEST_EFFORT = 1000;

/** The larger, the sooner the kernel kills it; a Burstable container by its share of the host's memory. */
export function oomScoreAdj(qos: QosClass, memoryRequest: number, hostBytes: number): number {
  if (qos === 'Guaranteed') return GUARANTEED;
  if (qos === 'BestEffort') return BEST_EFFORT;
  const score = 1000 - Math.floor((1000 * memoryRequest) / hostBytes);
  return Math.min(BEST_EFFORT - 1, Math.max(1000 + GUARANTEED, score));
}

/** What the kernel is told about one container of a pod on a host with so much memory. */
export function containerResources(pod: Pod, container: Container, hostBytes: number): ContainerResources {
  const cpu = read(parseMillicores, limit(container, 'cpu'));
  const memory = read(parseBytes, limit(container, 'memory'));
  const wanted = read(parseBytes, request(container, 'memory')) ?? 0;
  return {
    cpuShares: cpuShares(read(parseMillicores, request(container, 'cpu')) ?? 0),
    ...(cpu === undefined || cpu === 0 ? {} : { cpuQuotaUs: cpuQuotaUs(cpu) }),
    ...(memory === undefined || memory === 0 ? {} : { memoryBytes: memory }),
    oomScoreAdj: oomScoreAdj(qosClass(pod), wanted, hostBytes),
  };
}

/** The shares of the cgroup around a pod's containers: without them its weight among pods would be the default's. */
export const podShares = ({ spec }: Pod): number => {
  const millicores = (containers: readonly Container[] = []): readonly number[] =>
    containers.map((container) => read(parseMillicores, request(container, 'cpu')) ?? 0);
  const sum = millicores(spec.containers).reduce((total, one) => total + one, 0);
  return cpuShares(Math.max(sum, ...millicores(spec.initContainers)));
};
