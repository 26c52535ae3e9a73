// The trace store: found by id hot and packed, exact search, duplicates, late parts, retention, crashes at every step.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Filter, Place } from '../../src/tracing/query/search.ts';
import type { Refused, Taken, TraceLimits } from '../../src/tracing/store/messages.ts';
import { frame } from '../../src/tracing/store/segment.ts';
import {
  type LocalTraceStore,
  type LocalTraceStoreOptions,
  openLocalTraceStore,
} from '../../src/tracing/store/store.ts';
import { random } from '../support/random.ts';
import { type MadeSpan, requestOf, spanIdOf, traceIdOf } from './otlp.ts';

const HOUR = 3_600_000;
const limits: TraceLimits = { retentionMs: 168 * HOUR, hotBytes: 64 * 1024 * 1024, hotMs: 3_600_000, maxBytes: 1e9 };

function open(t: Test, dir: string, more: Partial<LocalTraceStoreOptions> = {}): LocalTraceStore {
  const store = openLocalTraceStore({ dir, limits, now: Date.now, ...more });
  t.teardown(() => store.close());
  return store;
}

const put = (store: LocalTraceStore, spans: readonly MadeSpan[]): Promise<Taken | Refused> =>
  new Promise((resolve) => store.ingest('protobuf', requestOf(spans), resolve));

const filter = (more: Partial<Filter> = {}): Filter => ({
  minDuration: 0,
  from: 0,
  to: Number.MAX_SAFE_INTEGER,
  limit: 20,
  ...more,
});
const segments = (dir: string): readonly string[] => readdirSync(dir).filter((name) => name.endsWith('.segment'));
const partitions = (dir: string): readonly string[] => readdirSync(dir).filter((name) => name.endsWith('.db'));
const at = (seconds: number): number => 1_763_999_000_000_000 + seconds * 1e6;

t.test(
  'an acknowledged trace is found at once, after packing, and after a restart; by 128 and by 64 bits',
  async (t) => {
    const dir = t.testdir();
    const store = open(t, dir);
    const trace = traceIdOf(7);
    t.match(
      await put(store, [
        { trace, span: spanIdOf(1), name: 'root', start: at(0), duration: 5000 },
        {
          trace,
          span: spanIdOf(2),
          parent: spanIdOf(1),
          service: 'stock',
          name: 'child',
          start: at(0) + 10,
          duration: 100,
          error: true,
        },
      ]),
      { kind: 'taken', accepted: 2 },
    );
    const check = (from: LocalTraceStore, when: string): void => {
      for (const id of [trace, trace.slice(16)]) {
        t.match(
          from.find(id),
          {
            traceId: trace,
            spanCount: 2,
            errorCount: 1,
            durationMs: 5,
            services: ['shop', 'stock'],
            completeness: { complete: true, roots: 1, orphans: 0, duplicates: 0 },
            spans: [
              { name: 'root' },
              { name: 'child', parentSpanId: spanIdOf(1), status: { code: 'error', message: 'it failed' } },
            ],
          },
          when,
        );
      }
      t.equal(from.find(traceIdOf(8)), undefined);
      t.same(from.services(), [
        { name: 'shop', operations: ['root'] },
        { name: 'stock', operations: ['child'] },
      ]);
    };
    check(store, 'hot');
    t.equal(segments(dir).length, 1);
    await store.flush();
    check(store, 'packed');
    t.equal(segments(dir).length, 0, 'the segment is gone when its spans are in a partition');
    await store.close();
    check(open(t, dir), 'after a restart');
  },
);

t.test('a trace that is still arriving says what is missing; what comes late and twice is one trace', async (t) => {
  const dir = t.testdir();
  const store = open(t, dir);
  const trace = traceIdOf(1);
  const child: MadeSpan = { trace, span: spanIdOf(2), parent: spanIdOf(1), name: 'child', start: at(1) };
  await put(store, [child]);
  t.match(store.find(trace)?.completeness, { complete: false, roots: 0, orphans: 1 });
  await store.flush();
  await put(store, [child, { trace, span: spanIdOf(1), name: 'root', start: at(0), duration: 2e6 }]);
  t.match(store.find(trace), { spanCount: 2, completeness: { complete: true, duplicates: 1 } });
  await store.flush();
  t.match(store.find(trace), { spanCount: 2, completeness: { complete: true, duplicates: 1 } });
  t.match(store.search(filter()), [{ traceId: trace, start: at(0), root: { service: 'shop', operation: 'root' } }]);
});

