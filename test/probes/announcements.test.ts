import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import t from 'tap';
import { announceTo, follow, overdue, watchAnnouncements } from '../../src/probes/announcements.ts';
import type { Announced, Reading } from '../../src/probes/announcements.ts';
import { mutate, random } from '../support/random.ts';
import { fakeClock } from './fake-clock.ts';

const readingAfter = (lines: readonly string[], now = 0): Reading =>
  lines.reduce<Reading>((reading, line) => follow(reading, line, now), []);

t.test('announcements nest, and an end takes back the innermost', async (t) => {
  const lines = ['+35000 ["fs",""]', '+2000 ["fs","/mnt"]'];
  t.same(readingAfter(lines, 5), [
    { collector: 'fs', target: '', deadline: 35005 },
    { collector: 'fs', target: '/mnt', deadline: 2005 },
  ]);
  t.same(readingAfter([...lines, '-']), [{ collector: 'fs', target: '', deadline: 35000 }]);
  t.same(readingAfter([...lines, '-', '-', '-']), [], 'one end too many changes nothing');
});

for (const line of [
  '',
  '+',
  '+x ["a","b"]',
  '+10 [1,2]',
  '+10 {"a":1}',
  '+10 ["a"',
  '+10',
  '+99999999999 ["a","b"]',
  'hello',
]) {
  t.same(readingAfter([line]), [], `${JSON.stringify(line)} is no announcement`);
}

t.test('the innermost read that is overdue is the one named', async (t) => {
  const reading = readingAfter(['+35000 ["fs",""]', '+2000 ["fs","/mnt"]']);
  t.equal(overdue(reading, 1999), undefined);
  t.match(overdue(reading, 2000), { target: '/mnt' });
  t.match(overdue(reading, 40_000), { target: '/mnt' });
  const slow = readingAfter(['+3000 ["fs",""]', '+9000 ["fs","/mnt"]']);
  t.match(overdue(slow, 4000), { target: '' }, 'the inner one still has time');
});

const watched = () => {
  const stream = new PassThrough();
  const clock = fakeClock();
  const hangs: Announced[] = [];
  const stop = watchAnnouncements(stream, { onHang: (collector, target) => hangs.push({ collector, target }), clock });
  return { stream, clock, hangs, stop };
};

t.test('a read that outlives its deadline is reported once', async (t) => {
  const { stream, clock, hangs } = watched();
  stream.write('+35000 ["fs",""]\n+2000 ["fs","/mnt/a\\nb"]\n');
  await clock.advance(1990);
  t.same(hangs, []);
  await clock.advance(200);
  t.match(hangs, [{ collector: 'fs', target: '/mnt/a\nb' }]);
  stream.write('+10 ["fs","/other"]\n');
  await clock.advance(100_000);
  t.equal(hangs.length, 1);
  t.equal(clock.timers, 0);
});

t.test('reads that end in time are not reported, and nothing keeps ticking between them', async (t) => {
  const { stream, clock, hangs } = watched();
  for (let i = 0; i < 10; i += 1) {
    stream.write('+2000 ["fs","/mnt"]\n');
    await clock.advance(1500);
    stream.write('-\n');
    await clock.advance(100);
  }
  t.equal(clock.timers, 0);
  t.same(hangs, []);
});

t.test('many short reads do not hide that the whole collection is overdue', async (t) => {
  const { stream, clock, hangs } = watched();
  stream.write('+3000 ["fs",""]\n');
  for (let i = 0; i < 40 && hangs.length === 0; i += 1) {
    stream.write('+2000 ["fs","/mnt"]\n');
    await clock.advance(50);
    stream.write('-\n');
    await clock.advance(50);
  }
  t.match(hangs, [{ collector: 'fs', target: '' }]);
});

t.test('an end that waits in the pipe when the deadline passes is heard before anyone is killed', async (t) => {
  const { stream, clock, hangs } = watched();
  stream.write('+2000 ["fs","/mnt"]\n');
  await clock.advance(2050);
  stream.write('-\n');
  await clock.advance(10_000);
  t.same(hangs, []);
});

