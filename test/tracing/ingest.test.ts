// POST /v1/traces and the query routes behind the real front door: encodings, limits, OTLP's own errors, rights.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { Registry } from '../../src/base/metrics.ts';
import { TracingConfig } from '../../src/tracing/config.ts';
import { ingestRoute } from '../../src/tracing/ingest/route.ts';
import { openTracing } from '../../src/tracing/index.ts';
import type { TraceStore } from '../../src/tracing/store/open.ts';
import { type Ask, openTestDoor, quiet, type TestDoor } from '../http/door.ts';
import { decodeAs, requestOf, spanIdOf, traceIdOf } from './otlp.ts';

const PROTOBUF = 'application/x-protobuf';
const trace = traceIdOf(5);
const good = requestOf([{ trace, span: spanIdOf(1), name: 'GET /', start: 1_763_999_000_000_000 }]);

interface TestTracing extends TestDoor {
  readonly post: (body: Buffer | string, headers?: Ask['headers']) => ReturnType<TestDoor['ask']>;
  readonly read: (path: string) => Promise<{ status: number; json: Record<string, unknown> }>;
}

async function openTestTracing(t: Test): Promise<TestTracing> {
  const dir = mkdtempSync(join(tmpdir(), 'jd-'));
  const registry = new Registry();
  const tracing = openTracing({ dir: join(dir, 'traces'), config: TracingConfig.parse({}), registry, log: quiet() });
  await tracing.start(new AbortController().signal);
  t.teardown(async () => {
    await tracing.stop();
    rmSync(dir, { recursive: true });
  });
  t.match(tracing.health(), { state: 'available', summary: /^0 spans, / });
  const door = await openTestDoor(t, { routes: tracing.routes });
  const { token } = await door.door.tokens.create({ name: 'reader', role: 'viewer' });
  return {
    ...door,
    registry,
    post: (body, headers = { 'content-type': PROTOBUF }) =>
      door.ask({ method: 'POST', path: '/v1/traces', body, headers }),
    async read(path) {
      const { status, text } = await door.ask({ path, token });
      return { status, json: JSON.parse(text) as Record<string, unknown> };
    },
  };
}

t.test('spans are taken in both encodings, in any case and coding, and answered in the same', async (t) => {
  const { post, read, registry } = await openTestTracing(t);
  const json = JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: traceIdOf(6), spanId: spanIdOf(1), name: 'json' }] }] }],
  });
  for (const [body, headers] of [
    [good, { 'content-type': PROTOBUF }],
    [good, { 'content-type': 'Application/X-Protobuf; charset=utf-8' }],
    [gzipSync(good), { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }],
    [zstdCompressSync(good), { 'content-type': PROTOBUF, 'content-encoding': 'zstd' }],
    [Buffer.alloc(0), { 'content-type': PROTOBUF }],
  ] as const) {
    const answer = await post(body, headers);
    t.match(answer, { status: 200, headers: { 'content-type': /^application\/x-protobuf/ } });
    t.equal(answer.body.length, 0, 'an empty ExportTraceServiceResponse');
  }
  for (const type of ['application/json', 'application/JSON;charset=UTF-8']) {
    const answer = await post(json, { 'content-type': type });
    t.match(answer, { status: 200, text: '{}', headers: { 'content-type': /^application\/json/ } });
  }
  t.match((await read(`/jdos/v1/traces/${trace}`)).json, { spanCount: 1, completeness: { duplicates: 3 } });
  t.match((await read(`/jdos/v1/traces/${traceIdOf(6)}`)).json, {
    spans: [{ name: 'json', service: 'unknown_service' }],
  });
  const text = await registry.metrics();
  t.match(text, /^jdos_traces_spans_accepted_total 6$/m);
  t.match(text, /^jdos_traces_fdatasync_duration_seconds_count [1-9]/m);
});