interface Known {
  readonly spans: readonly MadeSpan[];
  readonly start: number;
  readonly trace: string;
}

/** The answer by looking at everything. */
function naive(known: readonly Known[], { service, operation, minDuration, from, to, limit, after }: Filter): string[] {
  return known
    .filter(
      ({ spans, start, trace }) =>
        start >= from &&
        start <= to &&
        (after === undefined || start < after.start || (start === after.start && trace < after.traceId)) &&
        spans.some(
          (span) =>
            (span.duration ?? 1) >= minDuration &&
            (service === undefined || span.service === service) &&
            (operation === undefined || span.name === operation),
        ),
    )
    .toSorted((a, b) => b.start - a.start || (a.trace < b.trace ? 1 : -1))
    .slice(0, limit)
    .map(({ trace }) => trace);
}

t.test('search is the newest that match, in order and page by page, wherever the parts of a trace are', async (t) => {
  const store = open(t, t.testdir());
  const next = random();
  const number = (below: number): number => Math.floor(next() * below);
  const known: Known[] = [];
  const waiting: MadeSpan[] = [];
  for (let n = 0; n < 900; n += 1) {
    const trace = traceIdOf(n);
    // Not in order, and some in the same microsecond.
    const start = at(number(600));
    const spans = Array.from({ length: 1 + number(6) }, (_, i): MadeSpan => ({
      trace,
      span: spanIdOf(n * 10 + i),
      ...(i === 0 ? {} : { parent: spanIdOf(n * 10) }),
      service: `service-${number(4)}`,
      name: `operation-${number(3)}`,
      start: i === 0 ? start : start + 1 + number(1e6),
      duration: number(1e6),
    }));
    known.push({ spans, start, trace });
    // Half of the traces come in two parts, the second of them some packs later.
    const [now, later] = next() < 0.5 ? [spans, []] : [spans.slice(0, 1), spans.slice(1)];
    await put(store, now);
    waiting.push(...later);
    if (n % 100 === 99) await store.flush();
    if (n % 250 === 249) await put(store, waiting.splice(0));
  }
  await put(
    store,
    waiting.splice(0).concat({
      trace: traceIdOf(899),
      span: spanIdOf(8990),
      start: known[899]?.start ?? 0,
      service: known[899]?.spans[0]?.service ?? '',
      name: known[899]?.spans[0]?.name ?? '',
      duration: known[899]?.spans[0]?.duration ?? 0,
    }),
  );
  t.ok(store.stats().blocks > 5);
  for (let round = 0; round < 120; round += 1) {
    const service = next() < 0.3 ? undefined : `service-${number(5)}`;
    const wanted = filter({
      service,
      operation: service === undefined || next() < 0.4 ? undefined : `operation-${number(4)}`,
      minDuration: next() < 0.5 ? 0 : number(1e6),
      from: next() < 0.5 ? 0 : at(number(600)),
      to: next() < 0.5 ? Number.MAX_SAFE_INTEGER : at(number(600)),
      limit: 1 + number(40),
    });
    let after: Place | undefined;
    for (let page = 0; page < 3; page += 1) {
      const asked = { ...wanted, after };
      const got = store.search(asked);
      t.same(
        got.map(({ traceId }) => traceId),
        naive(known, asked),
        JSON.stringify(asked),
      );
      after = got.at(-1);
      if (after === undefined) break;
    }
  }
});

t.test('a limit of one gives the newest trace, not any', async (t) => {
  const store = open(t, t.testdir());
  for (const n of [3, 9, 1, 7]) {
    await put(store, [{ trace: traceIdOf(n), span: spanIdOf(n), start: at(n) }]);
    await store.flush();
  }
  t.same(
    store.search(filter({ limit: 1 })).map(({ traceId }) => traceId),
    [traceIdOf(9)],
  );
  t.same(
    store.search(filter({ limit: 2 })).map(({ traceId }) => traceId),
    [traceIdOf(9), traceIdOf(7)],
  );
});

