// The ledger on disk: rows that are found again, days that are deleted, losses that are counted, reports of any shape.
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { Registry } from '../../src/base/metrics.ts';
import type { Call, Caller, Route } from '../../src/base/route.ts';
import { bufferedRecorder, type Ledger, ledgerMetrics, openLedger, rpcHandler } from '../../src/tracing/index.ts';
import { unixMicros } from '../../src/tracing/clock.ts';
import { daysToDelete } from '../../src/tracing/ledger/days.ts';
import type { Facts } from '../../src/tracing/ledger/facts.ts';
import { newMessageId } from '../../src/tracing/ledger/message-id.ts';
import { privateDirectory } from '../support/daemon.ts';
import { mutate, random } from '../support/random.ts';

const log = openLog('test', 'silent');
const DAY_MS = 86_400_000;
const UNIX: Caller = { name: 'unix', role: 'admin', from: 'unix' };

interface Opened {
  readonly ledger: Ledger;
  /** GET of one of its routes. */
  get(path: string, query?: object): Promise<{ items: Row[]; next?: string; attempts: Row[] }>;
  /** Calls `Ledger::record`. */
  readonly call: Call;
}
interface Row {
  readonly id: string;
  readonly attempt: number;
  readonly state: string;
  readonly proof: string;
}

async function opened(
  t: Test,
  { dir = privateDirectory(t), now = Date.now, maxBytes = 2 ** 30 } = {},
): Promise<Opened> {
  const config = { retentionDays: 7, maxBytes };
  const ledger = openLedger({ dir, config, services: ['jdos-serve', 'jdos'], log, now });
  await ledger.start(new AbortController().signal);
  t.teardown(() => ledger.stop());
  const handler = rpcHandler({ service: 'jdos-serve', procedures: ledger.procedures, may: () => true, log });
  return {
    ledger,
    async get(path, query = {}) {
      const [list, one] = [
        ledger.routes.find((route) => !route.path.includes(':')),
        ledger.routes.find((route) => route.path.includes(':')),
      ];
      const { body } = await answer((path.endsWith('/messages') ? list : one) as Route, path, query);
      return JSON.parse(JSON.stringify(body)) as { items: Row[]; next?: string; attempts: Row[] };
    },
    async call(procedure, request) {
      const headers = {
        'rpc-caller': 'p',
        'rpc-service': 'jdos-serve',
        'rpc-procedure': procedure,
        'rpc-encoding': 'json',
      };
      const body = Buffer.isBuffer(request) ? request : Buffer.from(JSON.stringify(request));
      const reply = await handler(headers, body, UNIX, new AbortController().signal);
      if (reply.status !== 200) throw Object.assign(new Error(reply.body), { status: reply.status });
      return JSON.parse(reply.body) as unknown;
    },
  };
}

const answer = (route: Route, path: string, query: object) =>
  route.handler({
    params: { id: path.split('/').at(-1) },
    query: route.query?.parse(query) ?? {},
    body: undefined,
    headers: {},
    caller: UNIX,
    signal: new AbortController().signal,
  });

const delivered = (id = newMessageId(), more: Partial<Facts> = {}): Facts => ({
  id,
  attempt: 0,
  caller: 'a',
  service: 'b',
  procedure: 'B::do',
  traceId: 'c'.repeat(32),
  sentAt: unixMicros(),
  endedAt: unixMicros(),
  ended: 'replied',
  code: 'ok',
  ...more,
});

t.test('a row is found by its id when its commit has resolved, also after a restart', async (t) => {
  const dir = privateDirectory(t);
  const first = await opened(t, { dir });
  const id = newMessageId();
  await first.ledger.recorder.commit(delivered(id));
  t.match(await first.get(`/jdos/v1/messages/${id}`), { attempts: [{ id, state: 'delivered', attempt: 0 }] });
  const second = await opened(t, { dir });
  t.match(
    await second.get(`/jdos/v1/messages/${id.toUpperCase()}`),
    { attempts: [{ id }] },
    'by another process, meanwhile',
  );
  await t.rejects(second.get(`/jdos/v1/messages/${newMessageId()}`), { code: 'JD_MESSAGE_UNKNOWN' });
  await t.rejects(second.get('/jdos/v1/messages/nothing'), { code: 'JD_MESSAGE_UNKNOWN' });
});

