// History in its files: what was written is found, also after an end without warning; old files go, damaged ones are set aside.
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HistoryConfig } from '../../../src/probes/history/config.ts';
import type { NamesQuery, SeriesQuery } from '../../../src/probes/history/messages.ts';
import { type Kept, planFiles } from '../../../src/probes/history/retention.ts';
import type { KeptFamily } from '../../../src/probes/history/series.ts';
import { type LocalHistory, type LocalHistoryOptions, openLocalHistory } from '../../../src/probes/history/store.ts';
import { privateDirectory } from '../../support/daemon.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 26, 3, 0, 0);
const FAMILIES: readonly KeptFamily[] = [
  {
    about: 'tests',
    metrics: [
      { metric: 'load', as: 'value' },
      { metric: 'bytes_total', as: 'rate' },
      { metric: 'namedprocess_namegroup_open_filedesc', as: 'value' },
    ],
  },
];

interface Opened {
  readonly history: LocalHistory;
  readonly troubles: string[];
  /** One collection. */
  play(at: number, lines: Readonly<Record<string, string>>): void;
  /** Processes of a moment, fds by pid. */
  processes(at: number, fds: Readonly<Record<number, number>>): void;
  points(metric: string, query?: Partial<SeriesQuery>): readonly (readonly number[])[];
  setNow(at: number): void;
}

function opened(
  t: Test,
  dir: string,
  options: Partial<LocalHistoryOptions> & { from?: number; close?: boolean } = {},
): Opened {
  const troubles: string[] = [];
  let now = options.from ?? START;
  const history = openLocalHistory({
    dir,
    config: HistoryConfig.parse({}),
    now: () => now,
    onTrouble: (message, cause) => void troubles.push(`${message}: ${cause}`),
    onGrowth: () => undefined,
    families: FAMILIES,
    ...options,
  });
  if (options.close !== false) t.teardown(() => history.close());
  return {
    history,
    troubles,
    setNow: (at) => void (now = at),
    play(at, lines) {
      now = at;
      const families = Object.entries(lines).map(([name, text]) => ({ name, text: Buffer.from(text) }));
      history.take([{ collector: 'c', periodSeconds: 15, at, uptime: at, families }], undefined);
    },
    processes(at, fds) {
      now = at;
      const processes = Object.entries(fds).map(([pid, n]) => ({
        pid: Number(pid),
        startTime: 1000,
        fds: n,
        cpuRatio: 0,
        rssBytes: 0,
      }));
      history.take([], { at, processes, rest: { dstate: [] } });
    },
    points(metric, query = {}) {
      const wanted = { metric, labels: {}, from: START, to: START + DAY, stepSeconds: 60, limit: 10, after: undefined };
      const { items } = history.series({ ...wanted, ...query }) as { items: { points: number[][] }[] };
      return items[0]?.points ?? [];
    },
  };
}

t.test('a minute is found as soon as it is over, and the minutes of an hour that is over as well', async (t) => {
  const { play, points, history } = opened(t, privateDirectory(t));
  for (let i = 0; i < 4; i += 1)
    play(START + i * 15_000, { load: `load ${i}\n`, bytes_total: `bytes_total ${i * 150}\n` });
  t.same(points('load'), [], 'not yet over');
  play(START + MINUTE, { load: 'load 7\n', bytes_total: 'bytes_total 600\n' });
  t.same(points('load'), [[START, 0, 3, 1.5, 3]]);
  t.same(points('bytes_total'), [[START, 10, 10, 10, 10]], 'three rates of four collections');
  play(START + 90 * MINUTE, { load: 'load 8\n' });
  play(START + 91 * MINUTE, { load: 'load 9\n' });
  t.same(points('load'), [
    [START, 0, 3, 1.5, 3],
    [START + MINUTE, 7, 7, 7, 7],
    [START + 90 * MINUTE, 8, 8, 8, 8],
  ]);
  t.same(points('load', { from: START + MINUTE, to: START + 2 * MINUTE }), [[START + MINUTE, 7, 7, 7, 7]]);
  t.same(points('load', { stepSeconds: 3600 }), [
    [START, 0, 7, 2.6, 7],
    [START + HOUR, 8, 8, 8, 8],
  ]);
  t.same(points('load', { labels: { device: 'sda' } }), [], 'filtered by label');
  t.same(history.names({ metric: undefined, from: START, to: START + DAY, limit: 1, after: undefined } as NamesQuery), {
    items: [{ metric: 'bytes_total', labels: {}, as: 'value' }],
    next: 'bytes_total',
  });
});

