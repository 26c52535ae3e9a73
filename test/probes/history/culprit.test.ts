// Who did it, and what grows.
import t from 'tap';
import { type By, findCulprit } from '../../../src/probes/history/culprit.ts';
import { growthPerHour, HourlyMinima } from '../../../src/probes/history/growth.ts';

const HOUR = 3_600_000;
const AT = 100 * HOUR;
const process = (pid: number, cpuRatio: number | null, startTime = 0) => ({
  pid,
  startTime,
  cpuRatio,
  rssBytes: 0,
  fds: null,
});

t.test('the culprit is who took most more than an hour before, not who takes most', async (t) => {
  const earlier = { at: AT - HOUR, processes: [process(1, 2), process(2, 0.1), process(4, 0.3)] };
  const cases: readonly (readonly [
    string,
    ReturnType<typeof process>[],
    typeof earlier | undefined,
    object | undefined,
  ])[] = [
    ['nobody', [], earlier, undefined],
    [
      'the one that grew',
      [process(1, 2.1), process(2, 0.9)],
      earlier,
      { process: { pid: 2 }, value: 0.9, before: 0.1 },
    ],
    [
      'one that is new',
      [process(1, 2.1), process(3, 0.5, AT / 1000)],
      earlier,
      { process: { pid: 3 }, value: 0.5, before: 0 },
    ],
    [
      'one that was not among the listed',
      [process(3, 0.5), process(4, 0.6)],
      earlier,
      { process: { pid: 3 }, before: 0.1 },
    ],
    ['a pid that is used again', [process(2, 0.9, AT / 1000)], earlier, { process: { pid: 2 }, before: 0 }],
    ['the clock was set in between', [process(2, 0.9, 3)], earlier, { process: { pid: 2 }, before: 0.1 }],
    [
      'the largest, with nothing to compare',
      [process(1, 2), process(2, 3)],
      undefined,
      { process: { pid: 2 }, before: null },
    ],
    ['what is not known is not nothing', [process(1, null), process(2, 0.05)], undefined, { process: { pid: 2 } }],
    ['nobody uses any', [process(1, 0), process(2, null)], earlier, undefined],
    ['all use less: the one that did least so', [process(1, 1), process(2, 0.05)], earlier, { process: { pid: 2 } }],
  ];
  for (const [name, now, before, culprit] of cases) {
    const found = findCulprit(now, before, 'cpu' satisfies By);
    if (culprit === undefined) t.equal(found, undefined, name);
    else t.match(found, culprit, name);
  }
});

t.test('growth is the slope of the floor', async (t) => {
  const hours = (...values: readonly number[]): [number, number][] => values.map((value, i) => [i, value]);
  const cases: readonly (readonly [string, [number, number][], number | undefined])[] = [
    ['too little', hours(1, 2, 3), undefined],
    ['nothing', [], undefined],
    ['steady', hours(10, 20, 30, 40), 10],
    ['calm', hours(50, 50, 50, 50, 50), 0],
    ['shrinking', hours(50, 48, 46, 44), -2],
    ['one odd hour', hours(10, 20, 500, 40, 50, 60, 70), 10],
    ['begun anew: only what came after', hours(1000, 1100, 1200, 10, 20, 30, 40), 10],
    ['begun anew a moment ago', hours(1000, 1100, 1200, 1300, 10, 20, 30), undefined],
    [
      'hours without data',
      [
        [0, 0],
        [1, 10],
        [10, 100],
        [20, 200],
      ],
      10,
    ],
  ];
  for (const [name, minima, growth] of cases) t.equal(growthPerHour(minima), growth, name);
});

t.test('the hour under way does not count, nor does what is older than a day; names are bounded', async (t) => {
  const minima = new HourlyMinima(2);
  for (let minute = 0; minute < 5 * 60; minute += 1) {
    minima.note('a', minute * 60_000, 100 + Math.floor(minute / 60) * 7 + (minute % 60));
    minima.note('b', minute * 60_000, 1);
    minima.note('c', minute * 60_000, 1);
  }
  t.same(
    [...minima.growth(5 * HOUR - 1)],
    [
      ['a', 7],
      ['b', 0],
    ],
  );
  minima.note('a', 5 * HOUR, -1000);
  t.same(
    [...minima.growth(5 * HOUR + 1)],
    [
      ['a', 7],
      ['b', 0],
    ],
  );
  t.same([...minima.growth(40 * HOUR)], []);
});
