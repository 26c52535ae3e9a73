// Events on the disk: what was acknowledged is there once, also after the daemon was killed, and old ones go by whole files.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Procedure } from '../../../src/base/route.ts';
import type { Logger } from '../../../src/base/logging.ts';
import type { KernelEvent } from '../../../src/probes/kmsg/event.ts';
import { openKernelEvents } from '../../../src/probes/kmsg/keeper.ts';
import { openOutbox, type KernelReport } from '../../../src/probes/kmsg/outbox.ts';
import { openPartitions } from '../../../src/probes/kmsg/partitions.ts';
import { findEvents, readState, writeReport } from '../../../src/probes/kmsg/store.ts';
import { packState, unpackState } from '../../../src/probes/publication.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-26T12:00:00Z');
const quiet = { info() {}, error() {}, warn() {}, debug() {} } as unknown as Logger;

const event = (seq: number, more: Partial<KernelEvent> = {}): KernelEvent => ({
  bootId: 'boot',
  seq,
  usec: seq * 1000,
  at: NOW + seq,
  reason: 'Segfault',
  severity: 6,
  message: `line ${seq}`,
  fields: { pid: String(seq) },
  lines: [],
  suppressed: 0,
  cgroup: null,
  container: null,
  ...more,
});

const state = (seq: number, bootId = 'boot') => ({ bootId, seq });

async function open(t: Test, { days = 90, maxBytes = 1e9, dir = t.testdir() } = {}) {
  const damaged: string[] = [];
  const partitions = await openPartitions({ dir, days, maxBytes, onDamaged: (file) => damaged.push(file) });
  t.teardown(() => partitions.close());
  const seqs = async (query: Partial<Parameters<typeof findEvents>[1]> = {}): Promise<readonly number[]> => {
    const all = { from: 0, to: 8.64e15, reason: undefined, limit: 1000, before: undefined };
    return (await findEvents(partitions, { ...all, ...query })).map(({ seq }) => seq);
  };
  return { partitions, damaged, dir, seqs };
}

t.test('events are found newest first, by time and reason, page by page over the files', async (t) => {
  const { partitions, seqs, dir } = await open(t);
  const old = [1, 2, 3].map((seq) => event(seq, { at: NOW - 20 * DAY_MS + seq, reason: 'OOMKilling' }));
  await writeReport(
    partitions,
    { events: [...old, event(4), event(5), event(5, { reason: 'Other' })], state: state(5) },
    NOW,
  );
  t.equal(readdirSync(dir).filter((name) => name.endsWith('.db')).length, 2);
  t.same(await seqs(), [5, 5, 4, 3, 2, 1]);
  t.same(await seqs({ reason: 'OOMKilling' }), [3, 2, 1]);
  t.same(await seqs({ from: NOW - DAY_MS }), [5, 5, 4]);
  t.same(await seqs({ to: NOW }), [3, 2, 1]);
  t.same(await seqs({ limit: 4 }), [5, 5, 4, 3]);
  const [, last] = await findEvents(partitions, {
    from: 0,
    to: 8.64e15,
    reason: undefined,
    limit: 2,
    before: undefined,
  });
  t.same(await seqs({ before: last }), [4, 3, 2, 1], 'what is of the same time and number is not skipped');
  t.match(
    (await findEvents(partitions, { from: 0, to: 8.64e15, reason: undefined, limit: 1, before: undefined }))[0],
    event(5),
  );
});

t.test('what comes again because its acknowledgement was lost is there once', async (t) => {
  const { partitions, seqs } = await open(t);
  const report: KernelReport = { events: [event(1), event(2)], state: state(2) };
  await writeReport(partitions, report, NOW);
  await writeReport(partitions, { ...report, events: [...report.events, event(3)] }, NOW);
  t.same(await seqs(), [3, 2, 1]);
});

t.test('the state that was written last is read, whichever file it is in', async (t) => {
  const { partitions } = await open(t);
  t.equal(await readState(partitions), undefined);
  await writeReport(partitions, { events: [], state: state(1) }, NOW - 30 * DAY_MS);
  await writeReport(partitions, { events: [event(7)], state: state(7) }, NOW);
  t.same(await readState(partitions), state(7));
});