t.test('a minute that comes again is one with what there was: late lines, a clock set back, a restart', async (t) => {
  const dir = privateDirectory(t);
  const first = opened(t, dir, { close: false });
  first.play(START, { load: 'load 1\n' });
  first.play(START + MINUTE, { load: 'load 5\n' });
  first.play(START + 30_000, { load: 'load 3\n' });
  first.play(START + 2 * HOUR, { load: 'load 9\n' });
  first.play(START + 45_000, { load: 'load 8\n' });
  first.history.close();
  const again = opened(t, dir, { from: START + 2 * MINUTE });
  again.play(START + 50_000, { load: 'load 4\n' });
  again.play(START + 2 * MINUTE, { load: 'load 2\n' });
  t.same(again.points('load'), [
    [START, 1, 8, 4, 4],
    [START + MINUTE, 5, 5, 5, 5],
    [START + 2 * HOUR, 9, 9, 9, 9],
  ]);
});

t.test('after an end without warning everything but the minute under way is there', async (t) => {
  const dir = privateDirectory(t);
  const first = opened(t, dir, { close: false });
  for (let i = 0; i <= 200; i += 1) first.play(START + i * MINUTE, { load: `load ${i}\n` });
  // Another one takes up the files as they are, as after kill -9: the first one is never closed.
  const again = openCopy(t, dir, START + 201 * MINUTE);
  const points = again.points('load');
  t.equal(points.length, 200, 'minute 200 was under way');
  t.same(points[199], [START + 199 * MINUTE, 199, 199, 199, 199]);
  first.history.close();
});

/** Opens a copy of the files of a store that is still open, which holds a lock on them. */
function openCopy(t: Test, dir: string, now: number): Opened {
  const copy = privateDirectory(t);
  for (const name of readdirSync(dir)) {
    writeFileSync(join(copy, name), readFileSync(join(dir, name)));
  }
  return opened(t, copy, { from: now });
}

t.test('days are kept when their minutes are gone', async (t) => {
  const dir = privateDirectory(t);
  const config = HistoryConfig.parse({ minuteDays: 1 });
  const { play, points, history } = opened(t, dir, { config });
  for (let day = 0; day < 5; day += 1) {
    for (const minute of [0, 600, 1199])
      play(START + day * DAY + minute * MINUTE, { load: `load ${day * 10 + minute / 600}\n` });
  }
  play(START + 5 * DAY, { load: 'load 50\n' });
  play(START + 5 * DAY + MINUTE, { load: 'load 50\n' });
  const minutes = readdirSync(dir).filter((name) => name.startsWith('minutes-'));
  t.ok(minutes.length < 5, `${minutes.length} files of minutes are left`);
  const all = points('load', { to: START + 6 * DAY, from: START - DAY, stepSeconds: 86_400 });
  const today = Math.floor(START / DAY) * DAY;
  t.same(
    all[0],
    [today, 0, 1.998333, 0.9994444, 1.998333].map((n, i) => (i === 0 ? n : all[0]?.[i])),
    'the first day',
  );
  t.same(
    all.map(([at]) => at),
    Array.from({ length: 6 }, (_, i) => today + i * DAY),
    'each day has its point',
  );
  t.ok(all.every(([, min = 0, max = 0, mean = 0]) => min <= mean && mean <= max));
  t.equal(history.stats().trouble, null);
});

