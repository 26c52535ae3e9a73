// Messages on the wire: the envelope of every call, the times in every reply, what both sides record, attempts, lateness.
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { type Procedure, procedure } from '../../src/base/route.ts';
import { z } from '../../src/base/schema.ts';
import { currentTrace } from '../../src/tracing/context.ts';
import { type Facts, fold, keyOf } from '../../src/tracing/ledger/facts.ts';
import { newMessageId } from '../../src/tracing/ledger/message-id.ts';
import { callerIdentity, type Recorder } from '../../src/tracing/ledger/recorder.ts';
import { listenRpc, openRpcClient, rpcHandler } from '../../src/tracing/index.ts';
import { privateDirectory } from '../support/daemon.ts';
import { mutate, random } from '../support/random.ts';

interface Recorded extends Recorder {
  /** The folded rows, in the order in which they were first heard of. */
  rows(): readonly Facts[];
}

function memoryRecorder(name: string): Recorded {
  const rows = new Map<string, Facts>();
  const record = (facts: Facts): void => {
    const before = rows.get(keyOf(facts));
    rows.set(keyOf(facts), before === undefined ? facts : fold(before, facts));
  };
  return {
    ...callerIdentity(name),
    record,
    commit: (facts) => Promise.resolve(record(facts)),
    rows: () => [...rows.values()],
  };
}

const log = openLog('test', 'silent');
const say = procedure({ name: 'Echo::say', right: 'read', request: z.unknown(), handler: (said) => said });
const slow = procedure({
  name: 'Echo::slow',
  right: 'read',
  request: z.object({ ms: z.number() }),
  handler: async ({ ms }) => sleep(ms, {}),
});
const quiet = procedure({
  name: 'Echo::quiet',
  right: 'read',
  request: z.unknown(),
  recorded: false,
  handler: () => ({}),
});

async function served(t: Test, more: readonly Procedure[] = []): Promise<{ socketPath: string; callee: Recorded }> {
  const socketPath = join(privateDirectory(t), 's');
  const callee = memoryRecorder('echo');
  const procedures = [say, slow, quiet, ...more];
  const handler = rpcHandler({ service: 'echo', procedures, may: () => true, log, recorder: callee });
  const listener = await listenRpc(socketPath, handler);
  t.teardown(() => listener[Symbol.asyncDispose]());
  return { socketPath, callee };
}

function client(
  t: Test,
  socketPath: string,
  attempts = 1,
): { caller: Recorded; call: ReturnType<typeof openRpcClient>['call'] } {
  const caller = memoryRecorder('test');
  const opened = openRpcClient({ socketPath, service: 'echo', caller: 'test', recorder: caller, attempts });
  t.teardown(() => opened[Symbol.asyncDispose]());
  return { caller, call: opened.call };
}

const WHOLE = { 'rpc-caller': 'curl', 'rpc-service': 'echo', 'rpc-procedure': 'Echo::say', 'rpc-encoding': 'json' };

const raw = (
  socketPath: string,
  headers: Record<string, string | string[]>,
  body = '{}',
): Promise<{ status: number; headers: IncomingHttpHeaders }> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/yarpc', headers }, (reply) => {
      reply.resume().on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers }));
    });
    sent.on('error', reject).end(body);
  });

const until = async (what: string, ready: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !ready(); i += 1) await sleep(10);
  if (!ready()) throw new Error(`${what} did not happen`);
};

t.test('a plain peer sees the envelope of a call', async (t) => {
  const socketPath = join(privateDirectory(t), 's');
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((incoming, response) => {
    seen.push(incoming.headers);
    incoming.resume().on('end', () => response.writeHead(200, { 'rpc-status': 'success' }).end('{}'));
  }).listen(socketPath);
  t.teardown(() => server.close());
  const { call, caller } = client(t, socketPath);
  await call('Echo::say', {}, 1000);
  await call('Echo::say', {}, 1000);
  t.match(seen[0], {
    'rpc-message-id': /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'rpc-attempt': '0',
    'rpc-seq': '1',
    'rpc-sent-at': /^\d{19}$/,
    'rpc-instance': /^test\//,
    traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
    'context-ttl-ms': '1000',
  });
  t.equal(seen[1]?.['rpc-seq'], '2', 'calls to one service are counted');
  t.match(caller.rows()[0], { ended: 'replied', code: 'ok' });
  t.equal(caller.rows()[0]?.receivedAt, undefined, 'what the peer did not say is not known');
});

