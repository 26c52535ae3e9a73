// yaRPC between two ends over a Unix socket: replies, refusals, deadlines, peers that are gone.
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Fault, faultKind } from '../../src/base/fault.ts';
import { openLog } from '../../src/base/logging.ts';
import { procedure } from '../../src/base/route.ts';
import { z } from '../../src/base/schema.ts';
import { listenRpc, openRpcClient, rpcHandler } from '../../src/tracing/index.ts';
import { privateDirectory } from '../support/daemon.ts';
import { mutate, random } from '../support/random.ts';

const TEAPOT = faultKind('JD_TEST_TEAPOT', 409, 'use the kettle');
const procedures = [
  procedure({
    name: 'Echo::say',
    right: 'read',
    request: z.strictObject({ text: z.string() }),
    handler: ({ text }) => ({ text }),
  }),
  procedure({
    name: 'Echo::never',
    right: 'read',
    request: z.unknown(),
    handler: () => sleep(60_000, undefined, { ref: false }),
  }),
  procedure({
    name: 'Echo::refuse',
    right: 'read',
    request: z.unknown(),
    handler: () => {
      throw new Fault(TEAPOT, '不是咖啡');
    },
  }),
  procedure({
    name: 'Echo::break',
    right: 'read',
    request: z.unknown(),
    handler: () => {
      throw new TypeError('a bug');
    },
  }),
  procedure({ name: 'Echo::secret', right: 'admin', request: z.unknown(), handler: () => ({}) }),
];

async function pair(
  t: Test,
  may = true,
): Promise<{ socketPath: string; call: ReturnType<typeof openRpcClient>['call'] }> {
  const socketPath = join(privateDirectory(t), 's');
  const handler = rpcHandler({
    service: 'echo',
    procedures,
    may: (_, right) => may || right !== 'admin',
    log: openLog('test', 'silent'),
  });
  const listener = await listenRpc(socketPath, handler);
  const client = openRpcClient({ socketPath, service: 'echo', caller: 'test' });
  t.teardown(async () => {
    await client[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
  });
  return { socketPath, call: client.call };
}

t.test('a call gets its reply, and many side by side each get their own', async (t) => {
  const { call } = await pair(t);
  const texts = Array.from({ length: 50 }, (_, i) => `消息 ${i}`);
  t.same(
    await Promise.all(texts.map((text) => call('Echo::say', { text }, 5000))),
    texts.map((text) => ({ text })),
  );
});

t.test('a service says what it can do, and that it is there', async (t) => {
  const { call } = await pair(t);
  t.same(await call('Meta::health', {}, 1000), { ok: true });
  t.match(await call('Meta::procedures', {}, 1000), {
    procedures: [{ name: 'Echo::say', right: 'read', encoding: 'json' }],
  });
});

t.test('a fault arrives as it was thrown, a bug without its stack', async (t) => {
  const { call } = await pair(t, false);
  await t.rejects(call('Echo::refuse', {}, 1000), {
    code: 'JD_TEST_TEAPOT',
    message: '不是咖啡',
    remedy: 'use the kettle',
    status: 409,
  });
  await t.rejects(call('Echo::break', {}, 1000), { code: 'JD_RPC_INTERNAL', message: 'Echo::break failed: a bug' });
  await t.rejects(call('Echo::secret', {}, 1000), { code: 'JD_RPC_FORBIDDEN' });
  await t.rejects(call('Echo::nothing', {}, 1000), { code: 'JD_RPC_NO_PROCEDURE' });
  await t.rejects(call('Echo::say', { text: 7 }, 1000), {
    code: 'JD_RPC_BAD_REQUEST',
    details: [{ path: 'text', expected: 'a value of type string' }],
  });
});

t.test('a procedure that never answers ends at the deadline of the caller', async (t) => {
  const { call } = await pair(t);
  await t.rejects(call('Echo::never', {}, 80), { code: 'JD_RPC_DEADLINE' });
  t.same(await call('Echo::say', { text: 'after' }, 1000), { text: 'after' }, 'the next call is not held up');
});

t.test('a peer that is not there is said to be unreachable, and found again when it is back', async (t) => {
  const socketPath = join(privateDirectory(t), 's');
  await using client = openRpcClient({ socketPath, service: 'echo', caller: 'test' });
  await t.rejects(client.call('Meta::health', {}, 1000), { code: 'JD_RPC_UNREACHABLE' });
  await using _listener = await listenRpc(
    socketPath,
    rpcHandler({ service: 'echo', procedures, may: () => true, log: openLog('test', 'silent') }),
  );
  t.same(await client.call('Meta::health', {}, 1000), { ok: true });
});

/** One raw HTTP request to the socket: status and headers of the answer. */
const raw = (
  socketPath: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number; code: unknown }> =>
  new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: '/yarpc', headers }, (reply) => {
      reply.resume().on('end', () => resolve({ status: reply.statusCode ?? 0, code: reply.headers['rpc-error-code'] }));
    });
    sent.on('error', reject).end(body);
  });

t.test('the headers of YARPC are required, and each lack has YARPC’s code', async (t) => {
  const { socketPath } = await pair(t);
  const whole = { 'rpc-caller': 'c', 'rpc-service': 'echo', 'rpc-procedure': 'Echo::say', 'rpc-encoding': 'json' };
  const body = Buffer.from('{"text":"x"}');
  t.same(await raw(socketPath, whole, body), { status: 200, code: undefined });
  for (const name of Object.keys(whole)) {
    const lacking = Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
    t.same(await raw(socketPath, lacking, body), { status: 400, code: 'invalid-argument' }, `without ${name}`);
  }
  for (const ttl of ['-1', 'soon', '1.5']) {
    t.same(
      await raw(socketPath, { ...whole, 'context-ttl-ms': ttl }, body),
      { status: 400, code: 'invalid-argument' },
      `TTL ${ttl}`,
    );
  }
  t.same(await raw(socketPath, { ...whole, 'rpc-service': 'other' }, body), { status: 404, code: 'not-found' });
});

t.test('bodies that are no JSON are refused, whatever their bytes', async (t) => {
  const { socketPath, call } = await pair(t);
  const next = random();
  const headers = { 'rpc-caller': 'c', 'rpc-service': 'echo', 'rpc-procedure': 'Echo::say', 'rpc-encoding': 'json' };
  for (let i = 0; i < 200; i += 1) {
    const { status } = await raw(socketPath, headers, mutate(Buffer.from('{"text":"hello, 世界"}'), next));
    t.ok(status === 200 || status === 400, `status ${status}`);
  }
  t.same(await call('Meta::health', {}, 1000), { ok: true });
});