t.test('a file that is damaged is set aside and said, and everything else goes on', async (t) => {
  const dir = privateDirectory(t);
  const first = opened(t, dir, { close: false });
  first.play(START - DAY, { load: 'load 1\n' });
  first.play(START, { load: 'load 2\n' });
  first.play(START + MINUTE, { load: 'load 3\n' });
  first.history.close();
  const [yesterday = '', today = ''] = readdirSync(dir)
    .filter((name) => name.startsWith('minutes-'))
    .sort();
  writeFileSync(join(dir, yesterday), 'this is no database, and it is long enough to be looked at as one'.repeat(100));
  truncateSync(join(dir, today), 8192);
  const again = opened(t, dir, { from: START + 2 * MINUTE });
  again.play(START + 2 * MINUTE, { load: 'load 4\n' });
  again.play(START + 3 * MINUTE, { load: 'load 5\n' });
  t.same(again.points('load', { from: START + 2 * MINUTE }), [[START + 2 * MINUTE, 4, 4, 4, 4]]);
  t.match(again.troubles.join('\n'), /is set aside as .*damaged/);
  t.ok(readdirSync(dir).some((name) => name === `${yesterday}.damaged`));
  t.equal(again.history.stats().trouble, null, 'it writes again');
});

t.test('a full disk is said; what came meanwhile is written when there is room, for some hours', async (t) => {
  let full = false;
  const disk = () => ({ budgetBytes: 10 ** 9, usedRatio: full ? 0.95 : 0.5, full });
  const dir = privateDirectory(t);
  const { play, points, history } = opened(t, dir, { disk });
  play(START, { load: 'load 1\n' });
  full = true;
  for (let i = 1; i <= 90; i += 1) play(START + i * MINUTE, { load: `load ${i}\n` });
  t.match(history.stats(), { full: true, usedRatio: 0.95 });
  t.equal(points('load').length, 90, 'it is read from memory');
  full = false;
  play(START + 91 * MINUTE, { load: 'load 91\n' });
  play(START + 92 * MINUTE, { load: 'load 92\n' });
  t.equal(history.stats().full, false);
  t.equal(openCopy(t, dir, START + 92 * MINUTE).points('load').length, 92, 'everything is on disk');
  full = true;
  for (let i = 93; i <= 93 + 8 * 60; i += 1) play(START + i * MINUTE, { load: `load ${i}\n` });
  t.ok(history.stats().lostMinutes > 60, `${history.stats().lostMinutes} minutes are lost, and counted`);
});

t.test('a disk that refuses is said once; what came meanwhile is written when it takes it again', async (t) => {
  const dir = privateDirectory(t);
  // A directory where the file should be: it cannot be opened, and it is not damaged.
  const inTheWay = join(dir, 'minutes-20261126T000000000Z.db');
  const { play, points, history, troubles, processes } = opened(t, dir);
  mkdirSync(inTheWay);
  for (let i = 0; i < 70; i += 1) {
    play(START + i * MINUTE, { load: `load ${i}\n` });
    processes(START + i * MINUTE, { 1: i });
  }
  t.match(history.stats().trouble, /history cannot be written/);
  t.equal(troubles.length, 1, 'one line in the log');
  t.equal(points('load').length, 69, 'it is read from memory');
  rmSync(inTheWay, { recursive: true });
  play(START + 70 * MINUTE, { load: 'load 70\n' });
  play(START + 71 * MINUTE, { load: 'load 71\n' });
  t.equal(history.stats().trouble, null);
  t.equal(history.stats().lostMinutes, 0);
  const copy = openCopy(t, dir, START + 72 * MINUTE);
  t.equal(copy.points('load').length, 71);
  t.match(copy.history.processes({ at: START + 60 * MINUTE, by: 'fds', limit: 1 }), { items: [{ pid: 1, fds: 60 }] });
});

t.test('too old goes by kind, too much goes oldest first and days last', async (t) => {
  const file = (kind: Kept['kind'], day: number, bytes = 10): Kept => ({
    kind,
    file: `${kind}-${day}`,
    begins: day * DAY,
    written: day * DAY + HOUR,
    bytes,
  });
  const maxAgeMs = { minutes: 3 * DAY, days: 100 * DAY, processes: DAY };
  const files = [
    file('days', 1),
    file('days', 33),
    ...[40, 41, 42, 43, 44, 45].map((day) => file('minutes', day)),
    ...[43, 44, 45].map((day) => file('processes', day)),
  ];
  const going = (maxBytes: number, now = 45.5 * DAY): string[] =>
    planFiles(files, { maxAgeMs, maxBytes }, now).map((one) => one.file);
  t.same(going(1000).sort(), ['minutes-40', 'minutes-41', 'processes-43']);
  t.same(going(60).slice(3), ['minutes-42', 'minutes-43'], 'the oldest first');
  t.same(
    going(0).slice(3),
    ['minutes-42', 'minutes-43', 'minutes-44', 'processes-44', 'days-1'],
    'days last, never the newest',
  );
  t.same(planFiles([], { maxAgeMs, maxBytes: 0 }, 0), []);
});