t.test('too old and too much go by whole files, the newest stays', async (t) => {
  const dir = t.testdir();
  const first = await open(t, { dir, days: 10 });
  for (const ago of [30, 20, 0])
    await writeReport(first.partitions, { events: [event(ago, { at: NOW - ago * DAY_MS })], state: state(1) }, NOW);
  await first.partitions.retain(NOW);
  t.same(await first.seqs(), [0]);
  await writeReport(first.partitions, { events: [event(9, { at: NOW - 9 * DAY_MS })], state: state(1) }, NOW);
  await first.partitions.close();
  const second = await open(t, { dir, maxBytes: 1 });
  t.same(await second.seqs(), [0, 9]);
  t.ok((await second.partitions.retain(NOW)) > 0);
  t.same(await second.seqs(), [0]);
});

t.test('a damaged file is set aside, and what is in the others is found', async (t) => {
  const dir = t.testdir();
  const first = await open(t, { dir });
  await writeReport(
    first.partitions,
    { events: [event(1, { at: NOW - 20 * DAY_MS }), event(2)], state: state(2) },
    NOW,
  );
  await first.partitions.close();
  const [older = ''] = readdirSync(dir)
    .filter((name) => name.endsWith('.db'))
    .sort();
  writeFileSync(join(dir, older), 'this is no database, and never was one'.repeat(100));
  const second = await open(t, { dir });
  t.same(await second.seqs(), [2]);
  t.match(second.damaged, [join(dir, older)]);
  t.ok(readdirSync(dir).includes(`${older}.damaged`));
  await writeReport(second.partitions, { events: [event(1, { at: NOW - 20 * DAY_MS })], state: state(2) }, NOW);
  t.same(await second.seqs(), [2, 1], 'and a new one takes its place');
});

const call = (procedures: readonly Procedure[], request: unknown): Promise<unknown> =>
  Promise.resolve((procedures[0] as unknown as { handler: (request: unknown) => unknown }).handler(request));

async function started(t: Test, dir: string) {
  const events = openKernelEvents({ dir, config: { days: 90, maxBytes: 1e9 }, log: quiet, now: () => NOW });
  const stop = new AbortController();
  await events.start(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await events.stop();
  };
  t.teardown(end);
  const resumed = async (states: Record<string, string> = {}): Promise<unknown> => {
    const packed = (await events.resume({ states })).states['kmsg'];
    return packed === undefined ? undefined : unpackState(Buffer.from(packed, 'base64'));
  };
  return { events, end, resumed };
}

const packed = (of: unknown): Record<string, string> => ({ kmsg: packState(of)?.toString('base64') ?? '' });

t.test('reading goes on from what is on disk when everything else is gone, else from the later of both', async (t) => {
  const dir = t.testdir();
  const first = await started(t, dir);
  t.equal(await first.resumed(), undefined);
  await call(first.events.procedures, { events: [event(7)], state: state(7) });
  await first.end();
  const { resumed } = await started(t, dir);
  t.same(await resumed(), state(7));
  t.same(await resumed(packed({ ...state(6), older: true })), state(7));
  t.same(
    await resumed(packed({ ...state(7), unacknowledged: true })),
    state(7),
    'at one place the disk knows what is written',
  );
  t.same(await resumed(packed(state(8))), state(8));
  t.same(
    await resumed(packed(state(1, 'another boot'))),
    state(1, 'another boot'),
    'memory is never of an earlier boot',
  );
});

t.test('an event is kept until it is acknowledged, and sent again after a while', async (t) => {
  let now = 0;
  let refuse = true;
  const told: KernelReport[] = [];
  const outbox = openOutbox({
    tell(report) {
      told.push(report);
      return refuse ? Promise.reject(new Error('no')) : Promise.resolve();
    },
    stateOf: (pending) => ({ pending: pending.length }),
    pending: [event(1)],
    now: () => now,
    mostPending: 3,
  });
  const send = async (changed = false): Promise<void> => {
    outbox.send(changed);
    outbox.send(changed); // one at a time
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (const seq of [2, 3, 4]) outbox.put(event(seq));
  t.equal(outbox.dropped(), 1, 'what nobody takes is bounded, and said to be lost');
  await send();
  t.same([told.length, outbox.pending().length], [1, 3]);
  await send();
  t.equal(told.length, 1, 'not at once');
  refuse = false;
  now = 6000;
  await send();
  t.same(
    told.at(-1)?.events.map(({ seq }) => seq),
    [1, 2, 3],
  );
  t.same(told.at(-1)?.state, { pending: 0 }, 'the state is what remains when they are written');
  t.same(outbox.pending(), []);
  await send();
  t.equal(told.length, 2, 'nothing new, nothing sent');
  await send(true);
  t.same(told.at(-1), { events: [], state: { pending: 0 } });
});