t.test('lists are newest first, filtered, and go on where they stopped', async (t) => {
  const { ledger, get } = await opened(t);
  const start = Date.now() - 60_000;
  const ids = Array.from({ length: 25 }, (_, i) => newMessageId(start + i * 1000));
  for (const [i, id] of ids.entries()) {
    ledger.recorder.record(
      i % 5 === 0 ? delivered(id, { service: 'c', ended: 'failed', code: 'unavailable' }) : delivered(id),
    );
  }
  const newest = [...ids].reverse();
  const all: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await get('/jdos/v1/messages', { limit: 10, ...(cursor === undefined ? {} : { cursor }) });
    all.push(...page.items.map(({ id }) => id));
    cursor = page.next;
    if (cursor === undefined) break;
  }
  t.same(all, newest);
  const found = async (query: object): Promise<readonly string[]> =>
    (await get('/jdos/v1/messages', query)).items.map(({ id }) => id);
  const failed = newest.filter((id) => ids.indexOf(id) % 5 === 0);
  t.same(await found({ state: 'failed' }), failed);
  t.same(await found({ service: 'c' }), failed);
  t.same(await found({ state: 'failed', service: 'b' }), []);
  t.same((await found({ trace: 'c'.repeat(32) })).length, 25);
  t.same(await found({ from: String(start + 20_000), to: String(start + 23_000) }), newest.slice(2, 5));
  await t.rejects(get('/jdos/v1/messages', { cursor: 'wrong' }), { code: 'JD_MESSAGES_CURSOR' });
});

t.test('days that are too old or too many are deleted, oldest first, and today stays', async (t) => {
  const now = Date.UTC(2026, 10, 25, 12);
  const days = ['20261110', '20261118', '20261120', '20261124', '20261125'].map((day) => ({ day, bytes: 100 }));
  t.same(daysToDelete(days, now, { retentionDays: 7, maxBytes: 1000 }), ['20261110']);
  t.same(daysToDelete(days, now, { retentionDays: 7, maxBytes: 250 }), ['20261110', '20261118', '20261120']);
  t.same(daysToDelete(days, now, { retentionDays: 7, maxBytes: 0 }), ['20261110', '20261118', '20261120', '20261124']);

  const dir = privateDirectory(t);
  let clock = Date.now();
  const first = await opened(t, { dir, now: () => clock });
  const old = newMessageId(clock - 6 * DAY_MS);
  await first.ledger.recorder.commit(delivered(old));
  t.match(await first.get(`/jdos/v1/messages/${old}`), { attempts: [{ id: old }] });
  t.equal(readdirSync(dir).filter((name) => name.endsWith('.db')).length, 2);
  await first.ledger.stop();
  clock += 3 * DAY_MS;
  const second = await opened(t, { dir, now: () => clock });
  await t.rejects(second.get(`/jdos/v1/messages/${old}`), { code: 'JD_MESSAGE_UNKNOWN' });
  await second.ledger.recorder.commit(delivered(newMessageId(clock - 30 * DAY_MS)));
  t.equal(second.ledger.counts().unrecorded, 1, 'what is for no day that is kept is counted as lost');
});

t.test('a ledger that cannot be written holds no call up, and says what it lost', async (t) => {
  const dir = join(privateDirectory(t), 'ledger');
  mkdirSync(dir);
  const { ledger } = await opened(t, { dir, maxBytes: 1024 });
  // The files of today are larger than that already: as with a full disk, nothing more can be written.
  // A commit that waited for room would never resolve.
  await ledger.recorder.commit(delivered());
  ledger.recorder.record(delivered());
  await ledger.recorder.commit(delivered());
  t.equal(ledger.counts().unrecorded, 3);
  t.match(ledger.health(), { state: 'failing', costs: /not recorded/, summary: /3 lost/ });
  const registry = new Registry();
  ledgerMetrics(registry, ledger.counts);
  t.match(await registry.metrics(), /^jdos_messages_unrecorded_total 3$/m);
});

