// What kubectl sends as protobuf, byte by byte, and what is none.
import t from 'tap';
import { decodeProtobuf } from '../../../src/orchestrator/api/protobuf.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { openBareApi, pod, PODS } from '../api-door.ts';

const varint = (value: number | bigint): Buffer => {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
};
const number = (field: number, value: number | bigint): Buffer => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
/** runtime.Unknown around a message. */
const envelope = (apiVersion: string, kind: string, ...message: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    bytes(1, bytes(1, apiVersion), bytes(2, kind)),
    bytes(2, ...message),
    bytes(3, ''),
    bytes(4, ''),
  ]);

const SHOP = envelope(
  'v1',
  'Namespace',
  bytes(
    1,
    bytes(1, 'shop'),
    bytes(2, ''),
    bytes(8),
    bytes(11, bytes(1, 'tier'), bytes(2, 'web')),
    bytes(11, bytes(1, '__proto__'), bytes(2, 'x')),
    bytes(17, bytes(1, 'kubectl')),
  ),
  bytes(2, bytes(1, 'kubernetes'), bytes(1, 'other')),
  bytes(3, bytes(1, '')),
);
const TYPE = { type: 'application/vnd.kubernetes.protobuf' } as const;

t.test('messages as JSON would have them', async (t) => {
  const shop = decodeProtobuf(SHOP);
  t.match(shop, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop' },
    spec: { finalizers: ['kubernetes', 'other'] },
    status: {},
  });
  t.same(Object.entries((shop?.['metadata'] as { labels: object }).labels), [
    ['tier', 'web'],
    ['__proto__', 'x'],
  ]);
  t.equal(
    (shop?.['metadata'] as { creationTimestamp?: unknown }).creationTimestamp,
    undefined,
    'Go’s zero time is none',
  );
  const options = envelope(
    'v1',
    'DeleteOptions',
    number(1, -1n),
    bytes(2, bytes(1, 'the-uid')),
    number(3, 1),
    bytes(4, 'Background'),
    bytes(5, 'All'),
    number(6, 0),
  );
  t.same(decodeProtobuf(options), {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: -1,
    preconditions: { uid: 'the-uid' },
    orphanDependents: true,
    propagationPolicy: 'Background',
    dryRun: ['All'],
  });
  const time = envelope('v1', 'Namespace', bytes(1, bytes(8, number(1, 1_795_334_400))));
  t.match(decodeProtobuf(time), { metadata: { creationTimestamp: '2026-11-22T08:00:00Z' } });
  t.equal(decodeProtobuf(envelope('v1', 'Pod')), undefined, 'kinds that are not read');
  t.equal(decodeProtobuf(envelope('v1', 'constructor')), undefined);
});

t.test('what is none', async (t) => {
  const broken = [
    Buffer.from('{}'),
    Buffer.from('k8s'),
    SHOP.subarray(0, -1),
    SHOP.subarray(0, 20),
    envelope('v1', 'Namespace', bytes(1, bytes(1, Buffer.from([0xff, 0xfe])))),
    envelope('v1', 'Namespace', number(1, 7)),
    envelope('v1', 'DeleteOptions', bytes(1, 'x')),
    envelope('v1', 'DeleteOptions', Buffer.from([0x0f])),
    envelope('v1', 'DeleteOptions', Buffer.from([0x08, ...Array.from({ length: 11 }, () => 0xff)])),
    envelope('v1', 'DeleteOptions', Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])),
  ];
  for (const message of broken)
    t.throws(() => decodeProtobuf(message), { code: 'JD_KUBE_BAD_REQUEST' }, message.toString('hex'));
  const began = performance.now();
  const many = Array.from({ length: 200_000 }, () => bytes(5, 'x'));
  t.equal(
    (decodeProtobuf(envelope('v1', 'DeleteOptions', Buffer.concat(many)))?.['dryRun'] as unknown[]).length,
    200_000,
  );
  const labels = Array.from({ length: 100_000 }, (_, i) => bytes(11, bytes(1, `k${i}`)));
  decodeProtobuf(envelope('v1', 'Namespace', bytes(1, Buffer.concat(labels))));
  t.ok(performance.now() - began < 10_000, 'repeated members are no work');
  const next = random();
  for (let i = 0; i < 5000; i += 1) {
    const mutated = mutate(SHOP, next);
    try {
      decodeProtobuf(mutated);
    } catch (error) {
      if ((error as { code?: string }).code !== 'JD_KUBE_BAD_REQUEST')
        t.fail(`FUZZ_SEED=${FUZZ_SEED} ${mutated.toString('hex')}: ${String(error)}`);
    }
  }
});

t.test('a namespace is created and a pod deleted by protobuf', async (t) => {
  const { call } = await openBareApi(t);
  const refused = await call('POST', '/api/v1/namespaces', SHOP, TYPE);
  t.match(refused, { status: 422, body: { message: /metadata.labels: Invalid value: "__proto__"/ } });
  const space = envelope('v1', 'Namespace', bytes(1, bytes(1, 'shop')), bytes(2), bytes(3));
  t.match(await call('POST', '/api/v1/namespaces', space, TYPE), {
    status: 201,
    body: { metadata: { name: 'shop' }, status: { phase: 'Active' } },
  });
  t.match(await call('POST', PODS, space, TYPE), {
    status: 400,
    body: { message: /the object is a Namespace, not a Pod/ },
  });
  await call('POST', PODS, pod('one', { nodeName: 'n' }));
  const wrong = envelope('v1', 'DeleteOptions', bytes(2, bytes(1, 'other')));
  t.equal((await call('DELETE', `${PODS}/one`, wrong, TYPE)).status, 409, 'with its preconditions');
  const now = envelope('v1', 'DeleteOptions', number(1, 0), bytes(2));
  t.equal((await call('DELETE', `${PODS}/one`, now, TYPE)).status, 200);
  t.equal((await call('GET', `${PODS}/one`)).status, 404);
});
