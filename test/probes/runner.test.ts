import t from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { SILENT } from '../../src/probes/announcements.ts';
import type { QuarantineEntry } from '../../src/probes/collection.ts';
import type { Collector, Collecting } from '../../src/probes/collector.ts';
import { ProbesConfig } from '../../src/probes/config.ts';
import { packState, type Publication } from '../../src/probes/publication.ts';
import { nextDue, openRunner, periodOf } from '../../src/probes/runner.ts';
import type { RunnerOptions } from '../../src/probes/runner.ts';
import { fakeClock } from './fake-clock.ts';

const log = openLog('test', 'silent');

const collector = (
  name: string,
  collect: Collecting['collect'] = (out) => out.add(name, 1),
  more: Partial<Collector> = {},
): Collector => ({
  name,
  view: 'node',
  periodSeconds: 15,
  metrics: [{ name, help: `${name}.`, type: 'gauge', source: '' }],
  open: () => ({ collect }),
  ...more,
});

function probe(
  t: { teardown(f: () => unknown): void },
  collectors: readonly Collector[],
  more: Partial<RunnerOptions> = {},
) {
  const clock = fakeClock();
  const published: Publication[] = [];
  const events: string[] = [];
  const runner = openRunner({
    collectors,
    hostRoot: '/nowhere',
    config: ProbesConfig.parse({ periodSeconds: 10 }),
    resumption: { states: {} },
    quarantine: [],
    announcements: SILENT,
    async handOver() {
      events.push('hand over');
    },
    async publish(publication) {
      events.push(`publish ${publication.collector}`);
      published.push(publication);
    },
    log,
    clock,
    ...more,
  });
  t.teardown(() => runner.stop());
  return { runner, clock, published, events, start: () => runner.start(new AbortController().signal) };
}

const packed = (state: unknown): string => packState(state)?.toString('base64') ?? '';

const names = (published: readonly Publication[]): string => published.map((p) => p.collector).join(' ');

t.test(
  'the first round runs every collector at once, one after another, and they meet again each period',
  async (t) => {
    const { start, clock, published } = probe(
      t,
      ['a', 'b', 'c', 'd'].map((name) => collector(name)),
    );
    await start();
    await clock.advance(0);
    t.equal(names(published), 'a b c d');
    await clock.advance(9_999);
    t.equal(published.length, 4);
    await clock.advance(1);
    t.equal(names(published), 'a b c d a b c d');
  },
);

t.test('a publication says what was collected, when and how long it took', async (t) => {
  const { start, clock, published } = probe(
    t,
    [
      collector('a', () => {}, {
        metrics: [
          { name: 'a', help: 'A.', type: 'gauge', source: '', labels: ['x'] },
          { name: 'a_total', help: 'A.', type: 'counter', source: '' },
        ],
        open: ({ saved }) => ({
          collect: (out) => out.add('a', 7, 'y'),
          details: () => ({ pids: [1] }),
          save: () => ({ before: saved }),
        }),
      }),
    ],
    { resumption: { states: { a: packed({ n: 1 }), other: packed(2) } } },
  );
  await start();
  await clock.advance(0);
  t.same(published, [
    {
      collector: 'a',
      at: Date.UTC(2026, 10, 22),
      periodSeconds: 10,
      durationSeconds: 0,
      cpuSeconds: 0,
      quarantined: [],
      families: [{ name: 'a', text: Buffer.from('a{x="y"} 7\n'), samples: 1 }],
      dropped: 0,
      details: { pids: [1] },
      state: packState({ before: { n: 1 } }),
    },
  ]);
});

t.test('what was collected is handed over before something is read that may hang', async (t) => {
  const { start, clock, events } = probe(t, [
    collector('safe'),
    collector('hangs', undefined, { mayHang: true }),
    collector('last'),
  ]);
  await start();
  await clock.advance(0);
  t.same(events, ['publish safe', 'hand over', 'publish hangs', 'publish last']);
});

t.test('what was lost is collected again at once, and then at its period as before', async (t) => {
  const { runner, start, clock, published } = probe(t, [
    collector('fast'),
    collector('slow', undefined, { periodSeconds: 60 }),
  ]);
  await start();
  await clock.advance(12_000);
  t.equal(names(published), 'fast slow fast');
  runner.collectAgain(['slow', 'unheard of']);
  await clock.advance(0);
  t.equal(names(published), 'fast slow fast slow');
  await clock.advance(47_999);
  t.equal(published.filter((p) => p.collector === 'slow').length, 2);
  await clock.advance(1);
  t.equal(published.filter((p) => p.collector === 'slow').length, 3);
});

