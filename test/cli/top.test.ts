// Moments as people type them, the tables of `jdos top`, the lines of `jdos history`, and the live screen.
import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import t from 'tap';
import { historyLines } from '../../src/cli/history.ts';
import type { Io } from '../../src/cli/io.ts';
import { openScreen } from '../../src/cli/screen.ts';
import { sparkline } from '../../src/cli/spark.ts';
import { momentLines, type Processes, processLines } from '../../src/cli/top-view.ts';
import { formatWhen, parseWhen } from '../../src/cli/when.ts';
import { golden } from '../support/golden.ts';

const local = (text: string): number => new Date(text).getTime();

t.test('a moment is a time of day, a time with its date, or how long ago', async (t) => {
  const now = local('2026-11-26T02:30:00');
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['now', now],
    ['02:00', local('2026-11-26T02:00:00')],
    ['2:00', local('2026-11-26T02:00:00')],
    ['02:30', now],
    ['03:12', local('2026-11-25T03:12:00')],
    ['03:12:09', local('2026-11-25T03:12:09')],
    ['2026-11-25 03:12', local('2026-11-25T03:12:00')],
    ['2026-11-25T03:12:00Z', Date.UTC(2026, 10, 25, 3, 12)],
    ['2026-11-25T03:12:00+08:00', Date.UTC(2026, 10, 24, 19, 12)],
    ['90s', now - 90_000],
    ['10m', now - 600_000],
    ['2h ago', now - 7_200_000],
    ['15d', now - 15 * 86_400_000],
    ['24:00', undefined],
    ['03:60', undefined],
    ['2026-13-45', undefined],
    ['teatime', undefined],
    ['', undefined],
    ['12', undefined],
    ['-2h', undefined],
  ];
  for (const [text, at] of cases) t.equal(parseWhen(text, now), at, text === '' ? 'nothing' : text);
  t.equal(formatWhen(local('2026-01-02T03:04:05')), '2026-01-02 03:04:05');
});

const process = (pid: number, more: Partial<Processes['items'][number]> = {}): Processes['items'][number] => ({
  pid,
  comm: `p${pid}`,
  state: 'S',
  startTime: local('2026-11-25T03:05:00') / 1000,
  cpuRatio: 0.5,
  rssBytes: 1024 * 1024,
  fds: 20,
  fdLimit: 1024,
  container: null,
  cmdline: null,
  ...more,
});
const io = (columns: number): Io => ({ out: () => undefined, err: () => undefined, colour: false, columns, env: {} });

t.test('the processes of a moment with the culprit are as in the golden files', async (t) => {
  const at = local('2026-11-25T03:12:04');
  const hour = at - 3_600_000;
  const items = [
    process(7, {
      cpuRatio: 3.2,
      cmdline: 'backup --all \u001b[31m',
      container: 'c'.repeat(64),
      fdsGrowthPerHour: 120.25,
    }),
    process(8, { cpuRatio: null, fds: null, fdLimit: null, fdsGrowthPerHour: null }),
    process(9, { fds: 2000, rssBytes: 5 * 1024 ** 3, fdsGrowthPerHour: -3 }),
  ];
  const culprit = { process: items[0] ?? process(7), value: 3.2, before: 0.1 };
  const text = (processes: Processes, by: 'cpu' | 'fds' | 'memory', columns = 100): string =>
    `${[...momentLines(processes, by, io(columns)), ...processLines(processes, by, columns)].join('\n')}\n\n`;
  const old = { ...process(7), startTime: hour / 1000 - 100 };
  await golden(
    t,
    'cli-top.txt',
    text({ at, items, culprit: { ...culprit, process: old }, earlierAt: hour }, 'cpu') +
      text({ at, items, culprit: { ...culprit, value: 3000, before: 0 }, earlierAt: hour }, 'fds') +
      text({ at, items, culprit: { ...culprit, value: 1024 ** 3, before: null }, earlierAt: null }, 'memory', 60) +
      text({ at, items: [], culprit: null }, 'cpu'),
  );
});

t.test('a line of points shows what moves, and gaps as gaps', async (t) => {
  t.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), '▁▂▃▄▅▆▇█');
  t.equal(sparkline([1, undefined, 1]), '▁ ▁', 'a gap is not 0');
  t.equal(sparkline([undefined, 5]), ' ▁');
  t.equal(sparkline([-1, 1]), '▁█');
  t.equal(sparkline([]), '');
});

t.test('`jdos history` reads values in their unit', async (t) => {
  const from = local('2026-11-25T03:00:00');
  const series = (metric: string, as: string, values: readonly number[]) => ({
    metric,
    labels: metric.startsWith('node_cpu') ? { mode: 'us\u001ber' } : {},
    as,
    points: values.map((v, i): [number, number, number, number, number] => [from + 2 * i * 60_000, v / 2, v * 2, v, v]),
  });
  const answer = {
    items: [
      series('node_cpu_seconds_total', 'rate', [0.5, 1.5, 1]),
      series('node_memory_MemAvailable_bytes', 'value', [2 ** 30, 2 ** 31, 2 ** 30]),
      series('node_disk_read_bytes_total', 'rate', [0, 2 ** 20, 12_345]),
      series('node_load1', 'value', [0.123456, 7, 1e6]),
    ],
    from,
    to: from + 6 * 60_000,
    stepSeconds: 60,
    next: 'x',
  };
  await golden(t, 'cli-history.txt', `${historyLines(answer).join('\n')}\n`);
  t.match(historyLines({ ...answer, items: [] }).at(-1), /^nothing is known of this time/);
});

/** A terminal that notes what is written. */
function terminal() {
  const said: string[] = [];
  const raw: boolean[] = [];
  const input = Object.assign(new EventEmitter(), {
    setRawMode: (on: boolean) => void raw.push(on),
    resume: () => input,
    pause: () => input,
  });
  const output = Object.assign(new EventEmitter(), {
    write: (text: string) => void said.push(text),
    rows: 3,
    columns: 80,
  });
  return { input: input as unknown as ReadStream, output: output as unknown as WriteStream, said, raw };
}

t.test('the screen is taken over, drawn in place, and left as it was', async (t) => {
  const { input, output, said, raw } = terminal();
  {
    using screen = openScreen(input, output);
    screen.draw(['one', 'two', 'three']);
    const key = screen.key(10_000);
    input.emit('data', Buffer.from('f'));
    t.equal(await key, 'f');
    t.equal(await screen.key(1), undefined, 'the time is up');
    const resized = screen.key(10_000);
    output.emit('resize');
    t.equal(await resized, undefined);
  }
  t.same(raw, [true, false]);
  t.match(said[0], '\u001b[?1049h');
  t.equal(said[1], '\u001b[Hone\u001b[K\r\ntwo\u001b[K\r\n\u001b[J', 'no more lines than fit');
  t.match(said.at(-1), '\u001b[?1049l');
  t.equal(input.listenerCount('data') + output.listenerCount('resize'), 0);
});
