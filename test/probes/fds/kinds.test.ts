// What a descriptor is by its link, and what fdinfo says: the texts of kernels old and new, and nonsense.
import { constants } from 'node:fs';
import t from 'tap';
import { classify, kindOfPath, parseFdInfo } from '../../../src/probes/fds/kinds.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const path = (path: string, more: { deleted?: boolean; memfd?: boolean } = {}) => ({
  kind: undefined,
  path,
  deleted: false,
  memfd: false,
  ...more,
});

for (const [link, target] of [
  ['socket:[3265431]', { kind: 'socket', inode: 3265431 }],
  ['pipe:[12]', { kind: 'pipe', inode: 12 }],
  ['net:[4026531840]', { kind: 'namespace', inode: 4026531840 }],
  ['pid_for_children:[4026531836]', { kind: 'namespace', inode: 4026531836 }],
  ['pidfd:[77]', { kind: 'pidfd', inode: 77 }],
  ['anon_inode:[eventfd]', { kind: 'eventfd' }],
  ['anon_inode:[eventpoll]', { kind: 'eventpoll' }],
  ['anon_inode:[timerfd]', { kind: 'timerfd' }],
  ['anon_inode:[signalfd]', { kind: 'signalfd' }],
  ['anon_inode:inotify', { kind: 'inotify' }],
  ['anon_inode:[io_uring]', { kind: 'io_uring' }],
  ['anon_inode:[perf_event]', { kind: 'perf_event' }],
  ['anon_inode:bpf-map', { kind: 'bpf-map' }],
  ['anon_inode:kvm-vcpu:31', { kind: 'kvm-vcpu' }],
  ['anon_inode:', { kind: 'other' }],
  ['anon_inode:[\u001b[31m]', { kind: 'other' }],
  [`anon_inode:[${'x'.repeat(100)}]`, { kind: 'other' }],
  ['/var/log/a.log', path('/var/log/a.log')],
  ['/var/log/a.log (deleted)', path('/var/log/a.log', { deleted: true })],
  ['/a (deleted) (deleted)', path('/a (deleted)', { deleted: true })],
  ['/memfd:scratch (deleted)', path('/memfd:scratch', { deleted: true, memfd: true })],
  ['/memfd:', path('/memfd:')],
  ['/dmabuf:', { kind: 'dmabuf' }],
  ['(unreachable)/data/x', path('(unreachable)/data/x')],
  ['socket:[12', { kind: 'other' }],
  ['socket:[12]x', { kind: 'other' }],
  ['', { kind: 'other' }],
  ['\n', { kind: 'other' }],
] as const) {
  t.test(`${JSON.stringify(link)} is ${target.kind ?? 'a path'}`, async (t) => t.same(classify(link), target));
}

t.test('a path is a file unless it was opened as a directory or lies in /dev', async (t) => {
  for (const [name, directory, kind] of [
    ['/var/lib/x', false, 'file'],
    ['/var/lib', true, 'directory'],
    ['/dev/null', false, 'device'],
    ['/dev/pts/3', false, 'device'],
    ['/dev/dri', true, 'directory'],
    ['/dev/shm/sem.x', false, 'file'],
    ['/device', false, 'file'],
  ] as const)
    t.equal(kindOfPath(name, { directory }), kind, name);
});

const INOTIFY = `pos:\t0
flags:\t02000
mnt_id:\t15
ino:\t1058
inotify wd:2 ino:5e sdev:800003 mask:fce ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:5e00000000000000
inotify wd:1 ino:5d sdev:800003 mask:fce ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:5d00000000000000
`;

t.test('fdinfo gives the mount, whether it is a directory, and the watches', async (t) => {
  t.same(parseFdInfo(INOTIFY), { directory: false, mountId: 15, watches: 2 });
  const directory = `pos:\t0\nflags:\t0${(constants.O_DIRECTORY | constants.O_NONBLOCK).toString(8)}\nmnt_id:\t29\n`;
  t.same(parseFdInfo(directory), { directory: true, mountId: 29, watches: 0 });
  t.same(parseFdInfo(''), { directory: false, mountId: undefined, watches: 0 });
  t.same(parseFdInfo('mnt_id:\tx\nflags:\t9\n'), { directory: false, mountId: undefined, watches: 0 });
});

t.test(`mutilated links and fdinfo give kinds and numbers (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const originals = ['anon_inode:[eventfd]', 'socket:[3265431]', '/memfd:scratch (deleted)', INOTIFY].map((text) =>
    Buffer.from(text),
  );
  for (let round = 0; round < 4000; round += 1) {
    const text = mutate(originals[round % originals.length] ?? Buffer.from(''), next).toString();
    const target = classify(text);
    if (target.kind !== undefined && !/^[\w.-]{1,40}$/.test(target.kind)) {
      t.fail(`kind ${target.kind}`);
      return;
    }
    const { mountId = 0, watches } = parseFdInfo(text);
    if (!Number.isInteger(mountId) || mountId < 0 || watches < 0) {
      t.fail(JSON.stringify(text));
      return;
    }
  }
  t.pass('4000 texts');
});
