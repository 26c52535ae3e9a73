// What is asked of a process and what is not, on written hosts: bounds, file systems that may hang, quarantine, faults.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { SILENT, type Announced } from '../../../src/probes/announcements.ts';
import { openFdsInspection, FdsRequest } from '../../../src/probes/fds/inspect.ts';
import { parseMountIds } from '../../../src/probes/fds/mounts.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { statText } from '../process/written-host.ts';

const MOUNTINFO = `29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 29 0:53 / /mnt/a\\040b rw - nfs4 server:/x rw
41 29 0:54 / /srv rw - fuse.sshfs host: rw
42 29 0:55 / /var rw - overlay overlay rw
`;

interface WrittenFd {
  readonly link: string;
  readonly info?: string;
}

/** A host with one process, 7, in the cgroup /docker/x with 8, which has ended. */
function written(t: Test, fds: readonly (string | WrittenFd)[], files: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'jdos-fds-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string | Buffer): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('proc/7/stat', statText({ pid: 7, start: 100, comm: 'web' }));
  write('proc/7/limits', 'Limit  Soft\nMax open files            1024  4096  files\n');
  write('proc/7/mountinfo', MOUNTINFO);
  write('proc/1/mountinfo', '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n');
  write('sys/fs/cgroup/docker/x/cgroup.procs', '7\n8\n');
  mkdirSync(join(root, 'proc/7/fd'), { recursive: true });
  for (const [fd, one] of fds.entries()) {
    const { link, info = 'flags:\t0100000\nmnt_id:\t29\n' } = typeof one === 'string' ? { link: one } : one;
    symlinkSync(link, join(root, `proc/7/fd/${fd}`));
    write(`proc/7/fdinfo/${fd}`, info);
  }
  for (const [path, text] of Object.entries(files)) write(path, text);
  return root;
}

/** Notes what it is asked; files that are gone have 1000 bytes, and inode and links as `files` says. */
class Witness extends HostFiles {
  readonly asked: string[] = [];
  links = 0;
  override status(path: string) {
    this.asked.push(path);
    return {
      device: 1,
      inode: Number(path.slice(path.lastIndexOf('/') + 1)),
      links: this.links,
      bytes: 1000,
      diskBytes: 4096,
    };
  }
}

function inspecting(root: string, options: { most?: number; quarantined?: readonly string[] } = {}) {
  const host = new Witness(root, undefined, options.quarantined ?? []);
  const inspect = openFdsInspection({
    hostRoot: root,
    deadlineSeconds: 10,
    announcements: SILENT,
    quarantine: [],
    openHost: () => host,
    ...(options.most === undefined ? {} : { most: options.most }),
  });
  const ask = (request: FdsRequest = { pid: 7 }) => inspect(request, new AbortController().signal);
  return { ask, host };
}

const on = (mount: number): string => `flags:\t0100000\nmnt_id:\t${mount}\n`;

t.test('the size of a deleted file is asked where that cannot hang, and only there', async (t) => {
  const root = written(t, [
    { link: '/old.log (deleted)', info: on(29) },
    { link: '/var/lib/x (deleted)', info: on(42) },
    { link: '/mnt/a b/x (deleted)', info: on(40) },
    { link: '/srv/x (deleted)', info: on(41) },
    { link: '/elsewhere (deleted)', info: on(999) },
    { link: '/older (deleted)', info: 'flags:\t0\n' },
    { link: '/mnt/a b/there', info: on(40) },
    { link: '/dir (deleted)', info: 'flags:\t0200000\nmnt_id:\t40\n' },
    { link: '/dev/pts/3 (deleted)', info: on(40) },
  ]);
  const { ask, host } = inspecting(root);
  const { deleted, kinds, complete, inotifyWatches } = await ask();
  t.same(host.asked, ['/proc/7/fd/0', '/proc/7/fd/1']);
  t.match(deleted, { fds: 6, files: 2, bytes: 2000, diskBytes: 8192, unsized: 4 });
  t.same(
    deleted.items.map(({ path }) => path),
    ['/old.log', '/var/lib/x'],
  );
  t.ok(kinds.some(({ kind, count }) => kind === 'file' && count === 7));
  t.ok(complete);
  t.equal(inotifyWatches, 0);
});

t.test('a memfd is sized as memory; a file of that name on a file system that may hang is not touched', async (t) => {
  const root = written(t, [
    { link: '/memfd:x (deleted)', info: on(12) },
    { link: '/memfd:evil (deleted)', info: on(40) },
  ]);
  const { ask, host } = inspecting(root);
  const { memfd, deleted, kinds } = await ask();
  t.same(host.asked, ['/proc/7/fd/0']);
  t.match(memfd, { fds: 1, bytes: 1000, items: [{ path: 'memfd:x' }] });
  t.match(deleted, { fds: 1, unsized: 1 });
  t.same(kinds, [
    { kind: 'memfd', count: 1 },
    { kind: 'file', count: 1 },
  ]);
});

t.test('a name that is left, or that ends in (deleted), is no deleted file', async (t) => {
  const { ask, host } = inspecting(written(t, ['/report (deleted)', '/report (deleted)']));
  host.links = 1;
  const { deleted, targets } = await ask();
  t.equal(deleted.fds, 0);
  t.same(targets, [{ path: '/report (deleted)', kind: 'file', count: 2 }]);
});

