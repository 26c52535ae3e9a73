// The list of containers, and what one may be called.
import t from 'tap';
import { ProbesConfig } from '../../../src/probes/config.ts';
import { containers } from '../../../src/probes/container/collector.ts';
import { ContainerListing, matchContainers, type ListedContainer } from '../../../src/probes/container/listing.ts';
import { containersOf, findContainer } from '../../../src/probes/container/routes.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { containerId, emptyTree, writeTree } from './written-containers.ts';

const POD = '3f0c6d6e-1d55-4c1c-9d0a-7c3e5f2b8a10';

const listed = (more: Partial<ListedContainer>): ListedContainer => ({
  id: null,
  name: '',
  image: null,
  container: null,
  pod: null,
  namespace: null,
  podUid: null,
  runtime: 'docker',
  cgroup: '/x',
  startTime: null,
  pid: null,
  processes: null,
  ...more,
});

t.test('what is known of the containers is listed, and slices and pods are none', async (t) => {
  const root = emptyTree(t);
  const [a, b] = [containerId('a'), containerId('b')];
  writeTree(root, {
    groups: {
      '/system.slice': {},
      [`/docker/${a}`]: { pids: [7, 8] },
      [`/kubepods/pod${POD}/${b}`]: {},
    },
    processes: { 7: { start: 200 }, 8: { start: 300 } },
  });
  const collecting = containers.open({ host: new HostFiles(root), config: ProbesConfig.parse({}), saved: undefined });
  t.same(collecting.details?.(), { items: [] });
  const out = openFamilyWriter(containers.metrics);
  out.begin(Infinity);
  await collecting.collect(out);
  const { items } = ContainerListing.parse(JSON.parse(JSON.stringify(collecting.details?.())));
  t.match(
    items.find(({ id }) => id === a),
    {
      cgroup: `/docker/${a}`,
      runtime: 'docker',
      name: a.slice(0, 12),
      pid: 7,
      processes: 2,
      startTime: 1700000002,
      image: null,
    },
  );
  t.ok(items.every(({ cgroup }) => cgroup !== '/system.slice'));
});

const ITEMS = [
  listed({ id: containerId('a1'), name: 'web', cgroup: `/docker/${containerId('a1')}` }),
  listed({ id: containerId('a2'), name: 'db', cgroup: `/docker/${containerId('a2')}` }),
  listed({ id: containerId('b'), name: 'k8s_app', container: 'app', pod: 'shop-0', namespace: 'eu', cgroup: '/k/b' }),
  listed({ id: containerId('c'), name: 'k8s_POD', container: 'POD', pod: 'shop-0', namespace: 'eu', cgroup: '/k/c' }),
  listed({ id: containerId('d'), name: 'k8s_app_1', container: 'app', pod: 'shop-1', namespace: 'eu', cgroup: '/k/d' }),
  listed({ name: 'a1a1', runtime: 'lxc', cgroup: '/lxc/a1a1' }),
];

for (const [wanted, names] of [
  [containerId('a1'), ['web']],
  [`/docker/${containerId('a2')}`, ['db']],
  ['/lxc/a1a1', ['a1a1']],
  ['web', ['web']],
  ['a2a2', ['db']],
  ['a1a1', ['a1a1']],
  ['a1a1a', ['web']],
  ['a', []],
  ['eu/shop-0/app', ['k8s_app']],
  ['eu/shop-0/POD', ['k8s_POD']],
  ['eu/shop-0', ['k8s_app']],
  ['shop-1', ['k8s_app_1']],
  ['app', ['k8s_app', 'k8s_app_1']],
  ['null/null/null', []],
  ['null/null', []],
  ['', []],
] as const) {
  t.test(`${JSON.stringify(wanted)} is ${names.join(' or ') || 'none'}`, async (t) => {
    t.same(
      matchContainers(ITEMS, wanted).map(({ name }) => name),
      names,
    );
  });
}

t.test('one of several has to be chosen, and one that is not there is said', async (t) => {
  t.equal(findContainer(ITEMS, 'db').cgroup, `/docker/${containerId('a2')}`);
  t.throws(() => findContainer(ITEMS, 'app'), {
    code: 'JD_CONTAINER_AMBIGUOUS',
    status: 409,
    message: /k8s_app_1 \(d{12}\)/,
  });
  t.throws(() => findContainer(ITEMS, 'ghost'), { code: 'JD_CONTAINER_UNKNOWN', status: 404 });
  const nothing = { details: () => undefined, collectors: () => [] };
  t.throws(() => containersOf(nothing), { code: 'JD_NOT_SEEN_YET', status: 503 });
});
