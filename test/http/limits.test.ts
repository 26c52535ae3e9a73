// Bodies, headers, connections and time: everything foreign has a bound.
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import t from 'tap';
import { z } from '../../src/base/schema.ts';
import { route } from '../../src/base/route.ts';
import { takesGzip } from '../../src/http/reply.ts';
import { mutate, random, FUZZ_SEED } from '../support/random.ts';
import { echo, exchange, openTestDoor, problemOf } from './door.ts';

const raw = echo({ method: 'POST', path: '/raw', right: 'ingest', body: 'raw', bodyLimit: 4096 });
const json = echo({
  method: 'POST',
  path: '/json',
  right: 'ingest',
  body: z.strictObject({ name: z.string(), n: z.number().max(5) }),
});
const any = echo({ method: 'POST', path: '/any', right: 'ingest', body: z.unknown() });

t.test('a raw body arrives as sent, in every coding', async (t) => {
  const { ask } = await openTestDoor(t, { routes: [raw] });
  const codings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
  for (const [coding, compress] of Object.entries(codings)) {
    const answer = await ask({
      method: 'POST',
      path: '/raw',
      body: compress('hello'),
      headers: { 'content-encoding': coding },
    });
    t.match(JSON.parse(answer.text), { body: 'hello' }, coding);
  }
  t.match(JSON.parse((await ask({ method: 'POST', path: '/raw', body: 'hello' })).text), { body: 'hello' });
  t.match(JSON.parse((await ask({ method: 'POST', path: '/raw' })).text), { body: '' }, 'no body is an empty one');
});

t.test('a body that grows beyond the limit is refused, compressed or not', async (t) => {
  const { ask } = await openTestDoor(t, { routes: [raw] });
  const bomb = Buffer.alloc(50 * 1024 * 1024);
  const cases = {
    identity: Buffer.alloc(4097),
    gzip: gzipSync(bomb),
    br: brotliCompressSync(bomb),
    zstd: zstdCompressSync(bomb),
  };
  for (const [coding, body] of Object.entries(cases)) {
    const headers = coding === 'identity' ? {} : { 'content-encoding': coding };
    const answer = await ask({ method: 'POST', path: '/raw', body, headers });
    t.equal(answer.status, 413, coding);
    t.equal(problemOf(answer)['code'], 'JD_BODY_TOO_LARGE');
  }
  t.equal((await ask({ method: 'POST', path: '/raw', body: Buffer.alloc(4096) })).status, 200, 'the limit itself fits');
});

t.test('compressed input that yields nothing is bounded too', async (t) => {
  const { ask } = await openTestDoor(t, { routes: [raw] });
  const emptyBlocks = Buffer.concat([
    Buffer.from([0x78, 0x01]),
    ...Array<Buffer>(40_000).fill(Buffer.from([0, 0, 0, 0xff, 0xff])),
  ]);
  const headers = { 'content-encoding': 'deflate', 'transfer-encoding': 'chunked' };
  t.equal((await ask({ method: 'POST', path: '/raw', body: emptyBlocks, headers })).status, 413);
});

t.test('broken and unknown codings are the sender’s fault', async (t) => {
  const { ask } = await openTestDoor(t, { routes: [raw] });
  const post = (coding: string, body: Buffer) =>
    ask({ method: 'POST', path: '/raw', body, headers: { 'content-encoding': coding } });
  t.equal((await post('gzip', Buffer.from('no gzip'))).status, 400);
  t.equal((await post('gzip', gzipSync('hello').subarray(0, 12))).status, 400, 'cut off');
  t.equal((await post('snappy', Buffer.from('x'))).status, 415);
  t.equal((await post('constructor', Buffer.from('x'))).status, 415);
});