t.test(
  'what was accepted and not packed is there after a crash, what was torn off is not, and it is said',
  async (t) => {
    const dir = t.testdir();
    const store = open(t, dir);
    await put(store, [{ trace: traceIdOf(1), span: spanIdOf(1) }]);
    await put(store, [{ trace: traceIdOf(2), span: spanIdOf(2) }]);
    const crashed = join(dir, 'crashed');
    mkdirSync(crashed);
    const [name = ''] = segments(dir);
    const third = requestOf([{ trace: traceIdOf(3), span: spanIdOf(3) }]);
    for (const [how, spoil, found] of [
      ['whole', () => undefined, [1, 2]],
      [
        'a record cut off',
        (file: string) => appendFileSync(file, Buffer.concat([frame(third), third]).subarray(0, 40)),
        [1, 2],
      ],
      ['a frame cut off', (file: string) => appendFileSync(file, frame(third).subarray(0, 5)), [1, 2]],
      ['zeros at the end', (file: string) => appendFileSync(file, Buffer.alloc(4096)), [1, 2]],
      [
        'the last record damaged',
        (file: string) => {
          const bytes = readFileSync(file);
          bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 0xff;
          writeFileSync(file, bytes);
        },
        [1],
      ],
      ['cut within the second', (file: string) => truncateSync(file, readFileSync(file).length - 4), [1]],
      ['empty', (file: string) => truncateSync(file, 0), []],
    ] as const) {
      const file = join(crashed, name);
      copyFileSync(join(dir, name), file);
      spoil(file);
      const said: string[] = [];
      const again = openLocalTraceStore({
        dir: crashed,
        limits,
        now: Date.now,
        onTrouble: (message) => said.push(message),
      });
      t.same(
        [1, 2, 3].filter((n) => again.find(traceIdOf(n)) !== undefined),
        found,
        how,
      );
      t.equal(said.length, how === 'whole' || how === 'empty' ? 0 : 1, `${how}: ${said.join()}`);
      await again.close();
    }
  },
);

t.test('a crash between the commit of a partition and the deletion of its segments duplicates nothing', async (t) => {
  const dir = t.testdir();
  const copies: [string, Buffer][] = [];
  const store = open(t, dir, {
    beforeDelete() {
      for (const name of segments(dir)) copies.push([name, readFileSync(join(dir, name))]);
    },
  });
  await put(store, [{ trace: traceIdOf(1), span: spanIdOf(1) }]);
  await store.flush();
  await store.close();
  t.equal(copies.length, 1);
  for (const [name, bytes] of copies) writeFileSync(join(dir, name), bytes);
  const again = open(t, dir);
  t.match(again.stats(), { spans: 1, hotSpans: 0 });
  t.match(again.find(traceIdOf(1)), { spanCount: 1, completeness: { duplicates: 0 } });
  t.same(segments(dir), [], 'the segment that was left is deleted');
});

t.test('a pack that fails keeps everything, and the next one to a new file succeeds', async (t) => {
  const dir = t.testdir();
  let broken = true;
  const store = open(t, dir, {
    beforeDelete() {
      if (broken) throw new Error('the disk is gone');
    },
  });
  await put(store, [{ trace: traceIdOf(1), span: spanIdOf(1) }]);
  await t.rejects(store.flush(), /the disk is gone/);
  t.match(store.stats().trouble, /cannot be packed: the disk is gone/);
  t.ok(store.find(traceIdOf(1)));
  broken = false;
  await put(store, [{ trace: traceIdOf(2), span: spanIdOf(2) }]);
  await store.flush();
  t.equal(store.stats().trouble, null);
  t.equal(partitions(dir).length, 2);
  await store.close();
  const again = open(t, dir);
  for (const n of [1, 2]) t.match(again.find(traceIdOf(n)), { spanCount: 1, completeness: { duplicates: 0 } });
});

t.test('spans older than the retention go with their files, also when nothing arrives', async (t) => {
  const dir = t.testdir();
  let now = Date.now();
  const store = open(t, dir, { now: () => now, limits: { ...limits, retentionMs: 48 * HOUR } });
  for (let day = 0; day < 4; day += 1) {
    await put(store, [{ trace: traceIdOf(day), span: spanIdOf(day + 1), start: now * 1000 }]);
    await store.flush();
    now += 25 * HOUR;
  }
  t.same(
    [0, 1, 2, 3].map((day) => store.find(traceIdOf(day)) !== undefined),
    [false, true, true, true],
  );
  t.equal(partitions(dir).length, 3);
  now += 100 * HOUR;
  store.retain();
  t.same(partitions(dir), [], 'also the newest, when its last span is old');
  t.same(store.search(filter()), []);
  await put(store, [{ trace: traceIdOf(9), span: spanIdOf(9) }]);
  await store.flush();
  t.ok(store.find(traceIdOf(9)), 'and it goes on');
});