t.test('a slow collector keeps its own period', async (t) => {
  const { start, clock, published } = probe(t, [
    collector('fast'),
    collector('slow', undefined, { periodSeconds: 60 }),
  ]);
  await start();
  await clock.advance(59_999);
  t.equal(published.filter((p) => p.collector === 'slow').length, 1);
  await clock.advance(1);
  t.equal(published.filter((p) => p.collector === 'slow').length, 2);
  await clock.advance(30_000);
  t.equal(published.filter((p) => p.collector === 'slow').length, 2);
  t.equal(published.find((p) => p.collector === 'slow')?.periodSeconds, 60);
  t.equal(published.filter((p) => p.collector === 'fast').length, 10);
});

t.test('what was collected has left the process before the next collection begins', async (t) => {
  const events: string[] = [];
  let letGo = (): void => {};
  const { start, clock } = probe(
    t,
    ['a', 'b'].map((name) => collector(name, () => void events.push(`collect ${name}`))),
    {
      publish: async ({ collector }) => {
        await new Promise<void>((resolve) => (letGo = resolve));
        events.push(`published ${collector}`);
      },
    },
  );
  await start();
  await clock.advance(30_000);
  t.same(events, ['collect a']);
  letGo();
  await clock.advance(0);
  t.same(events, ['collect a', 'published a', 'collect b']);
  letGo();
});

t.test('a collector that throws is published as failed with the reason, and the others go on', async (t) => {
  const failing = (name: string, error: unknown) =>
    collector(name, () => {
      throw error;
    });
  const { start, clock, published, runner } = probe(t, [
    failing('gone', Object.assign(new Error('no such file'), { code: 'ENOENT' })),
    failing('denied', Object.assign(new Error('not for you'), { code: 'EACCES' })),
    failing('broken', new Error('unexpected text', { cause: new Error('line 3') })),
    collector('undeclared', (out) => out.add('other', 1)),
    collector('late', () => Promise.reject(new Error('asynchronously'))),
    collector('fine'),
  ]);
  await start();
  await clock.advance(0);
  t.same(
    published.map(({ collector, error }) => [collector, error?.reason, error?.message]),
    [
      ['gone', 'absent', 'no such file'],
      ['denied', 'permission', 'not for you'],
      ['broken', 'failed', 'unexpected text: line 3'],
      ['undeclared', 'failed', 'metric other is not declared by its collector'],
      ['late', 'failed', 'asynchronously'],
      ['fine', undefined, undefined],
    ],
  );
  t.ok(published.every(({ error, families }) => (error === undefined) === families.length > 0));
  t.match(runner.health(), {
    state: 'limited',
    reason: 'collectors fail: gone (absent), denied (permission), broken (failed), undeclared (failed), late (failed)',
    summary: '6 collectors, 1 series',
  });
});

t.test('a collector that cannot be opened is opened again at the next period', async (t) => {
  let opens = 0;
  const { start, clock, published } = probe(t, [
    collector('a', undefined, {
      open: () => {
        opens += 1;
        if (opens === 1) throw new Error('not yet');
        return { collect: (out) => out.add('a', 1) };
      },
    }),
  ]);
  await start();
  await clock.advance(30_000);
  t.same(
    published.map(({ error }) => error?.message),
    ['not yet', undefined, undefined, undefined],
  );
  t.equal(opens, 2);
});

t.test('an asynchronous collection has 30 seconds, and another is not begun while it lasts', async (t) => {
  let begun = 0;
  let end = (): void => {};
  const { start, clock, published } = probe(t, [
    collector('stuck', () => {
      begun += 1;
      return new Promise<void>((resolve) => (end = resolve));
    }),
    collector('other'),
  ]);
  await start();
  await clock.advance(29_999);
  t.same(published, []);
  await clock.advance(1);
  t.match(published, [
    { collector: 'stuck', error: { reason: 'deadline' }, durationSeconds: 30 },
    { collector: 'other' },
  ]);
  published.length = 0;
  await clock.advance(10_000);
  t.match(published, [
    { collector: 'stuck', error: { reason: 'deadline', message: /not ended/ } },
    { collector: 'other' },
  ]);
  t.equal(begun, 1);
  end();
  await clock.advance(10_000);
  t.equal(begun, 2, 'it is begun again after it ended');
});

