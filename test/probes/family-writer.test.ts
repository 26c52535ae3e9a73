import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { Metric } from '../../src/probes/collector.ts';
import { renderExposition } from '../../src/probes/exposition.ts';
import { escapeLabelValue, formatValue, openFamilyWriter } from '../../src/probes/family-writer.ts';
import { openSeries } from '../../src/probes/series.ts';
import { FUZZ_SEED, random } from '../support/random.ts';

const METRICS: readonly Metric[] = [
  { name: 'a_total', help: 'A.', type: 'counter', labels: ['x', 'y'] },
  { name: 'b', help: 'B.', type: 'gauge' },
  { name: 'c', help: 'C.', type: 'untyped', labels: ['z'] },
];
const open = (watch: readonly string[] = [], maxSeries = 100) =>
  openFamilyWriter(METRICS, { watch: new Set(watch), maxSeries });

t.test('samples become lines of their family, and families without samples are left out', async (t) => {
  const out = open();
  out.add('b', 2);
  out.add('a_total', 1.5, 'p', 'q');
  out.add('a_total', 3, 'p', 'r');
  t.same(out.finish(), {
    families: [
      {
        name: 'a_total',
        help: 'A.',
        type: 'counter',
        text: 'a_total{x="p",y="q"} 1.5\na_total{x="p",y="r"} 3\n',
        samples: 2,
      },
      { name: 'b', help: 'B.', type: 'gauge', text: 'b 2\n', samples: 1 },
    ],
    watched: {},
    series: 3,
    dropped: 0,
    duplicates: [],
  });
});

t.test('what was not declared is refused', async (t) => {
  const out = open();
  t.throws(() => out.add('d', 1), { message: 'metric d is not declared by its collector' });
  t.throws(() => out.add('a_total', 1, 'p'), { message: 'metric a_total has labels (x, y), got 1 values' });
  t.throws(() => out.add('b', 1, 'p'), { message: 'metric b has labels (), got 1 values' });
  t.equal(out.finish().series, 0);
});

t.test(
  'a series written twice keeps its first value and is named, because Prometheus would refuse the scrape',
  async (t) => {
    const out = open(['c']);
    for (const value of [1, 2, 3]) out.add('c', value, 'twice');
    for (let i = 0; i < 10; i += 1) for (const value of [1, 2]) out.add('c', value, `${i}`);
    const { families, series, duplicates, watched } = out.finish();
    t.match(families[0]?.text, /^c\{z="twice"\} 1\n/);
    t.equal(series, 11);
    t.same(duplicates, ['c{z="twice"}', 'c{z="0"}', 'c{z="1"}', 'c{z="2"}', 'c{z="3"}'], 'the first five are named');
    t.equal(watched['c']?.length, 11);
  },
);

t.test('series beyond the budget are dropped and counted', async (t) => {
  const out = open(['c'], 3);
  for (let i = 0; i < 10; i += 1) out.add('c', i, `${i}`);
  const { families, series, dropped, watched } = out.finish();
  t.same([families[0]?.samples, series, dropped, watched['c']?.length], [3, 3, 7, 3]);
});

t.test(
  'a watched metric gives its values by label, an empty list without samples, and no value that JSON cannot hold',
  async (t) => {
    const out = open(['a_total', 'b', 'other']);
    out.add('a_total', 1, 'p', 'q"');
    out.add('a_total', NaN, 'p', 'r');
    out.add('a_total', Infinity, 'p', 's');
    t.same(out.finish().watched, { a_total: [{ labels: { x: 'p', y: 'q"' }, value: 1 }], b: [] });
  },
);

for (const [value, expected] of [
  ['plain /dev/sda1 中文 😀', 'plain /dev/sda1 中文 😀'],
  ['C:\\new', 'C:\\\\new'],
  ['say "hi"', 'say \\"hi\\"'],
  ['two\nlines\n', 'two\\nlines\\n'],
  ['\\"\n', '\\\\\\"\\n'],
  ['tab\tcr\rnul\0', 'tab\tcr\rnul\0'],
  ['half \ud83d', 'half \ufffd'],
  ['', ''],
] as const) {
  t.equal(escapeLabelValue(value), expected, `label value ${JSON.stringify(value)} is escaped`);
}