t.test('both sides record a call, and the reply tells the caller the times of the callee', async (t) => {
  const { socketPath, callee } = await served(t);
  const { call, caller } = client(t, socketPath);
  await call('Echo::say', { text: '消息' }, 1000);
  await until('the reply to be written', () => callee.rows()[0]?.written === 1);
  const [[mine], [theirs]] = [caller.rows(), callee.rows()];
  t.match(mine, {
    caller: 'test',
    service: 'echo',
    procedure: 'Echo::say',
    peer: 'unix',
    seq: 1,
    ended: 'replied',
    code: 'ok',
  });
  t.match(theirs, { caller: 'test', service: 'echo', calleeCode: 'ok', written: 1, seq: 1 });
  t.equal(mine?.id, theirs?.id);
  t.equal(mine?.traceId, theirs?.traceId);
  for (const name of ['receivedAt', 'execStart', 'execEnd', 'repliedAt', 'requestBytes', 'replyBytes'] as const)
    t.equal(mine?.[name], theirs?.[name], name);
  const times = [mine?.sentAt, mine?.receivedAt, mine?.execStart, mine?.execEnd, mine?.repliedAt, mine?.endedAt];
  t.same([...times].sort(), times, 'in the order in which it happened');
});

t.test('a peer without an envelope is served as before, and told the id of its row', async (t) => {
  const { socketPath, callee } = await served(t);
  const { status, headers } = await raw(socketPath, WHOLE);
  t.equal(status, 200);
  const [row] = callee.rows();
  t.equal(headers['rpc-message-id'], row?.id);
  t.match(row, { caller: 'curl', procedure: 'Echo::say', calleeCode: 'ok', attempt: 0 });
  t.match(headers, { 'rpc-received-at': /^\d{19}$/, 'rpc-exec-start': /^\d{19}$/, 'rpc-exec-end': /^\d{19}$/ });
  const refused = await raw(socketPath, { ...WHOLE, 'rpc-procedure': 'Echo::nothing' });
  t.equal(refused.status, 404);
  t.match(
    callee.rows()[1],
    { id: refused.headers['rpc-message-id'], calleeCode: 'not-found' },
    'a refusal has a row, too',
  );
});

t.test('a procedure can be kept out of the ledger', async (t) => {
  const { socketPath, callee } = await served(t);
  await raw(socketPath, { ...WHOLE, 'rpc-procedure': 'Echo::quiet' });
  t.same(callee.rows(), []);
});

t.test('calls made by a handler continue the trace of its caller', async (t) => {
  const inner = await served(t);
  const { call } = client(t, inner.socketPath);
  const outer = await served(t, [
    procedure({
      name: 'Echo::nested',
      right: 'read',
      request: z.unknown(),
      handler: async () => ({ trace: currentTrace()?.traceId, reply: await call('Echo::say', {}, 1000) }),
    }),
  ]);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  await raw(outer.socketPath, {
    ...WHOLE,
    'rpc-procedure': 'Echo::nested',
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  });
  t.equal(outer.callee.rows()[0]?.traceId, traceId);
  t.equal(inner.callee.rows()[0]?.traceId, traceId);
});

t.test('a call to a dead peer ends as unavailable', async (t) => {
  const { call, caller } = client(t, join(privateDirectory(t), 'nobody'));
  await t.rejects(call('Echo::say', {}, 1000), { code: 'JD_RPC_UNREACHABLE' });
  t.match(caller.rows(), [{ attempt: 0, ended: 'failed', code: 'unavailable' }]);
});

