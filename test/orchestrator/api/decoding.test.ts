// Manifests that are not what they should be: each is refused with a Status that says where and why, and nothing is kept.
import t from 'tap';
import { duplicateKeys } from '../../../src/orchestrator/api/duplicate-keys.ts';
import { type Json, openBareApi, pod, PODS } from '../api-door.ts';

const text = (value: unknown): string => JSON.stringify(value);
const STRICT = `${PODS}?fieldValidation=Strict`;
const YAML = 'application/yaml';
const yaml = (more: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: main\n    image: busybox:1\n${more}`;
const deep = (open: string, close: string, times: number): string =>
  `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":${open.repeat(times)}${close.repeat(times)}}`;

interface Case {
  readonly body: string | Buffer;
  readonly type?: string;
  readonly status: number;
  readonly says: RegExp;
  /** What `details.causes` names. */
  readonly field?: string;
}

const REFUSED: Readonly<Record<string, Case>> = {
  'an unknown field': {
    body: text(pod('a', { containerz: [] })),
    status: 400,
    says: /strict decoding error: unknown field "spec.containerz", did you mean "containers"\?/,
    field: 'spec.containerz',
  },
  'a misplaced field': {
    body: text({ ...pod('a'), metadata: { name: 'a', restartPolicy: 'Never' } }),
    status: 400,
    says: /unknown field "metadata.restartPolicy"/,
    field: 'metadata.restartPolicy',
  },
  'an unknown field in a list': {
    body: text(pod('a', { containers: [{ name: 'main', image: 'x', env: [{ name: 'A', val: '1' }] }] })),
    status: 400,
    says: /unknown field "spec.containers\[0\].env\[0\].val"/,
    field: 'spec.containers[0].env[0].val',
  },
  'a text for a list': {
    body: text(pod('a', { containers: 'main' })),
    status: 400,
    says: /spec.containers: expected a list, got string "main"/,
    field: 'spec.containers',
  },
  'an object for a text': {
    body: text(pod('a', { containers: [{ name: { first: 'main' }, image: 'x' }] })),
    status: 400,
    says: /spec.containers\[0\].name: expected a string, got object/,
    field: 'spec.containers[0].name',
  },
  'a number for a label': {
    body: text({ ...pod('a'), metadata: { name: 'a', labels: { version: 1 } } }),
    status: 400,
    says: /metadata.labels.version: expected a string, got number 1/,
    field: 'metadata.labels.version',
  },
  'a text for a number': {
    body: text(pod('a', { terminationGracePeriodSeconds: '30' })),
    status: 400,
    says: /spec.terminationGracePeriodSeconds: expected a whole number, got string "30"/,
    field: 'spec.terminationGracePeriodSeconds',
  },
  'half a number': {
    body: text(pod('a', { terminationGracePeriodSeconds: 1.5 })),
    status: 400,
    says: /expected a whole number, got number 1.5/,
    field: 'spec.terminationGracePeriodSeconds',
  },
  'a number beyond all numbers': {
    body: text(pod('a')).replace('"containers"', '"activeDeadlineSeconds":1e400,"containers"'),
    status: 400,
    says: /spec.activeDeadlineSeconds: expected a whole number/,
    field: 'spec.activeDeadlineSeconds',
  },
  'a text for true': {
    body: text(pod('a', { hostNetwork: 'true' })),
    status: 400,
    says: /spec.hostNetwork: expected true or false, got string "true"/,
    field: 'spec.hostNetwork',
  },
  'no quantity': {
    body: text(pod('a', { containers: [{ name: 'm', image: 'x', resources: { limits: { cpu: 'much' } } }] })),
    status: 400,
    says: /spec.containers\[0\].resources.limits.cpu: expected a quantity/,
    field: 'spec.containers[0].resources.limits.cpu',
  },
  'a refused field': {
    body: text(pod('a', { readinessGates: [{ conditionType: 'x' }] })),
    status: 422,
    says: /Pod "a" is invalid: spec.readinessGates: Forbidden: readiness gates are not supported/,
    field: 'spec.readinessGates',
  },
  'a key twice': {
    body: text(pod('a')).replace('"image":', '"image":"evil","image":'),
    status: 400,
    says: /strict decoding error: duplicate field "spec.containers\[0\].image"/,
    field: 'spec.containers[0].image',
  },
  'a key twice in YAML': {
    body: yaml('    image: evil\n'),
    type: YAML,
    status: 400,
    says: /strict decoding error: duplicate field "spec.containers\[0\].image"/,
  },
  'a list': { body: '[]', status: 400, says: /the body must be an object/ },
  'a text': { body: '"pod"', status: 400, says: /the body must be an object/ },
  nothing: { body: '', status: 400, says: /the body must be an object/ },
  null: { body: 'null', status: 400, says: /the body must be an object/ },
  'truncated JSON': { body: text(pod('a')).slice(0, -3), status: 400, says: /the body cannot be read: / },
  'two documents of JSON': { body: text(pod('a')).repeat(2), status: 400, says: /the body cannot be read: / },
  'two documents of YAML': {
    body: `${yaml('')}---\n${yaml('')}`,
    type: YAML,
    status: 400,
    says: /the body cannot be read: .*multiple documents/s,
  },
  'truncated YAML': { body: 'apiVersion: v1\nkind: [', type: YAML, status: 400, says: /the body cannot be read: / },
  'YAML with tabs': { body: 'kind: Pod\nspec:\n\tx: y\n', type: YAML, status: 400, says: /the body cannot be read: / },
  'YAML with an anchor that is not there': {
    body: yaml('    command: *none\n'),
    type: YAML,
    status: 400,
    says: /cannot be read: .*none/,
  },
  'YAML with a merge key': {
    body: yaml('    "<<": {a: b}\n'),
    type: YAML,
    status: 400,
    says: /unknown field "spec.containers\[0\].<<"/,
    field: 'spec.containers[0].<<',
  },
  'not UTF-8': {
    body: Buffer.from('{"kind":"Pod\xff"}', 'latin1'),
    status: 400,
    says: /the body cannot be read: .*encoded data/,
  },
  'not UTF-8 in YAML': {
    body: Buffer.from('kind: Pod\xff', 'latin1'),
    type: YAML,
    status: 400,
    says: /the body cannot be read: /,
  },
  'UTF-16': { body: Buffer.from(text(pod('a')), 'utf16le'), status: 400, says: /the body cannot be read: / },
  'a form': {
    body: 'kind=Pod',
    type: 'application/x-www-form-urlencoded',
    status: 415,
    says: /must be JSON or YAML, not application\/x-www-form-urlencoded/,
  },
  XML: { body: '<pod/>', type: 'text/xml', status: 415, says: /must be JSON or YAML, not text\/xml/ },
  'protobuf of a pod': {
    body: Buffer.from('k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod', 'latin1'),
    type: 'application/vnd.kubernetes.protobuf',
    status: 415,
    says: /must be JSON or YAML/,
  },
  'what only says it is protobuf': {
    body: text(pod('a')),
    type: 'application/vnd.kubernetes.protobuf',
    status: 400,
    says: /no protobuf message/,
  },
  '2 MiB': {
    body: text(pod('a', { containers: [{ name: 'm', image: 'x', args: ['y'.repeat(2 * 1024 * 1024)] }] })),
    status: 413,
    says: /1048576/,
  },
  'what grows beyond 1 MiB by its defaults': {
    body: text(pod('a', { containers: Array.from({ length: 9000 }, (_, i) => ({ name: `c${i}`, image: 'x' })) })),
    status: 413,
    says: /the object has \d+ bytes, more than 1048576/,
  },
  'lists in lists in lists': { body: deep('[', ']', 10_000), status: 400, says: /nests deeper than 64/ },
  'objects in objects': {
    body: deep('{"a":', '1', 1000).replace(/1+}$/, `1${'}'.repeat(1001)}`),
    status: 400,
    says: /nests deeper than 64|cannot be read/,
  },
  'half a million brackets': { body: '['.repeat(500_000), status: 400, says: /the body cannot be read: / },
  'deep YAML': {
    body: `kind: Pod\nspec: ${'['.repeat(5000)}${']'.repeat(5000)}`,
    type: YAML,
    status: 400,
    says: /nests deeper than 64|cannot be read/,
  },
  'YAML of brackets alone': { body: '['.repeat(200_000), type: YAML, status: 400, says: /the body cannot be read: / },
  'YAML of many anchors': {
    body: Array.from({ length: 50_000 }, (_, i) => `k${i}: &a${i} x`).join('\n'),
    type: YAML,
    status: 400,
    says: /more than 100 anchors and aliases/,
  },
  'YAML of many keys': {
    body: Array.from({ length: 90_000 }, (_, i) => `k${i}: 1`).join('\n'),
    type: YAML,
    status: 400,
    says: /more than 100000 words and signs of YAML; send JSON/,
  },
  'YAML of lists in lists': { body: '- '.repeat(40_000), type: YAML, status: 400, says: /cannot be read: / },
  'YAML of questions': { body: '? '.repeat(40_000), type: YAML, status: 400, says: /cannot be read: / },
  'YAML that is no mapping of texts': {
    body: yaml('    ? {a: b}\n    : c\n'),
    type: YAML,
    status: 400,
    says: /unknown field/,
  },
  'many unknown fields': {
    body: text(pod('a', Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`f${i}`, 1])))),
    status: 400,
    says: /unknown field "spec.f0"/,
  },
  'a bomb of aliases': {
    body: `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((one, i) => `${one}: &${one} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\nkind: Pod\n`,
    type: YAML,
    status: 400,
    says: /the body cannot be read: (Excessive alias count|more than 100 anchors)/,
  },
  __proto__: {
    body: text(pod('a')).replace('"spec":', '"__proto__":{"x":1},"spec":'),
    status: 400,
    says: /sets __proto__/,
  },
  '__proto__ deep inside': {
    body: text(pod('a')).replace('"image":', '"__proto__":{},"image":'),
    status: 400,
    says: /sets __proto__/,
  },
  'a constructor': {
    body: text(pod('a', { constructor: { prototype: {} } })),
    status: 400,
    says: /unknown field "spec.constructor"/,
    field: 'spec.constructor',
  },
  'a hundred thousand wrong labels': {
    body: text({
      ...pod('a'),
      metadata: { name: 'a', labels: Object.fromEntries(Array.from({ length: 80_000 }, (_, i) => [`-${i}`, '-'])) },
    }),
    status: 422,
    says: /and 159900 more\]$/,
    field: 'metadata.labels',
  },
  'many refused fields': {
    body: text(
      pod('a', { volumes: Array.from({ length: 20_000 }, (_, i) => ({ name: `v${i}`, csi: { driver: 'x' } })) }),
    ),
    status: 422,
    says: /and 19900 more\]$/,
    field: 'spec.volumes[0].csi',
  },
  'no name': {
    body: text({ apiVersion: 'v1', kind: 'Pod', spec: pod('a')['spec'] }),
    status: 422,
    says: /metadata.name: Required value/,
    field: 'metadata.name',
  },
  'no containers': {
    body: text({ ...pod('a'), spec: {} }),
    status: 422,
    says: /spec.containers: Required value/,
    field: 'spec.containers',
  },
  'nothing but a kind': {
    body: text({ kind: 'Pod' }),
    status: 422,
    says: /metadata.name: Required value/,
    field: 'metadata.name',
  },
};

t.test('what is wrong is refused with a Status, and nothing is kept', async (t) => {
  const { call } = await openBareApi(t);
  for (const [what, { body, type = 'application/json', status, says, field }] of Object.entries(REFUSED)) {
    const began = performance.now();
    const got = await call('POST', STRICT, body, { type });
    t.equal(got.status, status, `${what}: ${String(got.body['message']).slice(0, 200)}`);
    t.match(got.body, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason: String }, what);
    t.match(got.body['message'], says, what);
    t.ok(String(got.body['message']).length < 50_000, `${what}: in few words`);
    t.match(got.body['fault'], { code: /^JD_/, remedy: String }, `${what}: with a remedy`);
    if (field !== undefined) t.match(got.body['details'], { causes: [{ field }] }, what);
    t.ok(performance.now() - began < 10_000, `${what}: soon`);
  }
  t.same((await call('GET', '/api/v1/pods')).body['items'], []);
});

t.test('unknown and repeated fields are an error, a warning or nothing, as the client wants it', async (t) => {
  const { call } = await openBareApi(t);
  const loose = (name: string): string =>
    text({ ...pod(name), spec: { ...pod(name)['spec'], replicas: 2 } }).replace('"image":', '"image":"x","image":');
  t.equal((await call('POST', STRICT, loose('strict'))).status, 400);
  for (const [name, mode] of [
    ['warned', '?fieldValidation=Warn'],
    ['usual', ''],
  ] as const) {
    const { status, headers, body } = await call('POST', `${PODS}${mode}`, loose(name));
    t.equal(status, 201);
    t.match(
      headers['warning'],
      /299 - "duplicate field \\"spec.containers\[0\].image\\"", 299 - "unknown field \\"spec.replicas\\""/,
    );
    t.equal(body['spec'].containers[0].image, 'busybox:1', 'the last one counts');
    t.equal(body['spec'].replicas, undefined);
  }
  const ignored = await call('POST', `${PODS}?fieldValidation=Ignore`, loose('ignored'));
  t.match(ignored, { status: 201, headers: { warning: undefined } });
  const patch = { spec: { replicas: 2 }, metadata: { labels: { a: 'b' } } };
  const merge = { type: 'application/merge-patch+json' };
  t.equal((await call('PATCH', `${PODS}/usual?fieldValidation=Strict`, patch, merge)).status, 400, 'patches too');
  t.equal((await call('GET', `${PODS}/usual`)).body['metadata'].labels, undefined);
  const warned = await call('PATCH', `${PODS}/usual`, '{"metadata":{"labels":{"a":"1","a":"2"}}}', merge);
  t.match(warned, { status: 200, headers: { warning: /duplicate field \\"metadata.labels.a\\"/ } });
});

t.test('what is written differently and means the same is accepted', async (t) => {
  const { call } = await openBareApi(t);
  const good: readonly [string, string | Buffer, string][] = [
    ['YAML', yaml(''), YAML],
    ['YAML with anchors', yaml('    command: &x [a]\n    args: *x\n'), 'application/x-yaml'],
    ['YAML with a comment and an end', `# a pod\n${yaml('')}...\n`, 'text/yaml; charset=utf-8'],
    ['JSON as YAML', text(pod('a')), YAML],
    ['JSON with a charset', text(pod('a')), 'Application/JSON; charset=UTF-8'],
    ['escaped keys', text(pod('a')).replace('"image"', '"\\u0069mage"'), 'application/json'],
    ['null where nothing is wanted', text(pod('a', { nodeName: null, volumes: null })), 'application/json'],
    ['kind and version of the path', text({ metadata: { name: 'a' }, spec: pod('a')['spec'] }), 'application/json'],
    [
      'what kubectl get prints',
      text({ ...pod('a'), metadata: { name: 'a', creationTimestamp: null, managedFields: [] }, status: {} }),
      'application/json',
    ],
  ];
  for (const [what, body, type] of good) {
    const { status, body: made } = await call('POST', STRICT, body, { type });
    t.equal(status, 201, `${what}: ${String(made['message'])}`);
    t.equal(made['spec'].containers[0].image, 'busybox:1', what);
    await call('DELETE', `${PODS}/a`);
  }
});

t.test('keys that stand twice', async (t) => {
  const cases: readonly [string, readonly string[]][] = [
    ['{}', []],
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"a":{"b":1,"b":2}}', ['a.b']],
    ['[{"x":0},{"x":[1,{"y":1, "y" : 2}]}]', ['[1].x[1].y']],
    ['{"a":"a","b":"b","c":{"d":"a,{\\"a\\":1}"}}', []],
    ['{"a\\"":1,"a\\"":2}', ['a"']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"":1,"":2}', ['']],
    ['{"a":[],"b":[[],[1,2]],"a":0}', ['a']],
    ['"{a:1,a:2}"', []],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ];
  for (const [json, want] of cases) t.same(duplicateKeys(json), want, json);
  const many: Json = {};
  for (let i = 0; i < 1000; i += 1) many[`k${i}`] = i;
  t.equal(duplicateKeys(text(many).replace('}', `,${text(many).slice(1)}`)).length, 20, 'few are named');
});