for (const [value, expected] of [
  [0, '0'],
  [-0, '0'],
  [42, '42'],
  [-1.25, '-1.25'],
  [18446744073709552000, '18446744073709552000'],
  [1e21, '1e+21'],
  [1e-7, '1e-7'],
  [NaN, 'NaN'],
  [Infinity, '+Inf'],
  [-Infinity, '-Inf'],
] as const) {
  t.equal(formatValue(value), expected, `${value} is written as ${expected}`);
}

/** Reads `name{label="value",…} number` back, as the grammar of text format 0.0.4 says. */
function parseLine(line: string): { labels: Record<string, string>; value: number } {
  const labels: Record<string, string> = {};
  let rest = line.replace(/^[a-z_]+\{/, '');
  for (
    let match;
    (match = /^([a-z]+)="((?:\\.|[^\\"\n])*)",?/.exec(rest)) !== null;
    rest = rest.slice(match[0].length)
  ) {
    labels[match[1] ?? ''] = (match[2] ?? '').replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
  }
  const number = /^\} (\S+)$/.exec(rest)?.[1]?.replace('Inf', 'Infinity');
  if (number === undefined) throw new Error(`no sample line: ${line}`);
  return { labels, value: Number(number) };
}

t.test(`any label values and numbers are read back as they were, seed ${FUZZ_SEED}`, async (t) => {
  const next = random();
  const alphabet = [
    '\\',
    '"',
    '\n',
    'n',
    '{',
    '}',
    ',',
    '=',
    ' ',
    '#',
    'é',
    '中',
    '😀',
    '\t',
    '\r',
    '\0',
    '\ud800',
    '\udc00',
  ];
  const text = (): string =>
    Array.from({ length: Math.floor(next() * 8) }, () => alphabet[Math.floor(next() * alphabet.length)]).join('');
  const written = new Map<string, number>();
  const out = openFamilyWriter(METRICS, { watch: new Set(), maxSeries: 5000 });
  for (let i = 0; i < 2000; i += 1) {
    const [x, y] = [text(), text()];
    const value = [next(), -next() * 1e300, Math.floor(next() * 1e15), next() * 1e-300, Infinity, NaN][i % 6] ?? 0;
    out.add('a_total', value, x, y);
    const key = JSON.stringify([x.toWellFormed(), y.toWellFormed()]);
    if (!written.has(key)) written.set(key, value);
  }
  const { families } = out.finish();
  const read = (families[0]?.text ?? '').split('\n').slice(0, -1).map(parseLine);
  t.same(new Map(read.map(({ labels, value }) => [JSON.stringify([labels['x'], labels['y']]), value])), written);
  t.equal(read.length, written.size, 'one line each');

  const text004 = renderExposition(families, 'text');
  t.doesNotThrow(() => promtool(text004), 'promtool parses them');
});

/** Throws when promtool finds a parse error (1); lint warnings are 3. */
function promtool(text: string): void {
  try {
    execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
  } catch (error) {
    const { code, status, stderr } = error as { code?: string; status?: number; stderr?: Buffer };
    if (code !== 'ENOENT' && status !== 3) throw new Error(String(stderr), { cause: error });
  }
}

t.test('a series that is kept is written as one that is added', async (t) => {
  const [a, b] = METRICS;
  if (a === undefined || b === undefined) throw new Error('no metrics');
  t.throws(() => openSeries(a, 'p'), { message: 'metric a_total has labels (x, y), got 1 values' });
  const kept = [openSeries(a, 'p', 'q"'), openSeries(b)] as const;
  for (const value of [1.5, 1.5, Number.NaN, 2, Infinity]) {
    const [added, set] = [open(['a_total']), open(['a_total'])];
    added.add('a_total', value, 'p', 'q"');
    added.add('b', 7);
    set.set(kept[0], value);
    set.set(kept[1], 7);
    t.same(set.finish(), added.finish(), `${value}`);
  }
  const out = open(['b'], 1);
  out.set(kept[0], 1);
  out.set(kept[0], 2);
  out.set(kept[1], 3);
  t.match(out.finish(), { series: 1, dropped: 1, duplicates: ['a_total{x="p",y="q\\\""}'], watched: { b: [] } });
});