t.test('beyond its bytes the store deletes its oldest files and keeps the newest', async (t) => {
  const dir = t.testdir();
  const store = open(t, dir, { limits: { ...limits, maxBytes: 400_000 } });
  for (let n = 0; n < 12; n += 1) {
    await put(
      store,
      Array.from({ length: 600 }, (_, i) => ({ trace: traceIdOf(n * 1000 + i), span: spanIdOf(i + 1), start: at(n) })),
    );
    await store.flush();
  }
  const { diskBytes, partitions: files, deletedPartitions } = store.stats();
  t.ok(diskBytes <= 400_000, `${diskBytes} bytes`);
  t.ok(files >= 1 && deletedPartitions > 0, `${files} files, ${deletedPartitions} deleted`);
  t.equal(store.find(traceIdOf(0)), undefined, 'the oldest are gone');
  t.ok(store.find(traceIdOf(11_000)), 'the newest are there');
});

t.test(
  'on a full disk nothing is acknowledged, what is there is read, and it goes on when there is room',
  async (t) => {
    const dir = t.testdir();
    let now = Date.now();
    let full = false;
    const store = open(t, dir, {
      now: () => now,
      disk: () => ({ budgetBytes: 1e9, usedRatio: full ? 0.93 : 0.5, full }),
    });
    await put(store, [{ trace: traceIdOf(1), span: spanIdOf(1) }]);
    full = true;
    now += 2000;
    t.match(await put(store, [{ trace: traceIdOf(2), span: spanIdOf(2) }]), {
      kind: 'refused',
      why: 'disk_full',
      message: /93 % full/,
    });
    t.equal(store.find(traceIdOf(2)), undefined);
    t.ok(store.find(traceIdOf(1)));
    t.match(store.stats(), { full: true });
    full = false;
    now += 2000;
    t.match(await put(store, [{ trace: traceIdOf(2), span: spanIdOf(2) }]), { kind: 'taken' });
  },
);

t.test('more than the memory may hold is refused and not lost', async (t) => {
  const store = open(t, t.testdir(), { limits: { ...limits, hotBytes: 20_000 } });
  const outcomes = await Promise.all(
    Array.from({ length: 400 }, (_, n) =>
      put(store, [{ trace: traceIdOf(n), span: spanIdOf(n + 1), name: 'n'.repeat(1000) }]),
    ),
  );
  for (let n = 400; n < 800 && outcomes.every(({ kind }) => kind === 'taken'); n += 1)
    outcomes.push(await put(store, [{ trace: traceIdOf(n), span: spanIdOf(n + 1), name: 'n'.repeat(1000) }]));
  for (const [n, { kind }] of outcomes.entries()) if (kind === 'taken') t.ok(store.find(traceIdOf(n)), `trace ${n}`);
  t.ok(
    outcomes.some((outcome) => outcome.kind === 'refused' && outcome.why === 'overloaded'),
    'some were told to come again',
  );
  await store.close();
});

t.test('a partition that is no database is set aside and said, the others are read', async (t) => {
  const dir = t.testdir();
  const store = open(t, dir);
  await put(store, [{ trace: traceIdOf(1), span: spanIdOf(1) }]);
  await store.flush();
  await store.close();
  const bad = join(dir, 'traces-20200101T000000000Z.db');
  writeFileSync(bad, 'this is no database, but long enough to look like one '.repeat(300));
  const said: string[] = [];
  const again = open(t, dir, { onTrouble: (message) => said.push(message) });
  t.ok(again.find(traceIdOf(1)));
  t.match(said, [/set aside/]);
  t.ok(existsSync(`${bad}.damaged`));
});

t.test(
  'names that carry ids do not hide spans: search finds operations beyond the number that is indexed',
  async (t) => {
    const store = open(t, t.testdir());
    await put(
      store,
      Array.from({ length: 500 }, (_, n) => ({
        trace: traceIdOf(n),
        span: spanIdOf(n + 1),
        name: `GET /user/${n}`,
        start: at(n),
      })),
    );
    await store.flush();
    t.same(
      store.search(filter({ service: 'shop', operation: 'GET /user/417' })).map(({ traceId }) => traceId),
      [traceIdOf(417)],
    );
    t.same(store.search(filter({ service: 'shop', operation: 'GET /user/999' })), []);
    t.same(store.search(filter({ service: 'nobody' })), []);
  },
);
