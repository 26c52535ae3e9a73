import t from 'tap';
import { openLog } from '../../src/base/logging.ts';
import type { Metric } from '../../src/probes/collector.ts';
import { snapshotProcedures } from '../../src/probes/procedures.ts';
import {
  decodePublications,
  encodePublications,
  packState,
  Resumption,
  unpackState,
  type Publication,
} from '../../src/probes/publication.ts';
import { openSnapshots } from '../../src/probes/snapshots.ts';
import { FUZZ_SEED, random } from '../support/random.ts';

const START = Date.UTC(2026, 10, 22);
const gauge = (name: string): Metric => ({ name, help: '', type: 'gauge', source: '' });

function snapshots() {
  let now = START;
  const store = openSnapshots({
    collectors: [
      { name: 'disk', view: 'node', periodSeconds: 15, metrics: [gauge('disk_a'), gauge('disk_b'), gauge('disk_c')] },
      { name: 'net', view: 'node', periodSeconds: 15, metrics: [gauge('net_a')] },
    ],
    log: openLog('test', 'silent'),
    now: () => now,
  });
  return { store, at: (seconds: number) => (now = START + seconds * 1000) };
}

const success = (seconds: number, more: Partial<Publication> = {}): Publication => ({
  collector: 'disk',
  at: START + seconds * 1000,
  periodSeconds: 15,
  durationSeconds: 0.25,
  families: [
    { name: 'disk_a', text: Buffer.from(`disk_a ${seconds}\n`), samples: 1 },
    { name: 'disk_b', text: Buffer.from('disk_b{x="1"} 1\ndisk_b{x="2 \\"3"} NaN\n'), samples: 2 },
  ],
  quarantined: [],
  ...more,
});
const failure = (seconds: number, reason: 'failed' | 'deadline' = 'failed'): Publication =>
  success(seconds, { families: [], error: { reason, message: 'no' } });

const texts = ({ store }: ReturnType<typeof snapshots>): string =>
  store
    .families('disk')
    .map(({ text }) => text)
    .join('');

t.test('before the first collection nothing is known', async (t) => {
  const { store } = snapshots();
  t.same(store.collectors()[0], {
    name: 'disk',
    state: 'waiting',
    lastSuccessAt: undefined,
    error: undefined,
    quarantined: [],
    series: 0,
    durationSeconds: 0,
    periodSeconds: 15,
    stretched: undefined,
    leftOut: [],
  });
  t.equal(store.samples('disk_a'), undefined);
  t.equal(store.details('disk'), undefined);
  t.same(store.families('disk'), []);
});

t.test('what is left out is counted by reason, limits of collectors among it', async (t) => {
  const it = snapshots();
  const family = (name: string, value: number) => ({ name, text: Buffer.from(`${name} ${value}\n`), samples: 1 });
  const families = [family('jdos_process_groups_dropped', 4), family('jdos_containers_dropped', 0)];
  it.store.accept(success(0, { families, dropped: 7, duplicates: 1, cut: 2 }));
  const expected = [
    { reason: 'budget', count: 7 },
    { reason: 'duplicate', count: 1 },
    { reason: 'label', count: 2 },
    { reason: 'groups', count: 4 },
  ];
  t.same(it.store.collectors()[0]?.leftOut, expected);
  it.store.accept(failure(15));
  t.same(it.store.collectors()[0]?.leftOut, expected, 'what was shown last is what is shown');
  it.store.accept(success(30));
  t.same(it.store.collectors()[0]?.leftOut, []);
});

t.test('CPU time adds up, that of failures too', async (t) => {
  const it = snapshots();
  it.store.accept(success(0, { cpuSeconds: 0.5 }));
  it.store.accept({ ...failure(15), cpuSeconds: 0.25 });
  t.same(it.store.cpuSeconds(), [
    { collector: 'disk', seconds: 0.75 },
    { collector: 'net', seconds: 0 },
  ]);
});

t.test('the last success is shown, with the samples that are known; none is an empty list', async (t) => {
  const it = snapshots();
  it.store.accept(success(0));
  it.store.accept(success(15, { details: { n: 1 } }));
  t.match(texts(it), /^disk_a 15\n/);
  t.match(it.store.collectors()[0], { state: 'ok', lastSuccessAt: START + 15_000, series: 3, durationSeconds: 0.25 });
  t.same(it.store.samples('disk_a'), [{ labels: {}, value: 15 }]);
  t.same(it.store.samples('disk_b'), [{ labels: { x: '1' }, value: 1 }]);
  t.same(it.store.samples('disk_c'), []);
  t.same(it.store.details('disk'), { n: 1 });
});

t.test('a metric is not known that nobody writes, or whose collector has not answered', async (t) => {
  const { store } = snapshots();
  store.accept(success(0));
  t.equal(store.samples('other'), undefined);
  t.equal(store.samples('net_a'), undefined);
  t.equal(store.collectorOf('net_a'), 'net');
  t.equal(store.collectorOf('other'), undefined);
});

t.test(
  'the series of a failing collector stay for four periods and then go, but its samples are unknown at once',
  async (t) => {
    const it = snapshots();
    it.store.accept(success(0, { details: 1 }));
    for (const seconds of [15, 30, 45, 60]) {
      it.at(seconds);
      it.store.accept(failure(seconds));
      t.match(it.store.collectors()[0], {
        state: 'failed',
        series: 3,
        lastSuccessAt: START,
        error: { reason: 'failed' },
      });
      t.equal(it.store.samples('disk_a'), undefined);
      t.match(texts(it), /^disk_a 0\n/);
    }
    it.at(61);
    t.match(it.store.collectors()[0], { state: 'failed', series: 0 });
    t.equal(texts(it), '');
    t.equal(it.store.details('disk'), 1, 'details stay, with the time of the last success');
    it.store.accept(success(75));
    it.at(75);
    t.match(it.store.collectors()[0], { state: 'ok', error: undefined, series: 3 });
  },
);

