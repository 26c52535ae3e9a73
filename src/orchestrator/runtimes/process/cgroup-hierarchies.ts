// Which cgroup hierarchies are mounted, and which file of which takes a limit: v1, v2 and both side by side.
import { access, constants, readFile } from 'node:fs/promises';
import { cpuWeight, CPU_PERIOD_US } from '../resources.ts';

const CONTROLLERS = ['cpu', 'memory', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];

export interface Hierarchy {
  readonly mount: string;
  readonly version: 1 | 2;
  /** Those of ours that this hierarchy has; one without any still tells which processes belong together. */
  readonly controllers: readonly Controller[];
}

export interface Limits {
  readonly cpuShares?: number;
  readonly cpuQuotaUs?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
}

interface LimitWrite {
  readonly file: string;
  readonly value: string;
  /** For the warning where it cannot be written; without it the file need not be there. */
  readonly what?: string;
}

const isOurs = (name: string): name is Controller => (CONTROLLERS as readonly string[]).includes(name);

/** From /proc/mounts, and each v2 mount's cgroup.controllers. */
export function parseHierarchies(mounts: string, v2Controllers: (mount: string) => string): readonly Hierarchy[] {
  return mounts.split('\n').flatMap((line): readonly Hierarchy[] => {
    const [, mount = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup2') {
      return [{ mount, version: 2, controllers: v2Controllers(mount).split(/\s+/).filter(isOurs) }];
    }
    const words = options.split(',');
    const controllers = words.filter(isOurs);
    // systemd counts by its own hierarchy what belongs to the daemon's service and ends with it.
    return type === 'cgroup' && (controllers.length > 0 || words.includes('name=systemd'))
      ? [{ mount, version: 1, controllers }]
      : [];
  });
}

/** The hierarchies in which groups can be made; one that is mounted twice counts once. */
export async function findHierarchies(): Promise<readonly Hierarchy[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const paths = parseHierarchies(mounts, () => '').filter(({ version }) => version === 2);
  const texts = new Map(
    await Promise.all(
      paths.map(async ({ mount }) => {
        const text = await readFile(`${mount}/cgroup.controllers`, 'utf8').catch(() => '');
        return [mount, text] as const;
      }),
    ),
  );
  const seen = new Set<string>();
  const writable: Hierarchy[] = [];
  for (const hierarchy of parseHierarchies(mounts, (mount) => texts.get(mount) ?? '')) {
    const key = `${hierarchy.version} ${hierarchy.controllers.join()}`;
    if (seen.has(key)) continue;
    const may = await access(hierarchy.mount, constants.W_OK).then(
      () => true,
      () => false,
    );
    if (may) writable.push(hierarchy);
    if (may) seen.add(key);
  }
  return writable;
}

/** What is written into a group of this hierarchy, in order. */
export function limitWrites({ version, controllers }: Hierarchy, limits: Limits): readonly LimitWrite[] {
  const { cpuShares, cpuQuotaUs, memoryBytes, pids } = limits;
  const writes: LimitWrite[] = [];
  const write = (file: string, value: number | string, what?: string): void => {
    writes.push({ file, value: String(value), ...(what === undefined ? {} : { what }) });
  };
  if (controllers.includes('cpu') && cpuShares !== undefined) {
    if (version === 1) write('cpu.shares', cpuShares, 'the CPU request');
    else write('cpu.weight', cpuWeight(cpuShares), 'the CPU request');
  }
  if (controllers.includes('cpu') && cpuQuotaUs !== undefined) {
    if (version === 1) write('cpu.cfs_period_us', CPU_PERIOD_US, 'the CPU limit');
    if (version === 1) write('cpu.cfs_quota_us', cpuQuotaUs, 'the CPU limit');
    else write('cpu.max', `${cpuQuotaUs} ${CPU_PERIOD_US}`, 'the CPU limit');
  }
  if (controllers.includes('memory') && memoryBytes !== undefined) {
    write(version === 1 ? 'memory.limit_in_bytes' : 'memory.max', memoryBytes, 'the memory limit');
    // No swap beyond the limit. Kernels without swap accounting lack the file.
    if (version === 1) write('memory.memsw.limit_in_bytes', memoryBytes);
    else write('memory.swap.max', 0);
    // All of the container or nothing, as the kubelet has it since 1.28.
    if (version === 2) write('memory.oom.group', 1);
  }
  if (controllers.includes('pids') && pids !== undefined) write('pids.max', pids, 'the limit of processes');
  return writes;
}

/** Limits that no hierarchy here can take, in words. */
export function unenforceable(hierarchies: readonly Hierarchy[], limits: Limits): readonly string[] {
  const lacks = (controller: Controller): boolean => !hierarchies.some((one) => one.controllers.includes(controller));
  return [
    ...(limits.cpuQuotaUs !== undefined && lacks('cpu') ? ['the CPU limit'] : []),
    ...(limits.memoryBytes !== undefined && lacks('memory') ? ['the memory limit'] : []),
  ].map((what) => `${what} is not enforced: no cgroup controller for it is writable here`);
}
