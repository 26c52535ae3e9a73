// File systems: which mounts are shown, and what a broken one does to the others.
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { HostFiles, type FileSystemStats } from '../../../src/probes/host-files.ts';
import { filesystem } from '../../../src/probes/host/filesystem.ts';
import { golden } from '../../support/golden.ts';
import { collectOnce, config, RECORDED } from '../kernel/written.ts';

const STATS: FileSystemStats = { blockSize: 4096, blocks: 1000, free: 500, available: 400, files: 100, filesFree: 60 };

/** A host of which the mounts answer with made-up numbers, except the broken ones. */
class Host extends HostFiles {
  readonly asked: string[] = [];
  broken: readonly string[] = [];

  override statfs(mountpoint: string): FileSystemStats {
    this.asked.push(mountpoint);
    if (this.broken.includes(mountpoint)) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    return STATS;
  }
}

const mountinfo = (...lines: readonly string[]) => ({
  proc: { 1: { mountinfo: lines.map((line) => `${line}\n`).join('') } },
});
const ROOT = '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw';
const DATA = '40 27 8:1 / /export/data rw shared:1 - xfs /dev/sda1 rw';
const NFS = '41 27 0:50 / /mnt/nfs rw - nfs4 10.0.0.1:/x rw';

t.test('the recorded host shows its one disk', async (t) => {
  await golden(
    t,
    'exposition/node-filesystem-debian12-6.18.txt',
    (await collectOnce(filesystem, new Host(RECORDED))).text,
  );
});

t.test('a mount that fails says so, and the others keep their sizes', async (t) => {
  const host = new Host(t.testdir(mountinfo(ROOT, NFS, DATA)));
  host.broken = ['/mnt/nfs'];
  const { text } = await collectOnce(filesystem, host);
  t.match(text, 'node_filesystem_device_error{device="10.0.0.1:/x",fstype="nfs4",mountpoint="/mnt/nfs"} 1\n');
  t.notMatch(text, /node_filesystem_(size|free|avail|files).*nfs/);
  t.match(text, 'node_filesystem_avail_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 1638400\n');
  t.match(text, 'node_filesystem_size_bytes{device="/dev/sda1",fstype="xfs",mountpoint="/export/data"} 4096000\n');
});

t.test('a mount in quarantine is not touched', async (t) => {
  const announced: string[] = [];
  const announcer = { begin: (target: string) => announced.push(target), end() {} };
  const host = new Host(t.testdir(mountinfo(ROOT, NFS)), announcer, ['mount /mnt/nfs']);
  const { text } = await collectOnce(filesystem, host);
  t.same(host.asked, ['/']);
  t.same(announced, ['mount /'], 'what is read is announced first');
  t.match(text, 'node_filesystem_device_error{device="10.0.0.1:/x",fstype="nfs4",mountpoint="/mnt/nfs"} 1\n');
});

t.test('excluded types and trees are not even asked', async (t) => {
  const host = new Host(
    t.testdir(
      mountinfo(
        ROOT,
        '50 27 0:1 / /proc rw - proc proc rw',
        '51 27 0:2 / /var/lib/docker/overlay2/x/merged rw - ext4 /dev/vdb rw',
        '52 27 0:3 / /var/lib/dockerx rw - ext4 /dev/vdc rw',
        '53 27 0:4 / /secret rw - fuse.sshfs me@host:/ rw',
      ),
    ),
  );
  const settings = config({ filesystem: { excludeTypes: ['proc', 'fuse.sshfs'], excludeMounts: ['/var/lib/docker'] } });
  await collectOnce(filesystem, host, settings);
  t.same(host.asked, ['/', '/var/lib/dockerx']);
});

t.test('a read-only mount and a file system that became read-only are shown as such', async (t) => {
  const host = new Host(
    t.testdir(mountinfo(ROOT, '60 27 8:2 / /a ro - ext4 /dev/sdb rw', '61 27 8:3 / /b rw - ext4 /dev/sdc ro,errors=x')),
  );
  const { text } = await collectOnce(filesystem, host);
  t.match(text, /node_filesystem_readonly\{[^}]*mountpoint="\/"\} 0/);
  t.match(text, /node_filesystem_readonly\{[^}]*mountpoint="\/a"\} 1/);
  t.match(text, /node_filesystem_readonly\{[^}]*mountpoint="\/b"\} 1/);
});

t.test('a mount point covered twice is shown once, as what statfs sees', async (t) => {
  const host = new Host(
    t.testdir(mountinfo(ROOT, '70 27 0:9 / /auto rw - autofs systemd-1 rw', NFS.replace('/mnt/nfs', '/auto'))),
  );
  const { samples } = await collectOnce(filesystem, host);
  t.same(
    samples.filter(({ metric }) => metric.endsWith('size_bytes')).map(({ labels }) => labels['fstype']),
    ['ext4', 'nfs4'],
  );
});

t.test('where the first process hides its mounts, our own below the host root are taken', async (t) => {
  const root = t.testdir({ proc: { self: {} } });
  const own = [ROOT, `80 27 8:9 / ${root} rw - ext4 /dev/sdx rw`, `81 27 8:9 / ${root}/export rw - xfs /dev/sdy rw`];
  writeFileSync(`${root}/proc/self/mountinfo`, own.join('\n'));
  const host = new Host(root);
  await collectOnce(filesystem, host, config({ filesystem: { excludeMounts: [] } }));
  t.same(host.asked, ['/', '/export']);
});

t.test('this very host has a root file system', async (t) => {
  /** Other tests mount file systems that hang. */
  class RootOnly extends HostFiles {
    override statfs(mountpoint: string): FileSystemStats {
      if (mountpoint !== '/') throw new Error('not touched');
      return super.statfs(mountpoint);
    }
  }
  const { samples } = await collectOnce(filesystem, new RootOnly('/'), config({ filesystem: { excludeTypes: [] } }));
  const size = samples.find(({ metric, labels }) => metric.endsWith('size_bytes') && labels['mountpoint'] === '/');
  t.ok(size !== undefined && size.value > 0);
});
