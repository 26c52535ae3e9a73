// Problems that last: how each begins, and each of the ways in which it is known to be over.
import t from 'tap';
import { expire, isOn, type HostFacts, type Raised } from '../../../src/probes/kmsg/conditions.ts';
import { parseSuperblocks, readFacts } from '../../../src/probes/kmsg/facts.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { openKmsgSeries } from '../../../src/probes/kmsg/metrics.ts';
import { RULES } from '../../../src/probes/kmsg/rules/index.ts';
import { openTestLog } from './lines.ts';

const UNKNOWN: HostFacts = { filesystem: () => undefined, sleeps: () => undefined };
const { shapeOf } = openKmsgSeries(RULES);

/** The conditions after some lines, and what is left of them when the host says so, `after` milliseconds later. */
function lasting(lines: readonly string[], facts: Partial<HostFacts> = {}, after = 0): readonly string[] {
  const log = openTestLog();
  for (const line of lines) log.say(line);
  expire(log.state.conditions, shapeOf, { ...UNKNOWN, ...facts }, lines.length + after);
  const now = lines.length + after;
  const on = (raised: Raised): boolean => isOn(raised, shapeOf(raised) ?? { type: '', ttlSeconds: 0 }, now);
  return [...log.state.conditions.values()]
    .filter(on)
    .map(({ type, reason, subject }) => `${type} ${reason} ${subject}`);
}

const DAY_MS = 86_400_000;
const READ_ONLY = 'EXT4-fs (sda1): Remounting filesystem read-only';
const HUNG = 'INFO: task docker:8 blocked for more than 120 seconds.';

t.test('a file system is read-only until it is writable or gone', async (t) => {
  const raised = ['ReadonlyFilesystem FilesystemIsReadOnly sda1'];
  t.same(lasting([READ_ONLY]), raised);
  t.same(lasting([READ_ONLY], { filesystem: () => 'readonly' }), raised);
  t.same(lasting([READ_ONLY], { filesystem: () => 'writable' }), []);
  t.same(lasting([READ_ONLY], { filesystem: () => 'unmounted' }), []);
  t.same(lasting([READ_ONLY], {}, DAY_MS + 1), [], 'where the host does not say, for a day');
});

t.test('a task hangs until it does not', async (t) => {
  const raised = ['KernelTaskHung TaskHung 8', 'KernelDeadlock DockerHung 8'];
  t.same(lasting([HUNG], { sleeps: () => true }), raised);
  t.same(lasting([HUNG]), raised);
  t.same(lasting([HUNG], { sleeps: (pid) => pid !== '8' }), []);
  t.same(lasting([HUNG], { sleeps: () => true }, 3_700_000), []);
});

t.test('a line ends what another began, of the same subject only', async (t) => {
  const away = 'nfs: server nas not responding, still trying';
  t.same(lasting([away]), ['NFSServer NFSServerNotResponding nas']);
  t.same(lasting([away, 'nfs: server other OK']), ['NFSServer NFSServerNotResponding nas']);
  t.same(lasting([away, 'nfs: server nas OK']), []);
  t.same(lasting(['ixgbe 0:1 eth0: NIC Link is Down', 'ixgbe 0:1 eth0: NIC Link is Up 10 Gbps']), []);
  t.same(lasting(['XFS (sdb1): x  Shutting down filesystem.', 'XFS (sdb1): Mounting V5 Filesystem']), []);
});

t.test('what happens often is a problem when it is often, and no longer when it is not', async (t) => {
  const line = 'unregister_netdevice: waiting for eth0 to become free. Usage count = 1';
  t.same(lasting([line, line]), []);
  t.same(lasting([line, line, line]), ['FrequentUnregisterNetDevice UnregisterNetDevice ']);
  t.same(lasting([line, line, line], {}, 1_200_001), []);
});

t.test('what nothing tells of lasts for its time', async (t) => {
  const line = '{3}[Hardware Error]: event severity: fatal';
  t.same(lasting([line], {}, DAY_MS - 1), ['CperHardwareErrorFatal CperHardwareErrorFatal ']);
  t.same(lasting([line], {}, DAY_MS + 1), []);
});

t.test(
  'file systems are told apart by the numbers of their devices, and it is the whole of one that counts',
  async (t) => {
    const text = [
      '23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 ro,errors=remount-ro',
      '24 23 253:0 / /data ro,relatime - xfs /dev/mapper/vg-data rw,attr2',
      'no mount',
    ].join('\n');
    t.same(
      [...parseSuperblocks(text)],
      [
        ['8:1', { fstype: 'ext4', readonly: true }],
        ['253:0', { fstype: 'xfs', readonly: false }],
      ],
    );
  },
);

t.test('an ext4 that writes no more after an error is read-only, whichever way the kernel says so', async (t) => {
  const state = (options: string, errors?: string): string | undefined => {
    const root = t.testdir({
      proc: {
        '1': { mountinfo: `23 1 7:0 / /data rw,relatime - ext4 /dev/loop0 ${options}\n` },
        self: { ns: {} },
      },
      sys: {
        class: { block: { loop0: { dev: '7:0\n' } } },
        fs: { ext4: { loop0: errors === undefined ? {} : { errors_count: `${errors}\n` } } },
      },
    });
    return readFacts(new HostFiles(root)).filesystem('loop0');
  };
  for (const [what, is] of [
    ['before 6.12', state('ro,errors=remount-ro', '1')],
    ['recorded on 6.18', state('rw,emergency_ro', '1')],
    ['shut down', state('rw,shutdown', '0')],
  ] as const)
    t.equal(is, 'readonly', what);
  t.equal(state('rw', '1'), undefined, '6.12 to 6.14 do not say: that it had errors ends nothing');
  t.equal(state('rw', '0'), 'writable');
  t.equal(state('rw'), 'writable');
});
