// The OTLP decoder and the JSON transcoder: tables, against protobufjs, and against bytes nobody would send.
import t from 'tap';
import { decodeRequest } from '../../src/tracing/ingest/decode.ts';
import { JsonError, transcode } from '../../src/tracing/ingest/json.ts';
import { WireError, WireReader, WireWriter } from '../../src/base/protobuf-wire.ts';
import { readResource, readSpan } from '../../src/tracing/query/read-span.ts';
import { FUZZ_SEED, mutate, random } from '../support/random.ts';
import { anyRequest, encode, oracle } from './otlp.ts';

type Json = Record<string, unknown>;
const array = (value: unknown): Json[] => (value ?? []) as Json[];

/** A value of protobufjs as the reader shows it. */
function shown(value: Json | undefined): unknown {
  if (value === undefined) return null;
  const [[kind, held] = [undefined, undefined]] = Object.entries(value);
  if (kind === 'intValue') return Number.isSafeInteger(Number(held)) ? Number(held) : held;
  if (kind === 'doubleValue') return Number.isFinite(held) ? held : String(held);
  if (kind === 'bytesValue') return Buffer.from(held as Uint8Array).toString('base64');
  if (kind === 'arrayValue') return array((held as Json)['values']).map(shown);
  if (kind === 'kvlistValue') return shownAttributes((held as Json)['values']);
  return held ?? null;
}
const shownAttributes = (pairs: unknown): unknown =>
  Object.fromEntries(array(pairs).map(({ key, value }) => [key ?? '', shown(value as Json | undefined)]));
const hex = (bytes: unknown): string => Buffer.from((bytes ?? []) as Uint8Array).toString('hex');
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test('what it reads of any request is what protobufjs reads', (t) => {
  for (let seed = FUZZ_SEED; seed < FUZZ_SEED + 300; seed += 1) {
    const bytes = encode(anyRequest(seed));
    const expected = array(oracle(bytes)['resourceSpans']).flatMap((group) =>
      array(group['scopeSpans']).flatMap((scope) =>
        array(scope['spans']).map((span) => ({ span, resource: (group['resource'] ?? {}) as Json })),
      ),
    );
    const { spans, rejected } = decodeRequest(bytes);
    t.equal(rejected.size, 0, `seed ${seed}`);
    const got = spans.map((span) => {
      const {
        traceId,
        spanId,
        parentSpanId,
        name,
        startUnixNano,
        endUnixNano,
        attributes,
        events,
        links,
        status,
        flags,
        damaged,
      } = readSpan(span.bytes);
      const resource = readResource(span.source.resource);
      return {
        traceId,
        spanId,
        parentSpanId,
        name,
        startUnixNano,
        endUnixNano,
        attributes,
        events,
        links,
        status: status.message,
        flags,
        damaged,
        resource,
        indexed: [span.traceId, span.name, span.start, span.error, span.root, span.source.service],
      };
    });
    const want = expected.map(({ span, resource }) => {
      const start = BigInt((span['startTimeUnixNano'] ?? '0') as string);
      const status = (span['status'] ?? {}) as Json;
      const service = array(resource['attributes']).find(({ key }) => key === 'service.name')?.['value'] as
        Json | undefined;
      const parent = hex(span['parentSpanId']);
      const micros = Number(start / 1000n);
      return {
        traceId: hex(span['traceId']),
        spanId: hex(span['spanId']),
        parentSpanId: parent === '' ? null : parent,
        name: span['name'] ?? '',
        startUnixNano: String(start),
        endUnixNano: span['endTimeUnixNano'] ?? '0',
        attributes: shownAttributes(span['attributes']),
        events: array(span['events']).map((event) => ({
          timeUnixNano: event['timeUnixNano'],
          name: event['name'] ?? '',
          attributes: shownAttributes(event['attributes']),
        })),
        links: array(span['links']).map((link) => ({
          traceId: hex(link['traceId']),
          spanId: hex(link['spanId']),
          attributes: shownAttributes(link['attributes']),
        })),
        status: status['message'] ?? '',
        flags: span['flags'] ?? 0,
        damaged: false,
        resource: shownAttributes(resource['attributes']),
        indexed: [
          hex(span['traceId']),
          span['name'] ?? '',
          Math.min(Number.MAX_SAFE_INTEGER, micros),
          status['code'] === 2,
          parent === '',
          service?.['stringValue'] ?? 'unknown_service',
        ],
      };
    });
    t.same(plain(got), plain(want), `seed ${seed}`);
  }
  t.end();
});

