// What the kernel is told about CPU, memory and OOM scores: Kubernetes' own numbers (kubelet helpers_linux.go, KEP-2570).
import t from 'tap';
import type { Container, Pod } from '../../../src/orchestrator/objects/pod.ts';
import {
  containerResources,
  cpuQuotaUs,
  cpuShares,
  cpuWeight,
  oomScoreAdj,
  podShares,
} from '../../../src/orchestrator/runtimes/resources.ts';
import { scriptPod } from '../../contracts/runtime.ts';

const GI = 1024 ** 3;
const HOST = 16 * GI;

t.test('shares are 1024 for a core, and within what the kernel takes', async (t) => {
  for (const [milli, shares] of [
    [0, 2],
    [1, 2],
    [2, 2],
    [10, 10],
    [100, 102],
    [250, 256],
    [500, 512],
    [1000, 1024],
    [4000, 4096],
    [256_000, 262_144],
    [1_000_000, 262_144],
  ] as const)
    t.equal(cpuShares(milli), shares, `${milli}m`);
});

t.test('quota is a share of 100 ms, and at least 1 ms', async (t) => {
  for (const [milli, quota] of [
    [1, 1000],
    [9, 1000],
    [10, 1000],
    [11, 1100],
    [200, 20_000],
    [1000, 100_000],
    [1500, 150_000],
  ] as const)
    t.equal(cpuQuotaUs(milli), quota, `${milli}m`);
});

t.test('the weight of cgroup v2 is 100 for a core', async (t) => {
  for (const [shares, weight] of [
    [2, 1],
    [10, 4],
    [102, 17],
    [256, 35],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [4096, 303],
    [262_144, 10_000],
  ] as const)
    t.equal(cpuWeight(shares), weight, `${shares} shares`);
});

t.test('OOM scores: who asked for more memory is killed later', async (t) => {
  for (const [request, score] of [
    [0, 999],
    [64 * 1024 ** 2, 997],
    [128 * 1024 ** 2, 993],
    [GI, 938],
    [4 * GI, 750],
    [16 * GI, 3],
    [32 * GI, 3],
  ] as const)
    t.equal(oomScoreAdj('Burstable', request, HOST), score, `${request} bytes of 16 Gi`);
  t.equal(oomScoreAdj('Guaranteed', GI, HOST), -997);
  t.equal(oomScoreAdj('BestEffort', 0, HOST), 1000);
});

type Resources = NonNullable<Container['resources']>;

/** A pod whose containers have these resources. */
function podOf(containers: readonly Resources[], initContainers: readonly Resources[] = []): Pod {
  const named = (list: readonly Resources[], name: string): readonly Container[] =>
    list.map((resources, i) => ({ name: `${name}${i}`, resources }));
  const pod = scriptPod('');
  const inits = initContainers.length === 0 ? {} : { initContainers: named(initContainers, 'init') };
  return { ...pod, spec: { ...pod.spec, containers: named(containers, 'main'), ...inits } };
}

t.test('a container’s limits, with requests from limits where there are none', async (t) => {
  const resources = (given: Resources): ReturnType<typeof containerResources> => {
    const pod = podOf([given]);
    return containerResources(pod, pod.spec.containers[0] as Container, HOST);
  };
  t.same(resources({}), { cpuShares: 2, oomScoreAdj: 1000 });
  t.same(resources({ limits: { cpu: '200m', memory: '64Mi' } }), {
    cpuShares: 204,
    cpuQuotaUs: 20_000,
    memoryBytes: 64 * 1024 ** 2,
    oomScoreAdj: -997,
  });
  t.same(resources({ requests: { cpu: '0.1', memory: '1Gi' }, limits: { cpu: '2' } }), {
    cpuShares: 102,
    cpuQuotaUs: 200_000,
    oomScoreAdj: 938,
  });
  t.same(resources({ limits: { cpu: '0', memory: '0' } }).cpuQuotaUs, undefined, 'a limit of 0 is none');
});

t.test('a pod’s shares are the sum of its containers, or its largest init container where that is more', async (t) => {
  const cpu = (amount: string): Resources => ({ requests: { cpu: amount } });
  t.equal(podShares(podOf([{}])), 2);
  t.equal(podShares(podOf([cpu('100m'), cpu('150m')])), 256);
  t.equal(podShares(podOf([cpu('100m')], [cpu('50m'), cpu('1')])), 1024);
  t.equal(podShares(podOf([cpu('100m')], [cpu('50m')])), 102);
  t.equal(podShares(podOf([{ limits: { cpu: '1' } }])), 1024, 'a limit is its own request');
});