t.test('an unavailable peer is tried again under the same id, as often as wanted', async (t) => {
  const socketPath = join(privateDirectory(t), 's');
  let refused = 0;
  const server = createTcpServer((socket) => {
    refused += 1;
    socket.destroy();
  }).listen(socketPath);
  t.teardown(() => server.close());
  const { call, caller } = client(t, socketPath, 3);
  await t.rejects(call('Echo::say', {}, 5000), { code: 'JD_RPC_UNREACHABLE' });
  t.equal(refused, 3);
  const rows = caller.rows();
  t.same(
    rows.map(({ attempt }) => attempt),
    [0, 1, 2],
  );
  t.equal(new Set(rows.map(({ id }) => id)).size, 1, 'one message');
  t.same(
    rows.map(({ seq }) => seq),
    [1, 2, 3],
  );
});

t.test('what the callee refuses is not tried again', async (t) => {
  const { socketPath, callee } = await served(t);
  const { call } = client(t, socketPath, 3);
  await t.rejects(call('Echo::nothing', {}, 1000), { code: 'JD_RPC_NO_PROCEDURE' });
  t.equal(callee.rows().length, 1);
});

t.test('a late end of the execution is still recorded', async (t) => {
  const { socketPath, callee } = await served(t);
  const { call, caller } = client(t, socketPath);
  await t.rejects(call('Echo::slow', { ms: 200 }, 60), { code: 'JD_RPC_DEADLINE' });
  t.match(caller.rows(), [{ ended: 'timed_out', code: 'deadline-exceeded' }]);
  await until('the execution to end', () => callee.rows()[0]?.execEnd !== undefined);
  const [row] = callee.rows();
  t.match(row, { calleeCode: 'deadline-exceeded' });
  t.ok((row?.execEnd ?? 0) - (row?.execStart ?? 0) >= 190_000, 'executed after all, 200 ms long');
});

t.test('a call of this host that comes after its time is not begun', async (t) => {
  const { socketPath, callee } = await served(t);
  const longAgo = `${(Date.now() - 5000) * 1000}000`;
  const { headers } = await raw(socketPath, {
    ...WHOLE,
    'context-ttl-ms': '1000',
    'rpc-message-id': newMessageId(),
    'rpc-sent-at': longAgo,
  });
  t.equal(headers['rpc-error-code'], 'deadline-exceeded');
  t.equal(callee.rows()[0]?.execStart, undefined);
});

t.test('a client that is closed cancels its calls', async (t) => {
  const { socketPath } = await served(t);
  const caller = memoryRecorder('test');
  const opened = openRpcClient({ socketPath, service: 'echo', caller: 'test', recorder: caller });
  const calling = opened.call('Echo::slow', { ms: 300 }, 5000);
  await sleep(50);
  await opened[Symbol.asyncDispose]();
  await t.rejects(calling);
  t.match(caller.rows(), [{ ended: 'cancelled' }]);
});

t.test('whatever stands in the headers of the envelope, the call is served', async (t) => {
  const { socketPath, callee } = await served(t);
  const next = random();
  const good: Record<string, string> = {
    'rpc-message-id': newMessageId(),
    'rpc-attempt': '1',
    'rpc-seq': '17',
    'rpc-sent-at': `${Date.now() * 1000}000`,
    'rpc-instance': 'test/1',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tracestate: 'foo=1,bar=2',
  };
  for (let i = 0; i < 200; i += 1) {
    const headers = Object.entries(good).map(([name, value]) => {
      const bytes = next() < 0.5 ? Buffer.from(value) : mutate(Buffer.from(value), next);
      return [
        name,
        bytes
          .toString('latin1')
          .replace(/[^\x20-\x7e]/g, '~')
          .trim(),
      ] as const;
    });
    const { status, headers: reply } = await raw(socketPath, { ...WHOLE, ...Object.fromEntries(headers) });
    t.equal(status, 200);
    t.match(reply['rpc-message-id'], /^[0-9a-f-]{36}$/);
  }
  for (const { attempt, seq = 0, sentAt = 0 } of callee.rows())
    t.ok([attempt, seq, sentAt].every(Number.isSafeInteger), 'nothing but numbers in numbers');
});