t.test('spans without usable ids are left out and counted, the others are kept', (t) => {
  const id = Buffer.alloc(16, 1);
  const spans = [
    { traceId: id, spanId: Buffer.alloc(8, 1), name: 'good' },
    { traceId: Buffer.alloc(16), spanId: Buffer.alloc(8, 1), name: 'zero trace id' },
    { traceId: Buffer.alloc(8, 1), spanId: Buffer.alloc(8, 1), name: 'short trace id' },
    { spanId: Buffer.alloc(8, 1), name: 'no trace id' },
    { traceId: id, spanId: Buffer.alloc(8), name: 'zero span id' },
    { traceId: id, spanId: Buffer.alloc(16, 1), name: 'long span id' },
    { traceId: id, spanId: Buffer.alloc(8, 1), name: 'n'.repeat(20_000) },
  ];
  const { spans: kept, rejected } = decodeRequest(encode({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  t.same(
    kept.map(({ name }) => name),
    ['good'],
  );
  t.same(Object.fromEntries(rejected), { trace_id: 3, span_id: 2, name_too_long: 1 });
  t.end();
});

t.test('an empty request is no spans, unknown fields and fields of another type are gone over', (t) => {
  t.same(decodeRequest(Buffer.alloc(0)).spans, []);
  const span = new WireWriter()
    .bytes(1, Buffer.alloc(16, 1))
    .bytes(2, Buffer.alloc(8, 2))
    .varint(5, 7)
    .fixed32(7, 9)
    .text(200, 'new')
    .text(5, 'name');
  const request = new WireWriter()
    .varint(1, 3)
    .text(9, 'x')
    .message(1, new WireWriter().message(2, new WireWriter().message(2, span)));
  t.match(decodeRequest(request.finish()).spans, [{ name: 'name', start: 0, duration: 0 }]);
  t.end();
});

t.test('a span that ends before it starts took no time, and the largest times are bounded', (t) => {
  const times = (startTimeUnixNano: string, endTimeUnixNano: string) =>
    decodeRequest(
      encode({
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: [
                  { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 1), startTimeUnixNano, endTimeUnixNano },
                ],
              },
            ],
          },
        ],
      }),
    ).spans[0];
  t.match(times('5000', '1000'), { start: 5, duration: 0 });
  t.match(times('18446744073709551615', '18446744073709551615'), { start: Number.MAX_SAFE_INTEGER, duration: 0 });
  t.match(times('1763999999123456789', '1763999999123459999'), { start: 1763999999123456, duration: 3 });
  t.end();
});

t.test('damaged bytes are refused or read, never anything else', (t) => {
  const next = random();
  let refused = 0;
  for (let round = 0; round < 6000; round += 1) {
    const bytes = mutate(encode(anyRequest(FUZZ_SEED + (round % 50))), next);
    try {
      for (const span of decodeRequest(bytes).spans) {
        readSpan(span.bytes);
        readResource(span.source.resource);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      refused += 1;
    }
  }
  t.ok(refused > 500, `${refused} of 6000 refused`);
  t.end();
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

t.test('lengths beyond the message, endless varints and groups are refused', (t) => {
  for (const bytes of [
    [0x0a, 0x05, 0x00],
    [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x0b],
    [0x00],
    [0x21, 0x00],
  ])
    t.ok(thrownBy(() => decodeRequest(Buffer.from(bytes))) instanceof WireError, Buffer.from(bytes).toString('hex'));
  t.end();
});

t.test('values nested without end are cut off when they are read, and the span says so', (t) => {
  let value = new WireWriter().text(1, 'deep');
  for (let depth = 0; depth < 5000; depth += 1) value = new WireWriter().message(5, new WireWriter().message(1, value));
  const small = new WireWriter().text(1, 'a').message(2, new WireWriter().varint(3, 1));
  const deep = new WireWriter().text(1, 'deep').message(2, value);
  const { damaged, attributes, name } = readSpan(
    new WireWriter().text(5, 'n').message(9, small).message(9, deep).finish(),
  );
  t.match({ damaged, name, a: attributes['a'] }, { damaged: true, name: 'n', a: 1 });
  t.end();
});

t.test('a varint of 10 bytes is a negative number', (t) => {
  const reader = new WireReader(new WireWriter().varint(1, -5).finish());
  reader.next();
  t.equal(reader.int64(), -5n);
  t.end();
});

/** A request of protobufjs as OTLP/JSON says it. */
function toJson(value: unknown, key = ''): unknown {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return key.endsWith('Id') ? bytes.toString('hex') : bytes.toString('base64');
  }
  if (Array.isArray(value)) return value.map((one) => toJson(one));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner, name)]));
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