t.test('an endless chunked body is cut off with 413', async (t) => {
  const { port } = await openTestDoor(t, { routes: [raw] });
  const socket = connect({ host: '127.0.0.1', port: port('loopback') });
  socket.on('error', () => undefined);
  socket.write('POST /raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
  const pour = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', pour);
  pour();
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  await new Promise((resolve) => socket.once('close', resolve));
  t.match(text, /^HTTP\/1\.1 413 /);
  t.match(text, /connection: close/i);
});

t.test('a body that is announced is not asked for before the caller is known', async (t) => {
  const { raw: exchangeRaw } = await openTestDoor(t, {
    routes: [echo({ method: 'POST', path: '/secret', right: 'admin', body: 'raw' }), raw],
  });
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 5\r\n\r\n`;
  t.notMatch(await exchangeRaw(head('/secret')), /100 Continue/);
  t.match(await exchangeRaw(`${head('/raw')}hello`), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

t.test('JSON is read strictly', async (t) => {
  const { ask } = await openTestDoor(t, { routes: [json, any] });
  const post = (path: string, body: string | Buffer, type = 'application/json') =>
    ask({ method: 'POST', path, body, headers: { 'content-type': type } });
  t.equal((await post('/json', '{"name":"a","n":1}')).status, 200);
  t.equal((await post('/json', '{"name":"a","n":1}', 'application/foo+json; charset=utf-8')).status, 200);
  t.equal(
    (await post('/json', '{"name":"a","n":1}', 'text/plain')).status,
    415,
    'a form of another site can send text/plain',
  );
  t.equal((await post('/json', '{"name":"a","n":1}', 'no type at all;;;')).status, 415);
  t.equal((await post('/json', '{')).status, 400);
  t.equal((await post('/any', '{"__proto__":{"x":1}}')).status, 400);
  t.equal((await post('/any', `${'['.repeat(64)}${']'.repeat(64)}`)).status, 200);
  t.equal((await post('/any', `${'['.repeat(65)}${']'.repeat(65)}`)).status, 400);
  t.equal((await post('/any', '["[[[[\\"[[["]')).status, 200, 'brackets in strings do not nest');
  t.equal((await post('/any', Buffer.from([0x22, 0xff, 0x22]))).status, 400, 'not UTF-8');
});

t.test('too many headers and too long ones are refused', async (t) => {
  const { ask, raw: exchangeRaw } = await openTestDoor(t, { routes: [raw] });
  const many = Object.fromEntries(Array.from({ length: 110 }, (_, n) => [`x-${n}`, '1']));
  const refused = await ask({ path: '/livez', headers: many });
  t.equal(refused.status, 431);
  t.equal(problemOf(refused)['code'], 'JD_HEADERS_TOO_LARGE');
  const long = await exchangeRaw(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`);
  t.match(long, /^HTTP\/1\.1 431 /);
  t.match(long, /JD_HEADERS_TOO_LARGE/);
});

t.test('a client that sends its headers, its body, or nothing at all too slowly is let go', async (t) => {
  const { port, ask } = await openTestDoor(t, {
    routes: [raw],
    config: { limits: { headersSeconds: 0.1, requestSeconds: 0.2 } },
  });
  t.match(await exchange(port('loopback'), 'GET /livez HTTP/1.1\r\nHost: lo'), /^HTTP\/1\.1 408 /);
  t.match(
    await exchange(port('loopback'), 'POST /raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc'),
    /^HTTP\/1\.1 408 /,
  );
  t.match(await exchange(port('loopback'), ''), /^(HTTP\/1\.1 408 |$)/);
  t.type(await exchange(port('tls'), ''), 'string', 'a TLS handshake that never begins');
  t.equal((await ask({ path: '/livez' })).status, 200);
});

t.test('a handler that takes too long is answered for and told to stop', async (t) => {
  let reason: unknown;
  const slow = route({
    method: 'GET',
    path: '/slow',
    right: 'health',
    summary: 'Never answers',
    deadlineMs: 20,
    handler: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(new Error('stopped late'));
        });
      }),
  });
  const { ask, logged } = await openTestDoor(t, { routes: [slow] });
  const answer = await ask({ path: '/slow' });
  t.equal(answer.status, 503);
  t.equal(problemOf(answer)['code'], 'JD_DEADLINE');
  t.match(reason, { code: 'JD_DEADLINE' });
  t.same(
    logged.filter(({ level }) => level === 50),
    [],
    'which is no failure of the daemon',
  );
});

t.test('a stream that runs over the deadline is cut off, and its source is freed', async (t) => {
  const stream = new Readable({ read() {} });
  stream.push('begin');
  const endless = route({
    method: 'GET',
    path: '/endless',
    right: 'health',
    summary: 'Streams',
    deadlineMs: 50,
    handler: () => ({ body: stream }),
  });
  const { ask } = await openTestDoor(t, { routes: [endless] });
  await t.rejects(ask({ path: '/endless' }), { code: 'ECONNRESET' });
  t.ok(stream.destroyed);
});

