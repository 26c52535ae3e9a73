// What a path of the cgroup tree says: the runtimes' own ways to name groups, and what is none of theirs.
import t from 'tap';
import { placeOf } from '../../../src/probes/container/place.ts';

const ID = '1f2e3d4c'.repeat(8);
const UID = '3f0c6d6e-1d55-4c1c-9d0a-7c3e5f2b8a10';
const SYSTEMD_UID = UID.replaceAll('-', '_');
const STATIC_UID = 'b1946ac92492d2347c6235b4d2611184';

/** Runtime, id, pod uid, name. */
const CONTAINERS: readonly (readonly [
  path: string,
  runtime: string,
  id: boolean,
  podUid?: string | undefined,
  name?: string,
])[] = [
  [`/docker/${ID}`, 'docker', true],
  [`/system.slice/docker-${ID}.scope`, 'docker', true],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`, 'docker', true],
  [`/ci/job/${ID}`, 'unknown', true],
  [`/kubepods/burstable/pod${UID}/${ID}`, 'unknown', true, UID],
  [`/kubepods/pod${UID}/${ID}`, 'unknown', true, UID],
  [`/kubepods/besteffort/pod${STATIC_UID}/${ID}`, 'unknown', true, STATIC_UID],
  [
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`,
    'containerd',
    true,
    UID,
  ],
  [`/kubepods.slice/kubepods-pod${SYSTEMD_UID}.slice/crio-${ID}.scope`, 'cri-o', true, UID],
  [`/kubepods/besteffort/pod${UID}/crio-${ID}`, 'cri-o', true, UID],
  [`/kubepods.slice/kubepods-pod${SYSTEMD_UID}.slice/docker-${ID}.scope`, 'docker', true, UID],
  [
    `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`,
    'containerd',
    true,
    UID,
  ],
  [`/system.slice/containerd.service/kubepods-burstable-pod${UID}.slice:cri-containerd:${ID}`, 'containerd', true, UID],
  [`/system.slice/nerdctl-${ID}.scope`, 'containerd', true],
  [`/machine.slice/libpod-${ID}.scope`, 'podman', true],
  [`/machine.slice/machine-libpod_pod_${ID}.slice/libpod-${ID}.scope`, 'podman', true],
  [`/libpod_parent/libpod-${ID}`, 'podman', true],
  [`/system.slice/web.service/libpod-payload-${ID}`, 'podman', true],
  [`/jdos/pod${UID}/main_0`, 'jdos', false, UID, 'main'],
  [`/jdos/pod${UID}/a-b_12`, 'jdos', false, UID, 'a-b'],
  ['/lxc/web', 'lxc', false, undefined, 'web'],
  ['/lxc.payload.web', 'lxc', false, undefined, 'web'],
  ['/machine.slice/machine-deb.scope', 'nspawn', false, undefined, 'deb'],
];
t.test('containers', async (t) => {
  for (const [path, runtime, hasId, podUid, name] of CONTAINERS) {
    t.same(
      placeOf(path),
      { kind: 'container', runtime, containerId: hasId ? ID : undefined, podUid, name },
      path.replaceAll(ID, 'ID'),
    );
  }
});

t.test('pods', async (t) => {
  for (const path of [
    `/kubepods/burstable/pod${UID}`,
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SYSTEMD_UID}.slice`,
  ]) {
    t.same(placeOf(path), { kind: 'pod', podUid: UID, ours: false }, path);
  }
  t.same(placeOf(`/jdos/pod${UID}`), { kind: 'pod', podUid: UID, ours: true });
});

t.test('slices that sum up others', async (t) => {
  for (const path of [
    '/system.slice',
    '/user.slice',
    '/docker',
    '/jdos',
    '/kubepods',
    '/kubepods/besteffort',
    '/kubepods.slice/kubepods-burstable.slice',
  ]) {
    t.same(placeOf(path), { kind: 'slice' }, path);
  }
});

t.test('what is not shown by itself', async (t) => {
  for (const path of [
    '/init.scope',
    '/system.slice/ssh.service',
    '/system.slice/docker.service',
    '/user.slice/user-1000.slice',
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/kubepods.slice/kubepods-pod${SYSTEMD_UID}.slice/crio-conmon-${ID}.scope`,
    '/machine.slice/machine-qemu\\x2d1\\x2dvm.scope',
    '/lxc.monitor.web',
    `/system.slice/${'x'.repeat(64)}.service`,
    '/jdos/podnouid/main_0',
    '/',
    '',
  ]) {
    t.equal(placeOf(path), undefined, path.replaceAll(ID, 'ID'));
  }
});
