// This host as a Kubernetes node: what it has, what it is, and whether pods can be started on it.
import { readFile } from 'node:fs/promises';
import { arch, availableParallelism, networkInterfaces, release, totalmem } from 'node:os';
import type { Health } from '../../base/component.ts';
import type { Condition } from '../objects/meta.ts';
import type { RuntimeName } from '../runtimes/runtime.ts';
import { settle, type Verdict } from './conditions.ts';
import { timeOf } from './times.ts';

export interface NodeIdentity {
  readonly nodeName: string;
  readonly version: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly osImage: string;
}

const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' };
const MAX_PODS = 110;

/** Reads what does not change while the daemon runs. */
export async function identify(nodeName: string, version: string): Promise<NodeIdentity> {
  const [machineId, bootId, os] = await Promise.all(
    ['/etc/machine-id', '/proc/sys/kernel/random/boot_id', '/etc/os-release'].map((file) =>
      readFile(file, 'utf8').catch(() => ''),
    ),
  );
  return {
    nodeName,
    version,
    machineId: (machineId ?? '').trim(),
    bootId: (bootId ?? '').trim(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(os ?? '')?.[1] ?? 'Linux',
  };
}

/** The first address that others may reach this host by; the loopback address where there is none. */
export function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

export const nodeObject = ({ nodeName }: NodeIdentity): object => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: nodeName,
    labels: {
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': GO_ARCH[arch()] ?? arch(),
    },
  },
  spec: {},
});

/** The status with all conditions; their times of transition stay where nothing changed. */
export function nodeStatus(
  identity: NodeIdentity,
  runtimes: ReadonlyMap<RuntimeName, Health>,
  before: readonly Condition[] | undefined,
  wall: number,
): object {
  const at = timeOf(wall);
  const resources = {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: String(MAX_PODS),
  };
  return {
    capacity: resources,
    allocatable: resources,
    conditions: settle(before, nodeVerdicts(runtimes), at).map((each) => ({ ...each, lastHeartbeatTime: at })),
    addresses: [
      { type: 'InternalIP', address: hostAddress() },
      { type: 'Hostname', address: identity.nodeName },
    ],
    nodeInfo: {
      machineID: identity.machineId,
      systemUUID: identity.machineId,
      bootID: identity.bootId,
      kernelVersion: release(),
      osImage: identity.osImage,
      containerRuntimeVersion: runtimeVersion(identity, runtimes),
      kubeletVersion: `v${identity.version}-jdos`,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: GO_ARCH[arch()] ?? arch(),
    },
  };
}

/** Of the first that starts pods; docker's own version stands in its summary. */
function runtimeVersion({ version }: NodeIdentity, runtimes: ReadonlyMap<RuntimeName, Health>): string {
  const [name, health] = [...runtimes].find(([, each]) => startsPods(each)) ?? [...runtimes][0] ?? [];
  const own = /^Docker (\S+)/.exec(health?.summary ?? '')?.[1] ?? version;
  return name === undefined ? '' : `${name}://${own}`;
}

const startsPods = ({ state }: Health): boolean => state === 'available' || state === 'limited';

/** Ready, and one condition for each runtime: `DockerAvailable`, `ProcessAvailable`. */
function nodeVerdicts(runtimes: ReadonlyMap<RuntimeName, Health>): readonly Verdict[] {
  const working = [...runtimes].filter(([, health]) => startsPods(health)).map(([name]) => name);
  const ready: Verdict =
    working.length > 0
      ? { type: 'Ready', status: 'True', reason: 'AgentReady', message: `pods are started by ${working.join(' and ')}` }
      : { type: 'Ready', status: 'False', reason: 'NoRuntime', message: 'no runtime can start pods on this host' };
  return [
    ready,
    ...[...runtimes].map(([name, health]): Verdict => {
      const message = [health.reason, health.remedy && `Try: ${health.remedy}`].filter(Boolean).join('. ');
      return {
        type: `${name.charAt(0).toUpperCase()}${name.slice(1)}Available`,
        status: startsPods(health) ? 'True' : 'False',
        reason: health.state.charAt(0).toUpperCase() + health.state.slice(1),
        message: message || `${name} starts pods`,
      };
    }),
  ];
}
