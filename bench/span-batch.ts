// Spans for benchmarks: traces of ten spans over ten services, with the attributes that HTTP and SQL instrumentation sends.
import { randomBytes, randomUUID } from 'node:crypto';
import { WireWriter } from '../src/base/protobuf-wire.ts';

const SPANS_PER_TRACE = 10;
const OPERATIONS = [
  'GET /cart/{id}',
  'POST /order',
  'SELECT stock',
  'publish order.created',
  'charge',
  'render',
] as const;

const string = (text: string): WireWriter => new WireWriter().text(1, text);
const attribute = (key: string, value: WireWriter): WireWriter => new WireWriter().text(1, key).message(2, value);

function spanOf(traceId: Buffer, spanId: Buffer, parent: Buffer | undefined, n: number): WireWriter {
  const operation = OPERATIONS[n % OPERATIONS.length] ?? '';
  const start = BigInt(Date.now()) * 1_000_000n + BigInt(n % 1000) * 1000n;
  const span = new WireWriter().bytes(1, traceId).bytes(2, spanId);
  if (parent !== undefined) span.bytes(4, parent);
  span
    .text(5, operation)
    .varint(6, (n % 5) + 1)
    .fixed64(7, start)
    .fixed64(8, start + BigInt(100_000 + ((n * 7919) % 50_000_000)));
  const attributes: readonly (readonly [string, WireWriter])[] = [
    ['http.request.method', string('GET')],
    ['url.full', string(`https://shop.example/cart/${randomUUID()}?page=${n % 40}`)],
    ['http.response.status_code', new WireWriter().varint(3, n % 50 === 0 ? 500 : 200)],
    ['user.id', string(`user-${(n * 31) % 100_000}`)],
    ['server.address', string(`10.0.${n % 16}.${(n * 13) % 250}`)],
    ['thread.id', new WireWriter().varint(3, n % 64)],
  ];
  for (const [key, value] of attributes) span.message(9, attribute(key, value));
  if (n % 50 === 0) span.message(15, new WireWriter().text(2, 'upstream failed').varint(3, 2));
  return span;
}

/** One export request of `count` spans in whole traces (but for the last), grouped by service as collectors send them. */
export function spanBatch(
  from: number,
  count: number,
): { readonly bytes: Buffer; readonly traceIds: readonly string[] } {
  const byService = new Map<number, WireWriter>();
  const traceIds: string[] = [];
  for (let made = 0; made < count;) {
    const traceId = randomBytes(16);
    const ids = Array.from({ length: SPANS_PER_TRACE }, () => randomBytes(8));
    traceIds.push(traceId.toString('hex'));
    for (const [index, id] of ids.entries()) {
      if (made === count) break;
      const service = (made + index) % 10;
      const scope =
        byService.get(service) ?? new WireWriter().message(1, new WireWriter().text(1, 'bench').text(2, '1.0'));
      byService.set(service, scope);
      const parent = index === 0 ? undefined : ids[Math.floor((index - 1) / 2)];
      scope.message(2, spanOf(traceId, id, parent, from + made));
      made += 1;
    }
  }
  const request = new WireWriter();
  for (const [service, scope] of byService) {
    const resource = new WireWriter()
      .message(1, attribute('service.name', string(`service-${service}`)))
      .message(1, attribute('host.name', string(`host-${service % 4}`)));
    request.message(1, new WireWriter().message(1, resource).message(2, scope));
  }
  return { bytes: request.finish(), traceIds };
}
