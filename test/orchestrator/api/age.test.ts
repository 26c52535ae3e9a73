// Ages as kubectl shows them, and which form of an answer a client asks for.
import t from 'tap';
import { age, humanDuration, timestamp } from '../../../src/orchestrator/api/age.ts';
import { formOf } from '../../../src/orchestrator/api/table.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

/** The table of apimachinery/pkg/util/duration/duration_test.go, and what lies at the edges. */
const DURATIONS: readonly [number, string][] = [
  [-2 * S, '<invalid>'],
  [-S, '0s'],
  [-1, '0s'],
  [0, '0s'],
  [S - 1, '0s'],
  [S, '1s'],
  [119 * S, '119s'],
  [2 * M, '2m'],
  [2 * M + S, '2m1s'],
  [10 * M - 1, '9m59s'],
  [10 * M, '10m'],
  [10 * M + S, '10m'],
  [3 * H - 1, '179m'],
  [3 * H, '3h'],
  [3 * H + M, '3h1m'],
  [8 * H - 1, '7h59m'],
  [8 * H, '8h'],
  [8 * H + 59 * M, '8h'],
  [2 * D - 1, '47h'],
  [2 * D, '2d'],
  [2 * D + H, '2d1h'],
  [8 * D - 1, '7d23h'],
  [8 * D, '8d'],
  [8 * D + 23 * H, '8d'],
  [2 * 365 * D - 1, '729d'],
  [2 * 365 * D, '2y'],
  [2 * 365 * D + D, '2y1d'],
  [8 * 365 * D - 1, '7y364d'],
  [8 * 365 * D, '8y'],
  [8 * 365 * D + 364 * D, '8y'],
];

t.test('durations', async (t) => {
  for (const [ms, want] of DURATIONS) t.equal(humanDuration(ms), want, `${ms} ms`);
});

t.test('a time as an age, and a moment as a time', async (t) => {
  const now = Date.parse('2026-11-22T08:05:00Z');
  t.equal(age('2026-11-22T08:00:00Z', now), '5m');
  t.equal(age('2026-11-22T08:00:00.5Z', now), '4m59s');
  t.equal(age('2026-11-22T16:00:00+08:00', now), '5m');
  for (const none of [undefined, null, '', 'yesterday', 7]) t.equal(age(none, now), '<unknown>', String(none));
  t.equal(timestamp(now + 999), '2026-11-22T08:05:00Z');
});

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const FORMS: readonly [string | undefined, string][] = [
  [undefined, 'objects'],
  ['*/*', 'objects'],
  ['application/json', 'objects'],
  [TABLE, 'table'],
  [`${TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'table'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'objects'],
  [`application/json,${TABLE}`, 'objects'],
  ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json', 'objects'],
  ['application/json; as=PartialObjectMetadata; v=v1; g=meta.k8s.io', 'metadata'],
  ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'metadata'],
  ['application/json;as=Poem;v=v1;g=meta.k8s.io', 'objects'],
];

t.test('the form that Accept asks for first, of those there are', async (t) => {
  for (const [accept, want] of FORMS) {
    t.equal(formOf({ headers: accept === undefined ? {} : { accept } }), want, String(accept));
  }
});