t.test('a publication that does not get through is replaced by the next collection', async (t) => {
  let refuse = true;
  let tries = 0;
  let n = 0;
  const got: Publication[] = [];
  const { start, clock, runner } = probe(t, [collector('a', (out) => out.add('a', (n += 1)))], {
    publish: async (publication) => {
      tries += 1;
      if (refuse) throw new Error('no serve process');
      got.push(publication);
    },
  });
  await start();
  await clock.advance(35_000);
  t.equal(tries, 4, 'one try each period');
  t.match(runner.health(), { state: 'failing' });
  refuse = false;
  await clock.advance(10_000);
  t.same(
    got.map(({ families }) => String(families[0]?.text)),
    ['a 5\n'],
    'the newest only',
  );
  t.match(runner.health(), { state: 'available' });
});

t.test('a slow collector that did not get through is not collected again for it', async (t) => {
  let collected = 0;
  const tried: string[] = [];
  const { start, clock } = probe(t, [collector('slow', () => void (collected += 1), { periodSeconds: 3600 })], {
    publish: async ({ collector }) => {
      tried.push(collector);
      if (tried.length < 3) throw new Error('no serve process');
    },
  });
  await start();
  await clock.advance(120_000);
  t.equal(collected, 1);
  t.equal(tried.length, 3);
});

const entry = (collector: string, target: string, until: number): QuarantineEntry => ({
  collector,
  target,
  since: 0,
  until,
});

t.test('a collector in quarantine is not run until its time is over', async (t) => {
  const now = Date.UTC(2026, 10, 22);
  let runs = 0;
  const { start, clock, published } = probe(t, [collector('a', () => void (runs += 1))], {
    quarantine: [entry('a', '', now + 15_000), entry('b', '/x', now + 15_000)],
  });
  await start();
  await clock.advance(14_999);
  t.equal(runs, 0);
  t.match(published[0], {
    error: { reason: 'deadline', message: 'an earlier collection hung; the next is at 2026-11-22T00:00:15.000Z' },
    quarantined: [{ target: '', since: 0, until: now + 15_000 }],
  });
  published.length = 0;
  await clock.advance(10_000);
  t.equal(runs, 1);
  t.match(published, [{ error: undefined, quarantined: [] }]);
});

t.test('a target in quarantine is skipped until its time is over, and the state is carried over that', async (t) => {
  const now = Date.UTC(2026, 10, 22);
  const saved: unknown[] = [];
  const { start, clock, published } = probe(
    t,
    [
      collector('fs', undefined, {
        open: ({ host, saved: state }) => {
          saved.push(state);
          let reads = (state as { reads?: number } | undefined)?.reads ?? 0;
          return {
            collect(out) {
              if (!host.isQuarantined('/mnt'))
                out.add(
                  'fs',
                  host.risky('/mnt', () => (reads += 1)),
                );
              else reads += 100;
            },
            save: () => ({ reads }),
          };
        },
      }),
    ],
    { quarantine: [entry('fs', '/mnt', now + 15_000)] },
  );
  await start();
  await clock.advance(20_000);
  t.same(
    published.map(({ families, quarantined }) => [families[0]?.text.toString(), quarantined.length]),
    [
      [undefined, 1],
      [undefined, 1],
      ['fs 201\n', 0],
    ],
  );
  t.same(saved, [undefined, { reads: 200 }]);
});

t.test('a collector that fails for a target in quarantine fails for its deadline', async (t) => {
  const { start, clock, published } = probe(
    t,
    [
      collector('fs', undefined, {
        open: ({ host }) => ({
          collect: (out) =>
            out.add(
              'fs',
              host.risky('/mnt', () => 1),
            ),
        }),
      }),
    ],
    { quarantine: [entry('fs', '/mnt', Infinity)] },
  );
  await start();
  await clock.advance(0);
  t.match(published, [{ error: { reason: 'deadline', message: /quarantine/ } }]);
});

t.test('every collection and each risky read in it is announced, also when it fails', async (t) => {
  const said: string[] = [];
  const { start, clock } = probe(
    t,
    [
      collector('fs', undefined, {
        open: ({ host }) => ({
          collect: () =>
            host.risky('/mnt', () => {
              throw new Error('no');
            }),
        }),
      }),
    ],
    {
      announcements: {
        begin: ({ collector, target }, ms) => said.push(`+${ms} ${collector} ${target}`),
        end: () => said.push('-'),
      },
    },
  );
  await start();
  await clock.advance(0);
  t.same(said, ['+35000 fs ', '+2000 fs /mnt', '-', '-']);
});