t.test('JSON stands for the same request as protobuf', (t) => {
  for (let seed = FUZZ_SEED; seed < FUZZ_SEED + 200; seed += 1) {
    const request = anyRequest(seed);
    const text = JSON.stringify(toJson(request));
    t.same(oracle(transcode(Buffer.from(text))), oracle(encode(request)), `seed ${seed}`);
  }
  t.end();
});

const spanJson = (fields: object): Buffer =>
  Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [fields] }] }] }));

t.test('ids in JSON are hex in any case, and base64 of the same bytes is understood', (t) => {
  const bytes = Buffer.from('4bf92f3577b34da6a3ce929d0e0e4736', 'hex');
  for (const traceId of [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), bytes.toString('base64')]) {
    const [span] = decodeRequest(transcode(spanJson({ traceId, spanId: 'AAAAAAAAAAE=' }))).spans;
    t.equal(span?.traceId, bytes.toString('hex'));
  }
  const { rejected } = decodeRequest(transcode(spanJson({ traceId: 'xyz', spanId: '00' })));
  t.same([...rejected], [['trace_id', 1]]);
  t.end();
});

t.test('64-bit integers in JSON are strings or numbers, unknown keys and nulls are ignored', (t) => {
  const of = (intValue: unknown) =>
    transcode(
      spanJson({
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
        startTimeUnixNano: 1_500_000,
        endTimeUnixNano: '2500000',
        attributes: [{ key: 'n', value: { intValue } }],
        status: null,
        events: null,
        somethingNew: { a: [1] },
      }),
    );
  t.same(of('5'), of(5));
  const [span] = decodeRequest(of('-7')).spans;
  t.match(span, { start: 1500, duration: 1000 });
  t.match(readSpan(span?.bytes ?? Buffer.alloc(0)).attributes, { n: -7 });
  t.end();
});

t.test('JSON that is no export request is refused with the place where it is wrong', (t) => {
  const cases: readonly (readonly [string | Buffer, RegExp])[] = [
    ['', /not JSON/],
    ['{', /not JSON/],
    ['[]', /the body must be an object/],
    ['{"resourceSpans":{}}', /resourceSpans must be an array/],
    ['{"resourceSpans":[5]}', /resourceSpans\[0\] must be an object/],
    [spanJson({ name: 5 }), /scopeSpans\[0\]\.spans\[0\]\.name must be a string/],
    [spanJson({ startTimeUnixNano: 'soon' }), /startTimeUnixNano must be an integer/],
    [spanJson({ attributes: [{ key: 'a', value: 'text' }] }), /attributes\[0\]\.value must be an object/],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /not JSON/],
  ];
  for (const [body, message] of cases) t.throws(() => transcode(Buffer.from(body)), { message });
  let deep: object = { stringValue: 'x' };
  for (let depth = 0; depth < 5000; depth += 1) deep = { arrayValue: { values: [deep] } };
  t.throws(() => transcode(spanJson({ attributes: [{ key: 'a', value: deep }] })), /nests deeper than 32/);
  t.end();
});

t.test('damaged JSON is refused or read, never anything else', (t) => {
  const next = random();
  for (let round = 0; round < 3000; round += 1) {
    const text = Buffer.from(JSON.stringify(toJson(anyRequest(FUZZ_SEED + (round % 50)))));
    try {
      decodeRequest(transcode(mutate(text, next)));
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
  }
  t.pass('nothing else was thrown');
  t.end();
});