t.test('what comes within a moment is read at once, and a hang is named in time all the same', async (t) => {
  const { stream, clock, hangs } = watched();
  let pauses = 0;
  stream.on('pause', () => (pauses += 1));
  for (let i = 0; i < 50; i += 1) {
    stream.write(`+35000 ["c${i}",""]\n`);
    stream.write('+2000 ["c","/mnt"]\n');
    if (i < 49) stream.write('-\n-\n');
    await clock.advance(1);
  }
  t.ok(pauses > 0 && pauses < 5, `read ${pauses} times in 50 ms`);
  await clock.advance(2200);
  t.match(hangs, [{ collector: 'c', target: '/mnt' }]);
});

t.test('lines may come in pieces of any size', async (t) => {
  const { stream, clock, hangs } = watched();
  for (const byte of Buffer.from('+100 ["fs","/数据"]\n')) stream.write(Buffer.of(byte));
  await clock.advance(300);
  t.match(hangs, [{ collector: 'fs', target: '/数据' }]);
});

t.test('the watch ends with the process', async (t) => {
  const { stream, clock, hangs } = watched();
  stream.write('+2000 ["fs","/mnt"]\n');
  await clock.advance(1);
  stream.end();
  await clock.advance(10_000);
  t.same(hangs, []);
  t.equal(clock.timers, 0);
  const other = watched();
  other.stream.write('+2000 ["fs","/mnt"]\n');
  await other.clock.advance(1);
  other.stop();
  await other.clock.advance(10_000);
  t.same([other.hangs, other.clock.timers], [[], 0], 'or when it is stopped');
});

t.test('garbage neither throws nor is kept', async (t) => {
  const next = random();
  const { stream, clock } = watched();
  const good = Buffer.from('+35000 ["fs",""]\n+2000 ["fs","/mnt"]\n-\n-\n');
  for (let i = 0; i < 500; i += 1) stream.write(mutate(good, next));
  stream.write(Buffer.alloc(1024 * 1024, 'x'));
  stream.write('\n' + '-\n'.repeat(5000));
  await clock.advance(100);
  stream.write('\n');
  await clock.advance(100);
  t.equal(clock.timers, 0, 'ends take back everything');
});

t.test('what a full pipe does not take is sent before the next line', async (t) => {
  const sent: string[] = [];
  let room = 10;
  const write = (_: number, bytes: Buffer): number => {
    if (room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
    const taken = Math.min(room, bytes.length);
    sent.push(bytes.subarray(0, taken).toString());
    room -= taken;
    return taken;
  };
  const announcements = announceTo(9, write);
  announcements.begin({ collector: 'fs', target: '/mnt' }, 2000);
  room = 1000;
  announcements.end();
  t.equal(sent.join(''), '+2000 ["fs","/mnt"]\n-\n');
});

t.test('a pipe that is closed or stays full is given up without a word to the collector', async (t) => {
  for (const code of ['EPIPE', 'EAGAIN']) {
    let calls = 0;
    const announcements = announceTo(9, () => {
      calls += 1;
      throw Object.assign(new Error(code), { code });
    });
    for (let i = 0; i < 10_000; i += 1) {
      announcements.begin({ collector: 'fs', target: '/mnt' }, 2000);
      announcements.end();
    }
    t.ok(calls < 10_000, `${code}: ${calls} writes`);
  }
});

t.test('a process that blocks in open(2) of a FIFO is named and killed', async (t) => {
  const fifo = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const script = `
    import { openSync } from 'node:fs';
    import { announceTo } from ${JSON.stringify(join(import.meta.dirname, '../../src/probes/announcements.ts'))};
    const announcements = announceTo(3);
    announcements.begin({ collector: 'fs', target: '' }, 60_000);
    announcements.begin({ collector: 'fs', target: '/harmless' }, 60_000);
    announcements.end();
    announcements.begin({ collector: 'fs', target: ${JSON.stringify(fifo)} }, 100);
    openSync(${JSON.stringify(fifo)}, 'r');
    announcements.end();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const hung = new Promise<Announced>((resolve) =>
    watchAnnouncements(child.stdio[3] as Readable, { onHang: (collector, target) => resolve({ collector, target }) }),
  );
  t.match(await hung, { collector: 'fs', target: fifo });
  child.kill('SIGKILL');
  const [, signal] = (await once(child, 'exit')) as [number | null, string];
  t.equal(signal, 'SIGKILL');
});