t.test('the budget of series holds for all collectors together', async (t) => {
  const many = (name: string, count: number) =>
    collector(
      name,
      (out) => {
        for (let i = 0; i < count; i += 1) out.add(name, 1, `${i}`);
      },
      { metrics: [{ name, help: '', type: 'gauge', source: '', labels: ['i'] }] },
    );
  const { start, clock, published } = probe(t, [many('a', 70), many('b', 70), many('c', 70)], {
    config: ProbesConfig.parse({ maxSeries: 100 }),
  });
  await start();
  await clock.advance(40_000);
  t.equal(published.length, 3 * 3);
  for (const [name, samples] of [
    ['a', 70],
    ['b', 30],
    ['c', 0],
  ] as const) {
    const sizes = published.filter((p) => p.collector === name).map((p) => p.families[0]?.samples ?? 0);
    t.same([...new Set(sizes)], [samples], `${name} in each round`);
  }
});

t.test('collectNow collects and publishes the fast collectors once, and calls meanwhile join', async (t) => {
  const { runner, start, clock, published } = probe(t, [
    collector('a'),
    collector('b'),
    collector('slow', undefined, { periodSeconds: 60 }),
  ]);
  await start();
  await clock.advance(1000);
  published.length = 0;
  let done = 0;
  for (let i = 0; i < 5; i += 1) void runner.collectNow().then(() => (done += 1));
  await clock.advance(0);
  t.equal(names(published), 'a b');
  t.equal(done, 5);
  void runner.collectNow('all').then(() => (done += 1));
  await clock.advance(0);
  t.equal(names(published), 'a b a b slow');
  t.equal(done, 6);
});

t.test('stopping ends the sleep, and refuses who waits for a collection', async (t) => {
  const { runner, start, clock, published } = probe(t, [collector('a')]);
  const early = runner.collectNow();
  await runner.stop();
  await t.rejects(early, { code: 'JD_PROBES_STOPPED' });
  await t.rejects(runner.collectNow(), { code: 'JD_PROBES_STOPPED' });
  await start();
  await clock.advance(60_000);
  t.same(published, []);
  t.equal(clock.timers, 0);
});

t.test('stopping does not wait for an asynchronous collection, and publishes nothing of it', async (t) => {
  const { runner, start, clock, published } = probe(t, [collector('stuck', () => new Promise<void>(() => {}))]);
  await start();
  await clock.advance(1000);
  await runner.stop();
  t.same([published, clock.timers], [[], 0]);
});

t.test('what a collector holds of the host is given back at the stop, and when it is opened anew', async (t) => {
  const held: string[] = [];
  const opened = (name: string): Collector =>
    collector(name, undefined, {
      open: () => ({ collect: (out) => out.add(name, 1), close: () => held.push(`${name} closed`) }),
    });
  const quarantine = [{ collector: 'a', target: '/mnt', since: 0, until: Date.UTC(2026, 10, 22) + 15_000 }];
  const { runner, start, clock } = probe(t, [opened('a'), opened('b'), collector('c')], { quarantine });
  await start();
  await clock.advance(10_000);
  t.same(held, []);
  await clock.advance(10_000);
  t.same(held, ['a closed'], 'its quarantine is over');
  await runner.stop();
  t.same(held, ['a closed', 'a closed', 'b closed']);
  held.length = 0;
});

t.test('a wall clock set back does not stop the collections', async (t) => {
  const { start, clock, published } = probe(t, [collector('a')]);
  await start();
  await clock.advance(1000);
  clock.set(0);
  await clock.advance(30_000);
  t.equal(published.length, 4);
});

t.test('a process that starts with no collectors only waits', async (t) => {
  const { runner, start, clock } = probe(t, []);
  await start();
  await clock.advance(60_000);
  await runner.collectNow();
  t.match(runner.health(), { state: 'available', summary: '0 collectors, 0 series' });
});

const config = ProbesConfig.parse({ periodSeconds: 5 });
for (const [own, expected] of [
  [1, 5],
  [15, 5],
  [16, 16],
  [3600, 3600],
] as const) {
  t.equal(
    periodOf({ periodSeconds: own }, config),
    expected,
    `a period of ${own} s is ${expected} s when 5 s is configured`,
  );
}

for (const [now, expected] of [
  [0, 100],
  [99, 100],
  [100, 200],
  [1234, 1300],
] as const) {
  t.equal(nextDue(now, 0, 100), expected, `after ${now} a collector is due at ${expected}`);
}

t.test('after each collection, when it is published, whoever watches the process is called', async (t) => {
  const seen: string[] = [];
  const { start, clock, events } = probe(t, [collector('a'), collector('b')], {
    onTurn: () => seen.push(events.at(-1) ?? ''),
  });
  await start();
  await clock.advance(10_000);
  t.same(seen, ['publish a', 'publish b', 'publish a', 'publish b']);
});