t.test('a ledger that cannot be opened says why, and calls go on', async (t) => {
  const dir = join(privateDirectory(t), 'ledger');
  writeFileSync(dir, 'a file where the directory should be');
  chmodSync(dir, 0o600);
  const ledger = openLedger({
    dir,
    config: { retentionDays: 7, maxBytes: 2 ** 30 },
    services: ['s'],
    log,
    now: Date.now,
  });
  await t.rejects(ledger.start(new AbortController().signal));
  await ledger.recorder.commit(delivered());
  t.equal(ledger.counts().unrecorded, 1);
  await ledger.stop();
});

t.test('a buffer ships what there is, keeps it while the ledger is away, and counts what it drops', async (t) => {
  const { ledger, get, call } = await opened(t);
  let dead = true;
  const buffered = bufferedRecorder({
    services: ['jdos-probe'],
    log,
    capacity: 3,
    shipEveryMs: 20,
    call: (...args) => (dead ? Promise.reject(new Error('dead')) : call(...args)),
  });
  const ids = Array.from({ length: 5 }, () => newMessageId());
  for (const id of ids) buffered.recorder.record({ id, attempt: 0, sentAt: unixMicros() });
  buffered.recorder.record({ id: ids[0] ?? '', attempt: 0, ended: 'replied', code: 'ok' });
  t.equal(buffered.dropped(), 2);
  await buffered.ship();
  t.match(buffered.health(), { state: 'limited', reason: /3 messages wait to be recorded, 2 dropped/ });
  dead = false;
  await buffered.ship();
  t.match(await get(`/jdos/v1/messages/${ids[0]}`), { attempts: [{ state: 'delivered' }] });
  t.equal((await get('/jdos/v1/messages')).items.length, 3);
  t.equal(ledger.counts().unrecorded, 2, 'the ledger knows what was dropped');
  buffered.recorder.record({ id: newMessageId(), attempt: 0 });
  await sleep(150);
  t.equal((await get('/jdos/v1/messages')).items.length, 4, 'shipped by itself');
  await buffered.stop();
});

t.test('a request that never arrived is called lost when the watermark of its callee has passed', async (t) => {
  const { ledger, call, get } = await opened(t);
  const sentAt = unixMicros() - 60_000_000;
  const id = newMessageId(Date.now() - 60_000);
  const caller = { id, attempt: 0, caller: 'jdos-agent', service: 'jdos-probe', peer: 'unix', seq: 9, sentAt };
  await ledger.recorder.commit({ ...caller, deadlineAt: sentAt + 1e6, endedAt: sentAt + 1e6, ended: 'timed_out' });
  t.match(await get(`/jdos/v1/messages/${id}`), { attempts: [{ state: 'timed_out', executed: 'unknown' }] });
  const shipment = { instance: 'jdos-probe/1', services: ['jdos-probe'], dropped: 0, reports: [] };
  await call('Ledger::record', { ...shipment, from: sentAt - 1e6, upTo: unixMicros() }, 1000);
  t.match(await get('/jdos/v1/messages', { state: 'lost_request' }), {
    items: [{ id, executed: 'no', proof: /request 9 never arrived: jdos-probe has reported everything until/ }],
  });
});

t.test('a report of any shape is taken or refused, and breaks nothing', async (t) => {
  const { ledger, call, get } = await opened(t);
  const next = random();
  const good = Buffer.from(
    JSON.stringify({
      instance: 'jdos-probe/1',
      services: ['jdos-probe'],
      from: 1,
      upTo: 2,
      dropped: 0,
      reports: [delivered(newMessageId(), { seq: 1, written: 1 })],
    }),
  );
  for (let i = 0; i < 400; i += 1) {
    const refused = await call('Ledger::record', mutate(good, next), 1000).then(
      () => undefined,
      (error: { status?: number }) => error.status,
    );
    t.ok(refused === undefined || refused === 400, `answered with ${refused ?? 200}`);
  }
  const id = newMessageId();
  await ledger.recorder.commit(delivered(id));
  t.match(await get(`/jdos/v1/messages/${id}`), { attempts: [{ state: 'delivered' }] }, 'and it goes on');
});