t.test('what cannot be kept of a request is counted in its answer, the rest is kept', async (t) => {
  const { post, read } = await openTestTracing(t);
  const mixed = requestOf([
    { trace, span: spanIdOf(1) },
    { trace: '00'.repeat(16), span: spanIdOf(2) },
    { trace, span: '00' },
  ]);
  const { status, body } = await post(mixed);
  t.equal(status, 200);
  t.match(decodeAs('ExportTraceServiceResponse', body), {
    partialSuccess: { rejectedSpans: 2, errorMessage: /1 with a trace id that is not 16 bytes.*1 with a span id/ },
  });
  const json = await post('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"12"}]}]}]}', {
    'content-type': 'application/json',
  });
  t.match(JSON.parse(json.text), { partialSuccess: { rejectedSpans: '1' } });
  t.match((await read(`/jdos/v1/traces/${trace}`)).json, { spanCount: 1 });
});

t.test('errors are google.rpc.Status in the encoding of the request, whoever finds them', async (t) => {
  const { post, read } = await openTestTracing(t);
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
  const gzip = { 'content-type': PROTOBUF, 'content-encoding': 'gzip' };
  for (const [what, body, headers, status] of [
    ['not protobuf', Buffer.from([0x0b, 0xff]), { 'content-type': PROTOBUF }, 400],
    ['cut off', good.subarray(0, good.length - 3), { 'content-type': PROTOBUF }, 400],
    ['more than 64 MiB after decompression', bomb, gzip, 413],
    ['not gzip', Buffer.from('not gzip at all'), gzip, 400],
    ['an unknown coding', good, { 'content-type': PROTOBUF, 'content-encoding': 'lzma' }, 415],
  ] as const) {
    const answer = await post(body, headers);
    t.equal(answer.status, status, what);
    t.match(answer.headers['content-type'], /^application\/x-protobuf/, what);
    t.match(decodeAs('RpcStatus', answer.body), { message: /\[JD_[A-Z_]+\]$/ }, what);
  }
  for (const [what, body, headers, status] of [
    ['not JSON', '{', { 'content-type': 'application/json' }, 400],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), { 'content-type': 'application/json' }, 400],
    ['another type', 'x', { 'content-type': 'text/plain' }, 415],
    ['no type', 'x', {}, 415],
  ] as const) {
    const answer = await post(body, headers);
    t.equal(answer.status, status, what);
    t.match(JSON.parse(answer.text), { code: Number, message: /\[JD_[A-Z_]+\]$/ }, what);
  }
  t.same((await read('/jdos/v1/traces')).json, { items: [], next: null }, 'nothing of it was kept');
});

t.test('more bytes in flight than allowed are told to come again; a refusal of the store says when', async (t) => {
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const store = {
    async ingest() {
      await held;
      return { kind: 'refused', why: 'disk_full', message: 'the file system is 93 % full' };
    },
  } as unknown as TraceStore;
  const refused: string[] = [];
  const route = ingestRoute({
    store: () => store,
    maxInFlightBytes: 10,
    onTaken: () => undefined,
    onRefused: (why) => refused.push(why),
  });
  const { ask } = await openTestDoor(t, { routes: [route] });
  const post = () => ask({ method: 'POST', path: '/v1/traces', body: good, headers: { 'content-type': PROTOBUF } });
  const first = post();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = await post();
  t.match(second, { status: 503, headers: { 'retry-after': '1' } });
  t.match(decodeAs('RpcStatus', second.body), { code: 14, message: /JD_TRACE_OVERLOADED/ });
  release?.();
  const answer = await first;
  t.match(answer, { status: 503, headers: { 'retry-after': '30' } });
  t.match(decodeAs('RpcStatus', answer.body), { message: /93 % full.*JD_TRACE_DISK_FULL/ });
  t.same(refused, ['overloaded', 'disk_full']);
});

