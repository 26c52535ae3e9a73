// Block devices: which are shown, and their columns on kernels old and new.
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { isIgnoredDisk } from '../../../src/probes/kernel/disk-names.ts';
import { diskstats, parseDiskstats } from '../../../src/probes/kernel/diskstats.ts';
import { collectOnce, config } from './written.ts';

const all = (): boolean => true;

t.test('partitions and excluded prefixes are left out, disks are not', async (t) => {
  // node_exporter's default device-exclude, against which the literal scan is held.
  const reference = /^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;
  for (const device of [
    ...[
      'sda',
      'sda1',
      'sdz15',
      'hda3',
      'vda',
      'vda1',
      'xvda1',
      'xvda',
      'nvme0n1',
      'nvme0n1p1',
      'nvme12n3p45',
      'nvme0c0n1',
    ],
    ...[
      'ram0',
      'ram15',
      'loop0',
      'fd0',
      'sr0',
      'md0',
      'md127',
      'dm-0',
      'mmcblk0',
      'mmcblk0p1',
      'nbd0',
      'rbd1',
      'zram0',
    ],
    ...['ram', 'loop', 'sd1', 'd1', 'nvmep1', 'nvme0np1', 'nvmen1p1', 'nvme0n1p', 'loopback1x', '1', 'bcache0', 'sdA1'],
  ]) {
    t.equal(isIgnoredDisk(device, ['ram', 'loop', 'fd']), reference.test(device), device);
  }
});

t.test('partitions of disks after the 26th are partitions too', async (t) => {
  t.ok(isIgnoredDisk('sdaa1', []));
  t.notOk(isIgnoredDisk('sdaa', []));
});

t.test('the configuration decides which prefixes are excluded', async (t) => {
  t.notOk(isIgnoredDisk('loop0', []));
  t.ok(isIgnoredDisk('zram0', ['zram']));
  t.notOk(isIgnoredDisk('zram0x', ['zram']));
});

const withColumns = (count: number): string =>
  `   8  0 sda ${Array.from({ length: count }, (_, at) => at + 1).join(' ')}\n`;

t.test('11, 15, 17 and more columns are read', async (t) => {
  for (const count of [11, 15, 17, 20]) {
    const disk = parseDiskstats(withColumns(count), all).get('sda');
    t.equal(disk?.columns.length, count);
    t.equal(disk?.columns[count - 1], count);
  }
});

t.test('what an old kernel does not count is absent, not 0', async (t) => {
  const { text } = await collectOnce(diskstats, new HostFiles(t.testdir({ proc: { diskstats: withColumns(11) } })));
  t.match(text, 'node_disk_read_bytes_total{device="sda"} 1536\n', 'sectors are 512 bytes');
  t.match(text, 'node_disk_io_time_weighted_seconds_total{device="sda"} 0.011\n', 'milliseconds');
  t.notMatch(text, 'discard');
  t.notMatch(text, 'flush');
});

t.test('columns of a newer kernel are not written', async (t) => {
  const host = new HostFiles(t.testdir({ proc: { diskstats: withColumns(25) } }));
  t.equal((await collectOnce(diskstats, host)).samples.length, 17);
});

t.test('a partition of Linux before 2.6.25 has other columns and is left out', async (t) => {
  t.equal(parseDiskstats('   8  1 sda1 1 2 3 4\n', all).size, 0);
});

t.test('a host without block devices has no series and no failure', async (t) => {
  t.equal((await collectOnce(diskstats, new HostFiles(t.testdir({ proc: { diskstats: '' } })))).text, '');
});

t.test('excluded devices are not written', async (t) => {
  const host = new HostFiles(t.testdir({ proc: { diskstats: withColumns(17).replace('sda', 'zram0') } }));
  t.equal((await collectOnce(diskstats, host, config({ disk: { excludeDevices: ['zram'] } }))).text, '');
});

t.test('malformed lines are refused', async (t) => {
  for (const text of [
    'x\n',
    '8 0\n',
    '8 0 sda\n',
    '8 0 sda 1 2 3\n',
    withColumns(10),
    withColumns(17).replace('sda', 'sda sdb'),
    withColumns(17).replace(' 3 ', ' 3.5 '),
    withColumns(17).replace('   8', '  -8'),
  ]) {
    t.throws(() => parseDiskstats(text, all), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});
