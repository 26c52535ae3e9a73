// mountinfo, well-formed and not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { belowRoot, decodeOctal, isShown, parseMountinfo } from '../../../src/probes/host/mounts.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { RECORDED } from '../kernel/written.ts';

t.test('a file system that writes no more after an error is read-only', async (t) => {
  for (const [options, readonly] of [
    ['rw', false],
    ['ro', true],
    ['rw,emergency_ro', true],
    ['rw,shutdown', true],
    ['rw,errors=remount-ro', false],
  ] as const)
    t.equal(
      parseMountinfo(`44 27 7:0 / /data rw,relatime - ext4 /dev/loop0 ${options}\n`)[0]?.readonly,
      readonly,
      options,
    );
});

t.test('the optional fields may be none or many', async (t) => {
  for (const optional of ['', 'shared:1 ', 'shared:1 master:2 propagate_from:3 unbindable ']) {
    t.same(parseMountinfo(`36 35 98:0 /root /mnt2 rw,noatime ${optional}- ext3 /dev/root rw,errors=continue\n`), [
      { mountpoint: '/mnt2', device: '/dev/root', fstype: 'ext3', readonly: false },
    ]);
  }
});

t.test('blanks, tabs, line feeds, # and backslashes in names are decoded', async (t) => {
  t.equal(decodeOctal('/a\\040b\\011c\\012d\\134e\\043f'), '/a b\tc\nd\\e#f');
  t.equal(decodeOctal('/a\\134040'), '/a\\040', 'once only');
  t.equal(decodeOctal('/a\\9\\04'), '/a\\9\\04', 'not octal');
  t.equal(decodeOctal('/数据'), '/数据');
  t.same(parseMountinfo('1 1 0:1 / /my\\040disk rw - fuse.x //srv/my\\040share rw\n')[0], {
    mountpoint: '/my disk',
    device: '//srv/my share',
    fstype: 'fuse.x',
    readonly: false,
  });
});

t.test('a mount without a source keeps its columns', async (t) => {
  t.same(parseMountinfo('1 1 0:1 / /t rw - tmpfs  ro,size=1k\n'), [
    { mountpoint: '/t', device: '', fstype: 'tmpfs', readonly: true },
  ]);
});

t.test('malformed lines are refused', async (t) => {
  for (const text of [
    'x\n',
    '1 1 0:1 / /t rw\n',
    '1 1 0:1 / - ext4 /dev/vda rw\n',
    '1 1 0:1 / t rw - ext4 a rw\n',
    '1 1 0:1 / /t rw - ext4\n',
  ]) {
    t.throws(() => parseMountinfo(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test('a tree is excluded with what is below it, and nothing beside it', async (t) => {
  const shown = (mountpoint: string, top: string): boolean =>
    isShown({ mountpoint, device: 'd', fstype: 'ext4', readonly: false }, { excludeTypes: [], excludeMounts: [top] });
  t.notOk(shown('/dev', '/dev'));
  t.notOk(shown('/dev/shm', '/dev'));
  t.notOk(shown('/dev/shm', '/dev/'));
  t.ok(shown('/device', '/dev'));
  t.ok(shown('/', '/dev'));
  t.notOk(shown('/any', '/'));
});

t.test('mounts outside the host root are not the host’s', async (t) => {
  const mount = (mountpoint: string) => ({ mountpoint, device: 'd', fstype: 'ext4', readonly: false });
  const own = [mount('/'), mount('/host'), mount('/host/data'), mount('/hostile')];
  t.same(
    belowRoot(own, '/host').map(({ mountpoint }) => mountpoint),
    ['/', '/data'],
  );
  t.equal(belowRoot(own, '/').length, 4);
});

t.test(`mutilated mountinfo is refused or gives mounts (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const original = readFileSync(join(RECORDED, 'proc/1/mountinfo'));
  let refused = 0;
  for (let round = 0; round < 2000; round += 1) {
    try {
      const mounts = parseMountinfo(mutate(original, next).toString());
      if (!mounts.every(({ mountpoint, fstype }) => mountpoint.startsWith('/') && fstype !== '')) {
        t.fail(JSON.stringify(mounts));
        return;
      }
    } catch (error) {
      refused += 1;
      if ((error as { code?: unknown }).code !== 'JD_UNEXPECTED_KERNEL_TEXT') throw error;
    }
  }
  t.ok(refused > 0, `${refused} of 2000 refused`);
});