t.test('the disk budget deletes whole files', async (t) => {
  const dir = privateDirectory(t);
  const config = HistoryConfig.parse({ maxBytes: 16 * 1024 * 1024 });
  const { play, history } = opened(t, dir, { config: { ...config, maxBytes: 100_000 } });
  for (let day = 0; day < 6; day += 1) play(START + day * DAY, { load: 'load 1\n' });
  play(START + 6 * DAY, { load: 'load 1\n' });
  t.ok(history.stats().diskBytes < 160_000, `${history.stats().diskBytes} bytes`);
  t.ok((history.stats().since ?? 0) > START, 'the oldest went');
});

t.test('the processes of a moment are found, with the culprit, for a day', async (t) => {
  const dir = privateDirectory(t);
  const first = opened(t, dir, { close: false });
  const then = (history: LocalHistory, at: number) =>
    history.processes({ at, by: 'fds', limit: 2 }) as {
      at: number | null;
      items: { pid: number; fds: number }[];
      culprit: object | null;
      range: object | null;
    };
  t.same(then(first.history, START), { at: null, range: null });
  for (let i = 0; i <= 150; i += 1) {
    first.play(START + i * MINUTE, { load: 'load 1\n' });
    first.processes(START + i * MINUTE, { 1: 900, 2: 100 + 5 * i, 3: 7 });
    first.processes(START + i * MINUTE + 1000, { 1: 1 });
  }
  t.match(
    then(first.history, START + 150 * MINUTE).items[0],
    { pid: 1, startTime: 1000, fds: 900 },
    'before it is written',
  );
  first.history.close();
  const { history } = opened(t, dir, { from: START + 151 * MINUTE });
  const found = then(history, START + 120 * MINUTE + 20_000);
  t.match(found, {
    at: START + 120 * MINUTE,
    items: [
      { pid: 1, fds: 900 },
      { pid: 2, fds: 700 },
    ],
    culprit: { process: { pid: 2 }, value: 700, before: 400 },
    range: { first: START, last: START + 150 * MINUTE },
  });
  t.equal(found.items.length, 2);
  t.equal(then(history, START - 10_000).at, START, 'the first one after it, where there is none before');
  t.equal(then(history, START - HOUR).at, null);
  t.equal(then(history, START + 200 * MINUTE).at, null);
});

t.test('the growth of file descriptors is known by group and by process, also after a restart', async (t) => {
  const dir = privateDirectory(t);
  const first = opened(t, dir, { close: false });
  const leak = (i: number): string =>
    `namedprocess_namegroup_open_filedesc{groupname="leaky"} ${100 + i}\nnamedprocess_namegroup_open_filedesc{groupname="calm"} 50\n`;
  for (let i = 0; i <= 8 * 6; i += 1) {
    const at = START + i * 10 * MINUTE;
    first.play(at, { namedprocess_namegroup_open_filedesc: leak(i) });
    first.processes(at, { 7: 100 + 2 * i, 8: 5 });
  }
  const check = ({ history }: Opened, what: string): void => {
    const { groups, processes } = history.growth();
    t.same(
      [...groups].sort(),
      [
        ['calm', 0],
        ['leaky', 6],
      ],
      what,
    );
    t.same(
      processes.map(({ pid, perHour }) => [pid, perHour]),
      [
        [7, 12],
        [8, 0],
      ],
      what,
    );
  };
  check(first, 'as it came');
  first.history.close();
  check(opened(t, dir, { from: START + 8 * HOUR + 5 * MINUTE }), 'after a restart');
});