t.test('the list is paged, bounded by time, and wrong parameters are named', async (t) => {
  const { post, read } = await openTestTracing(t);
  const second = 1_000_000;
  const start = 1_763_999_000 * second;
  for (let n = 1; n <= 5; n += 1)
    await post(
      requestOf([
        {
          trace: traceIdOf(n),
          span: spanIdOf(n),
          service: n % 2 ? 'odd' : 'even',
          start: start + n * second,
          duration: n * 1000,
        },
      ]),
    );
  const ids = ({ json }: { json: Record<string, unknown> }): string[] =>
    (json['items'] as { traceId: string }[]).map(({ traceId }) => traceId);
  const first = await read('/jdos/v1/traces?limit=2');
  t.same(ids(first), [traceIdOf(5), traceIdOf(4)]);
  const next = await read(`/jdos/v1/traces?limit=2&cursor=${String(first.json['next'])}`);
  t.same(ids(next), [traceIdOf(3), traceIdOf(2)]);
  const last = await read(`/jdos/v1/traces?limit=2&cursor=${String(next.json['next'])}`);
  t.same([ids(last), last.json['next']], [[traceIdOf(1)], null]);
  t.same(ids(await read('/jdos/v1/traces?service=even&minDurationMs=3')), [traceIdOf(4)]);
  const from = new Date((start + 4 * second) / 1000).toISOString();
  t.same(ids(await read(`/jdos/v1/traces?from=${from}`)), [traceIdOf(5), traceIdOf(4)]);
  t.same(ids(await read(`/jdos/v1/traces?to=${(start + 2 * second) / 1000}`)), [traceIdOf(2), traceIdOf(1)]);
  t.match((await read('/jdos/v1/traces?operation=x')).json, {
    code: 'JD_INVALID_REQUEST',
    errors: [{ path: 'query.operation' }],
  });
  t.match((await read('/jdos/v1/traces?from=yesterday')).json, { errors: [{ path: 'query.from' }] });
  t.match((await read('/jdos/v1/traces?cursor=x')).json, { code: 'JD_TRACE_CURSOR' });
  t.match(await read(`/jdos/v1/traces/${traceIdOf(9)}`), { status: 404, json: { code: 'JD_TRACE_UNKNOWN' } });
  t.match(await read('/jdos/v1/traces/xyz'), { status: 400 });
  t.same((await read('/jdos/v1/services')).json['items'], [
    { name: 'even', operations: ['op'] },
    { name: 'odd', operations: ['op'] },
  ]);
});

t.test('reading needs a token, sending does not on the loopback listener only', async (t) => {
  const { ask, post } = await openTestTracing(t);
  for (const path of ['/jdos/v1/traces', `/jdos/v1/traces/${trace}`, '/jdos/v1/services'])
    t.equal((await ask({ path })).status, 401, path);
  t.equal((await post(good)).status, 200);
  const tls = await ask({
    listener: 'tls',
    method: 'POST',
    path: '/v1/traces',
    body: good,
    headers: { 'content-type': PROTOBUF },
  });
  t.equal(tls.status, 401);
  t.match(decodeAs('RpcStatus', tls.body), { code: 16 });
});

t.test('while the store is not open, senders are told to come again and the part says why', async (t) => {
  const tracing = openTracing({
    dir: '/dev/null/traces',
    config: TracingConfig.parse({}),
    registry: new Registry(),
    log: quiet(),
  });
  await t.rejects(tracing.start(new AbortController().signal), {
    code: 'JD_TRACE_STORE_FAILED',
    message: /ENOTDIR/,
  });
  const { ask } = await openTestDoor(t, { routes: tracing.routes });
  const answer = await ask({ method: 'POST', path: '/v1/traces', body: good, headers: { 'content-type': PROTOBUF } });
  t.match(answer, { status: 503, headers: { 'retry-after': '5' } });
});

t.test('the routes are described with their parameters and replies', async (t) => {
  const { read } = await openTestTracing(t);
  t.match((await read('/jdos/v1/openapi.json')).json, {
    paths: {
      '/v1/traces': { post: { 'x-jdos-right': 'ingest' } },
      '/jdos/v1/traces': { get: { 'x-jdos-right': 'read', parameters: [{ name: 'service' }, { name: 'operation' }] } },
      '/jdos/v1/traces/{id}': { get: { parameters: [{ name: 'id', in: 'path' }] } },
      '/jdos/v1/services': { get: {} },
    },
  });
});