t.test('a handler is told when its client has gone', async (t) => {
  const told = Promise.withResolvers<unknown>();
  const began = Promise.withResolvers<void>();
  const wait = route({
    method: 'GET',
    path: '/wait',
    right: 'health',
    summary: 'Waits',
    handler: ({ signal }) => {
      began.resolve();
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => (told.resolve(signal.reason), reject(new Error('gone')))),
      );
    },
  });
  const { port, logged } = await openTestDoor(t, { routes: [wait] });
  const socket = connect({ host: '127.0.0.1', port: port('loopback') });
  socket.write('GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await began.promise;
  socket.destroy();
  t.match(await told.promise, { code: 'JD_CLIENT_GONE' });
  t.same(
    logged.filter(({ level }) => level === 50),
    [],
  );
});

t.test('beyond the number of requests at a time the rest is told to come back, health excepted', async (t) => {
  const held = Promise.withResolvers<{ body: string }>();
  const began = Promise.withResolvers<void>();
  const hold = route({
    method: 'GET',
    path: '/hold',
    right: 'metrics',
    summary: 'Holds',
    handler: () => (began.resolve(), held.promise),
  });
  const { ask, registry } = await openTestDoor(t, { routes: [hold], config: { limits: { maxConcurrent: 1 } } });
  const first = ask({ path: '/hold' });
  await began.promise;
  const second = await ask({ path: '/hold' });
  t.equal(second.status, 503);
  t.equal(second.headers['retry-after'], '1');
  t.equal(problemOf(second)['code'], 'JD_BUSY');
  t.equal((await ask({ path: '/livez' })).status, 200, 'health');
  t.equal(
    (await ask({ path: '/jdos/v1/tokens', listener: 'socket' })).status,
    200,
    'another listener has its own count',
  );
  held.resolve({ body: 'done' });
  t.equal((await first).text, 'done');
  t.match(await registry.metrics(), /jdos_http_rejected_total\{reason="busy"\} 1/);
});

t.test('text over 1 KiB is compressed for those who take it', async (t) => {
  const text = 'metric 1\n'.repeat(1000);
  const long = route({
    method: 'GET',
    path: '/long',
    right: 'health',
    summary: 'Long',
    handler: () => ({ body: text }),
  });
  const image = route({
    method: 'GET',
    path: '/image',
    right: 'health',
    summary: 'Image',
    handler: () => ({ body: Buffer.alloc(5000), type: 'image/png' }),
  });
  const { ask } = await openTestDoor(t, { routes: [long, image] });
  const packed = await ask({ path: '/long', headers: { 'accept-encoding': 'gzip' } });
  t.equal(packed.headers['content-encoding'], 'gzip');
  t.equal(packed.headers['vary'], 'accept-encoding');
  t.ok(packed.body.length < 1000);
  t.equal(Number(packed.headers['content-length']), packed.body.length);
  const plain = await ask({ path: '/long' });
  t.equal(plain.text, text);
  t.equal(
    (await ask({ path: '/image', headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'],
    undefined,
  );
  const head = await ask({ path: '/long', method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(Number(head.headers['content-length']), text.length);
  t.equal(head.body.length, 0);
});

t.test('Accept-Encoding is read with its weights', async (t) => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['deflate, GZIP;q=0.5', true],
    ['gzip;q=0', false],
    ['*', true],
    ['*;q=1, gzip;q=0', false],
    ['br', false],
  ];
  for (const [header, takes] of cases) t.equal(takesGzip(header), takes, String(header));
});

const SEEDS = [
  'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST /raw HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST /raw HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /jdos/v1/status?a[]=%zz HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer jdos_x\r\nConnection: close\r\n\r\n',
  'POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"name":"a","n":1}  ',
  'GET http://localhost/%2e%2e/etc HTTP/1.0\r\nUpgrade: websocket\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
];

t.test(`garbage in the pipeline never takes the server down (seed ${FUZZ_SEED})`, async (t) => {
  const { port, ask, logged } = await openTestDoor(t, {
    routes: [raw, json],
    config: { limits: { headersSeconds: 0.05, requestSeconds: 0.05, keepAliveSeconds: 0.05 } },
  });
  const next = random();
  for (let round = 0; round < 40; round += 1) {
    const batch = Array.from({ length: 16 }, () =>
      mutate(Buffer.from(SEEDS[Math.floor(next() * SEEDS.length)] ?? ''), next),
    );
    const answers = await Promise.all(batch.map((bytes) => exchange(port('loopback'), bytes, true)));
    for (const answer of answers) t.match(answer, /^(HTTP\/1\.1 \d{3} |$)/);
    t.notMatch(answers.join('\n'), /^HTTP\/1\.1 500 /m);
  }
  t.equal((await ask({ path: '/livez' })).text, 'ok\n');
  t.same(
    logged.filter(({ level }) => level === 50),
    [],
    'nothing was the daemon’s fault',
  );
});