t.test('a collector that falls silent is stale after four periods', async (t) => {
  const it = snapshots();
  it.store.accept(success(0));
  it.at(60);
  t.match(it.store.collectors()[0], { state: 'ok', series: 3 });
  it.at(61);
  t.match(it.store.collectors()[0], { state: 'stale', series: 0 });
  t.equal(it.store.samples('disk_a'), undefined);
  it.store.accept(failure(61));
  t.match(it.store.collectors()[0], { state: 'failed', series: 0 });
});

t.test('after the wall clock is set back, what was collected before is not taken for new', async (t) => {
  const it = snapshots();
  it.store.accept(success(0));
  it.at(-3600);
  t.match(it.store.collectors()[0], { state: 'stale', series: 0 });
});

t.test('failures are counted by collector and reason', async (t) => {
  const { store } = snapshots();
  t.same(store.errors(), []);
  for (const publication of [failure(0), failure(1, 'deadline'), success(2), failure(3)]) store.accept(publication);
  t.same(store.errors(), [
    { collector: 'disk', reason: 'failed', count: 2 },
    { collector: 'disk', reason: 'deadline', count: 1 },
  ]);
});

t.test('a new probe process gets the last states, also those before a failure', async (t) => {
  const { store } = snapshots();
  store.accept(success(0, { state: packState({ n: 1 }) }));
  store.accept(success(15, { state: packState(Buffer.from('two')) }));
  store.accept(failure(30));
  const { disk = '' } = Resumption.parse(JSON.parse(JSON.stringify(store.resumption()))).states;
  t.same(unpackState(Buffer.from(disk, 'base64')), Buffer.from('two'));
});

t.test(
  'what is kept does not change with the bytes that it came in, and a state outlives a success without one',
  async (t) => {
    const { store } = snapshots();
    const bytes = encodePublications([success(7, { state: packState({ n: 7 }) })], Buffer.alloc);
    for (const publication of decodePublications(bytes)) store.accept(publication);
    bytes.fill(0);
    t.match(texts({ store, at: () => 0 }), /^disk_a 7\n/);
    store.accept(
      success(8, { families: [{ name: 'disk_a', text: Buffer.from(`disk_a ${'8'.repeat(500)}\n`), samples: 1 }] }),
    );
    t.match(texts({ store, at: () => 0 }), /^disk_a 8+\n$/);
    store.accept(success(9));
    t.same(unpackState(Buffer.from(store.resumption().states['disk'] ?? '', 'base64')), { n: 7 });
  },
);

t.test('what is said of a family that nobody declared comes with it', async (t) => {
  const { store } = snapshots();
  const text = Buffer.from('other_sum 1\n');
  const families = [
    { name: 'other', samples: 1, found: { help: 'Other.', type: 'histogram' as const }, text },
    {
      name: 'disk_a',
      samples: 1,
      found: { help: 'Not so.', type: 'summary' as const },
      text: Buffer.from('disk_a 1\n'),
    },
    { name: 'unsaid', samples: 1, text: Buffer.from('unsaid 1\n') },
  ];
  for (const one of decodePublications(encodePublications([success(0, { families })], Buffer.alloc))) store.accept(one);
  t.same(store.families('disk'), [
    { name: 'other', help: 'Other.', type: 'histogram', text },
    { name: 'disk_a', help: '', type: 'gauge', text: Buffer.from('disk_a 1\n') },
  ]);
});

t.test('a publication of a collector that is not run here is refused', async (t) => {
  const { store } = snapshots();
  t.throws(() => store.accept(success(0, { collector: 'ghost' })), { code: 'JD_UNKNOWN_PUBLISHER' });
});

t.test('the procedures take bytes and give what the schemas say', async (t) => {
  const { store } = snapshots();
  const taken: Publication[] = [];
  const [publish, resume] = snapshotProcedures(store, (publications) => taken.push(...publications));
  t.same(
    [publish?.name, publish?.right, resume?.name, resume?.right],
    ['Probes::publish', 'admin', 'Probes::resume', 'admin'],
  );
  const context = { caller: 'probe', signal: new AbortController().signal };
  const state = packState({ n: 1 });
  const sent = [success(0, { state, details: { pids: [1] } }), failure(1)];
  t.same(publish?.handler(encodePublications(sent, Buffer.alloc), context), { missing: ['net'] });
  t.same(taken, sent, 'they arrive as they were');
  t.match(texts({ store, at: () => 0 }), /^disk_a 0\n/);
  t.same(Resumption.parse(await resume?.handler({}, context)), { states: { disk: state?.toString('base64') } });
});

t.test(`bytes that are no publications are refused, seed ${FUZZ_SEED}`, async (t) => {
  const whole = encodePublications([success(0, { state: packState({ n: 1 }) })], Buffer.alloc);
  for (let length = 1; length < whole.length; length += 1) {
    t.throws(() => decodePublications(whole.subarray(0, length)), `${length} bytes of ${whole.length}`);
  }
  const next = random();
  for (let i = 0; i < 2000; i += 1) {
    const broken = Buffer.from(whole);
    for (let flips = 0; flips < 3; flips += 1)
      broken[Math.floor(next() * 300) % broken.length] = Math.floor(next() * 256);
    try {
      for (const { families } of decodePublications(broken)) {
        for (const { text } of families) if (text.length > broken.length) t.fail('more than was given');
      }
    } catch (error) {
      if (!(error instanceof Error)) t.fail('no error');
    }
  }
  t.same(decodePublications(Buffer.alloc(0)), []);
});
