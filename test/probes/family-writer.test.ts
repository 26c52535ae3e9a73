import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { Metric } from '../../src/probes/collector.ts';
import { byName, declaredFamilies, renderExposition } from '../../src/probes/exposition.ts';
import { openFamilyWriter } from '../../src/probes/family-writer.ts';
import { escapeLabelValue, formatValue } from '../../src/probes/sample-text.ts';
import { openSeries } from '../../src/probes/series.ts';
import { FUZZ_SEED, random } from '../support/random.ts';
import { parseSamples } from '../support/samples.ts';

const METRICS: readonly Metric[] = [
  { name: 'a_total', help: 'A.', type: 'counter', source: '', labels: ['x', 'y'] },
  { name: 'b', help: 'B.', type: 'gauge', source: '' },
  { name: 'c', help: 'C.', type: 'untyped', source: '', labels: ['z'] },
];
const open = (maxSeries = 100) => {
  const out = openFamilyWriter(METRICS);
  out.begin(maxSeries);
  return out;
};
/** The lines of all families. */
const linesOf = ({ families }: ReturnType<ReturnType<typeof open>['finish']>): string =>
  families.map(({ text }) => text.toString('utf8')).join('');

t.test('samples become lines of their family, and families without samples are left out', async (t) => {
  const out = open();
  out.add('b', 2);
  out.add('a_total', 1.5, 'p', 'q');
  out.add('a_total', 3, 'p', 'r');
  t.same(out.finish(), {
    families: [
      { name: 'a_total', samples: 2, text: Buffer.from('a_total{x="p",y="q"} 1.5\na_total{x="p",y="r"} 3\n') },
      { name: 'b', samples: 1, text: Buffer.from('b 2\n') },
    ],
    series: 3,
    dropped: 0,
    refused: 0,
    cut: 0,
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
    const out = open();
    for (const value of [1, 2, 3]) out.add('c', value, 'twice');
    for (let i = 0; i < 10; i += 1) for (const value of [1, 2]) out.add('c', value, `${i}`);
    const { families, series, refused, duplicates } = out.finish();
    t.equal(refused, 12, 'each is counted');
    t.match(families[0]?.text.toString(), /^c\{z="twice"\} 1\n/);
    t.equal(series, 11);
    t.same(duplicates, ['c{z="twice"}', 'c{z="0"}', 'c{z="1"}', 'c{z="2"}', 'c{z="3"}'], 'the first five are named');
    t.equal(families[0]?.samples, 11);
  },
);

t.test('series beyond the budget are dropped and counted', async (t) => {
  const out = open(3);
  for (let i = 0; i < 10; i += 1) out.add('c', i, `${i}`);
  const { families, series, dropped } = out.finish();
  t.same([families[0]?.samples, series, dropped], [3, 3, 7]);
  out.begin(10);
  out.add('c', 1, 'x');
  t.match(out.finish(), { series: 1, dropped: 0 }, 'the next collection begins anew');
});

t.test('a family that nobody declared is written with what is said of it, whole or not at all', async (t) => {
  const out = open(4);
  const found = {
    name: 'd',
    help: 'D.',
    type: 'summary',
    samples: 2,
    text: Buffer.from('d_sum 1\nd_count 2\n'),
    cut: 1,
  } as const;
  out.addFamily({ ...found, name: 'e', samples: 5 });
  out.addFamily(found);
  out.add('b', 2);
  t.match(out.finish(), {
    families: [
      { name: 'b', samples: 1 },
      { name: 'd', samples: 2, found: { help: 'D.', type: 'summary' }, text: found.text },
    ],
    series: 3,
    dropped: 5,
    cut: 1,
  });
  out.begin(4);
  t.throws(() => out.addFamily({ ...found, name: 'b' }), { message: 'family b is there already' });
  out.addFamily(found);
  t.throws(() => out.addFamily(found), { message: 'family d is there already' });
});

t.test('samples are read back by label, and none whose value is no number', async (t) => {
  const out = open();
  out.add('a_total', 1, 'p', 'q" 7\n');
  out.add('a_total', NaN, 'p', 'r');
  out.add('a_total', Infinity, 'p', 's');
  out.add('b', -2.5);
  t.same(parseSamples(linesOf(out.finish())), [
    { labels: { x: 'p', y: 'q" 7\n' }, value: 1 },
    { labels: {}, value: -2.5 },
  ]);
});

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
  const out = open(5000);
  for (let i = 0; i < 2000; i += 1) {
    const [x, y] = [text(), text()];
    const value = [next(), -next() * 1e300, Math.floor(next() * 1e15), next() * 1e-300, Infinity, NaN][i % 6] ?? 0;
    out.add('a_total', value, x, y);
    const key = JSON.stringify([x.toWellFormed(), y.toWellFormed()]);
    if (!written.has(key)) written.set(key, value);
  }
  const { families } = out.finish();
  const read = String(families[0]?.text).split('\n').slice(0, -1).map(parseLine);
  t.same(new Map(read.map(({ labels, value }) => [JSON.stringify([labels['x'], labels['y']]), value])), written);
  t.equal(read.length, written.size, 'one line each');

  const text004 = String(renderExposition(declaredFamilies(families, byName(METRICS)), 'text'));
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

t.test(
  `a series that is kept is written as one that is added, whatever changes between collections, seed ${FUZZ_SEED}`,
  async (t) => {
    const [a, b, c] = METRICS;
    if (a === undefined || b === undefined || c === undefined) throw new Error('no metrics');
    t.throws(() => openSeries(a, 'p'), { message: 'metric a_total has labels (x, y), got 1 values' });
    const next = random();
    const values = [0, -0, 7, 1e15, 2 ** 53 + 2, 1.5, -3, 1e-7, Number.NaN, Infinity, -Infinity, 99, 100];
    const kept = Array.from({ length: 40 }, (_, i) =>
      i % 3 === 0 ? openSeries(c, `中 "${i}"`) : openSeries(a, `${i}`, 'é\n'.repeat(i % 4)),
    );
    const last = kept.map(() => 0);
    const out = openFamilyWriter(METRICS);
    for (let round = 0; round < 400; round += 1) {
      const fresh = open(1000);
      out.begin(1000);
      const some = next() < 0.7;
      for (const [i, series] of kept.entries()) {
        if (some && next() < 0.05) continue; // not there in this collection
        if (some && next() < 0.1) last[i] = values[Math.floor(next() * values.length)] ?? 0;
        out.set(series, last[i] ?? 0);
        fresh.add(series.metric.name, last[i] ?? 0, ...series.labelValues);
        if (some && next() < 0.02) {
          out.add('a_total', round, `added ${i}`, '');
          fresh.add('a_total', round, `added ${i}`, '');
        }
      }
      if (next() < 0.05) continue; // the collection failed
      const [got, expected] = [out.finish(), fresh.finish()];
      if (linesOf(got) !== linesOf(expected)) t.same(linesOf(got), linesOf(expected), `round ${round}`);
      if (got.series !== expected.series) t.equal(got.series, expected.series, `round ${round}`);
    }
  },
);

t.test(
  `what is added is written in the order of this collection, whatever came before, seed ${FUZZ_SEED}`,
  async (t) => {
    const next = random();
    const long = 'x'.repeat(200);
    const labels = [
      ...Array.from({ length: 12 }, (_, i) => `${i}`),
      '',
      `${long}a`,
      `${long}b`,
      '\ud800',
      '\udc00',
      undefined,
    ];
    const out = openFamilyWriter(METRICS, 100);
    let order = labels.map((_, i) => i);
    for (let round = 0; round < 600; round += 1) {
      if (next() < 0.3) order = order.map((at) => (next() < 0.1 ? Math.floor(next() * labels.length) : at));
      if (next() < 0.1) order = order.toSorted(() => next() - 0.5);
      const now = order.filter(() => next() > 0.03);
      const budget = next() < 0.1 ? 5 : 1000;
      const fresh = openFamilyWriter(METRICS, 100);
      fresh.begin(budget);
      out.begin(budget);
      for (const at of now) {
        const value = Math.floor(next() * 3);
        for (const writer of [out, fresh]) {
          writer.add('c', value, labels[at]);
          if (at % 4 === 0) writer.add('a_total', value, labels[at], 'same');
        }
      }
      if (next() < 0.05) continue; // the collection failed
      const [got, expected] = [out.finish(), fresh.finish()];
      const plain = ({ families, ...rest }: typeof got) => ({ ...rest, text: linesOf({ families, ...rest }) });
      if (JSON.stringify(plain(got)) !== JSON.stringify(plain(expected)))
        t.same(plain(got), plain(expected), `round ${round}`);
    }
    t.pass('600 collections are alike');
  },
);

t.test('lines that are handed out stay as they are while the next collection is written', async (t) => {
  const [, b] = METRICS;
  if (b === undefined) throw new Error('no metric');
  const series = openSeries(b);
  const out = openFamilyWriter(METRICS);
  out.begin(10);
  out.set(series, 1);
  const { families } = out.finish();
  out.begin(10);
  out.set(series, 22222);
  t.equal(String(families[0]?.text), 'b 1\n');
  t.equal(linesOf(out.finish()), 'b 22222\n');
});

t.test('a kept series counts against the budget and is written once', async (t) => {
  const [a, b] = METRICS;
  if (a === undefined || b === undefined) throw new Error('no metrics');
  const kept = openSeries(a, 'p', 'q"');
  const out = open(1);
  out.set(kept, 1);
  out.set(kept, 2);
  out.set(openSeries(b), 3);
  t.match(out.finish(), { series: 1, dropped: 1, duplicates: ['a_total{x="p",y="q\\""}'] });
});