t.test('a file system that hung is left alone, and the answer says so', async (t) => {
  const target = 'deleted files on / (254:0)';
  const { ask, host } = inspecting(written(t, ['/a (deleted)', 'pipe:[1]', '/b (deleted)']), { quarantined: [target] });
  const { deleted, complete, leftOut, counted } = await ask();
  t.same(host.asked, []);
  t.match(deleted, { fds: 2, unsized: 2, files: 0 });
  t.notOk(complete);
  t.same(leftOut, [`the size of ${target}: asking for it hung`]);
  t.equal(counted, 3, 'the rest is counted');
});

t.test('what may hang is announced as one that is quarantined by its file system', async (t) => {
  const announced: Announced[] = [];
  const root = written(t, [
    '/a (deleted)',
    { link: 'anon_inode:inotify', info: 'inotify wd:1 ino:1\ninotify wd:2 ino:2\n' },
    '/not/deleted',
  ]);
  const announcements = { begin: (one: Announced) => void announced.push(one), end: () => undefined };
  const inspect = openFdsInspection({ hostRoot: root, deadlineSeconds: 2, announcements, quarantine: [] });
  const { inotifyWatches } = await inspect({ pid: 7 }, new AbortController().signal);
  t.equal(inotifyWatches, 2);
  t.same(announced, [
    { collector: 'fds', target: 'deleted files on / (254:0)' },
    { collector: 'fds', target: 'pid 7 fd 1 watches' },
  ]);
});

t.test('beyond so many descriptors none is looked at', async (t) => {
  const { ask } = inspecting(
    written(
      t,
      Array.from({ length: 50 }, (_, n) => `pipe:[${n}]`),
    ),
    { most: 20 },
  );
  const { counted, complete, leftOut, total } = await ask();
  t.equal(counted, 20);
  t.equal(total, null, 'this kernel does not say how many there are');
  t.notOk(complete);
  t.same(leftOut, ['all beyond the first 20 descriptors']);
});

t.test('sockets are told apart by the tables of their network; without tables that is left out', async (t) => {
  const fds = ['socket:[5]', 'socket:[5]', 'socket:[6]', 'socket:[7]'];
  const unix = 'Num RefCount Protocol Flags Type St Inode Path\n0: 2 0 00010000 0001 01 5 /run/x\n0: 2 0 0 0001 03 6\n';
  const with_ = await inspecting(written(t, fds, { 'proc/7/net/unix': unix })).ask();
  t.same(with_.sockets, [
    { protocol: 'unix', state: 'LISTEN', count: 2 },
    { protocol: 'unix', state: 'CONNECTED', count: 1 },
    { protocol: 'unlisted', state: null, count: 1 },
  ]);
  t.same(with_.listening, [{ protocol: 'unix', address: '/run/x', count: 2 }]);
  const without = await inspecting(written(t, fds)).ask();
  t.same(without.sockets, [], 'unknown is not unlisted');
  t.same(without.leftOut, ['protocols and states of sockets: their tables cannot be read']);
});

t.test('a container is all that is in its control group and has not ended', async (t) => {
  const { ask } = inspecting(written(t, ['pipe:[1]', '/x']));
  const { processes, counted } = await ask({ cgroup: '/docker/x' });
  t.same(processes, [{ pid: 7, comm: 'web', fds: 2, fdLimit: 1024 }]);
  t.equal(counted, 2);
  await t.rejects(ask({ cgroup: '/docker/y' }), { code: 'JD_FDS_NO_CGROUP', status: 404 });
});

t.test('only paths within the hierarchy are taken', async (t) => {
  for (const cgroup of ['docker/x', '/..', '/a/../../etc', '', '/a\0b'])
    t.notOk(FdsRequest.safeParse({ cgroup }).success);
  for (const pid of [0, -1, 1.5, '7', 2 ** 40]) t.notOk(FdsRequest.safeParse({ pid }).success);
  for (const cgroup of ['/', '/docker/a..b', '/a b']) t.ok(FdsRequest.safeParse({ cgroup }).success, cgroup);
});

t.test('what is there no more, and what has no files, is said', async (t) => {
  const { ask } = inspecting(written(t, [], { 'proc/9/stat': `9 (gone) Z ${'1 '.repeat(40)}\n` }));
  await t.rejects(ask({ pid: 8 }), { code: 'JD_FDS_NO_PROCESS', status: 404, message: /no process 8/ });
  await t.rejects(ask({ pid: 9 }), { code: 'JD_FDS_NO_PROCESS', message: /zombie/ });
});

t.test('one question is answered at a time', async (t) => {
  const { ask } = inspecting(written(t, ['pipe:[1]']));
  const first = ask();
  await t.rejects(ask(), { code: 'JD_FDS_BUSY', status: 429 });
  t.equal((await first).counted, 1);
  t.equal((await ask()).counted, 1, 'and the next one after it');
});

t.test(`mutilated mounts are skipped (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  t.same(parseMountIds(MOUNTINFO).get(40), { mountpoint: '/mnt/a b', device: '0:53', fstype: 'nfs4' });
  for (let round = 0; round < 2000; round += 1) {
    for (const [id, { mountpoint }] of parseMountIds(mutate(Buffer.from(MOUNTINFO), next).toString()))
      if (!(id >= 0) || !mountpoint.startsWith('/')) {
        t.fail(`${id} ${mountpoint}`);
        return;
      }
  }
  t.pass('2000 texts');
});
