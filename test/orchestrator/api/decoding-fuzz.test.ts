// Mutations of valid manifests and patches: each is accepted whole or refused with a Status, and never an error of the daemon's own.
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { type BareApi, type Json, openBareApi, pod, PODS, type Reply } from '../api-door.ts';

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 600);

const FULL: Json = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'full', labels: { tier: 'web' }, annotations: { note: 'x' } },
  spec: {
    restartPolicy: 'OnFailure',
    terminationGracePeriodSeconds: 5,
    activeDeadlineSeconds: 60,
    nodeSelector: { disk: 'ssd' },
    hostname: 'h',
    securityContext: { runAsUser: 1000, fsGroup: 1000, sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] },
    volumes: [
      { name: 'v', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'w', hostPath: { path: '/data', type: 'Directory' } },
    ],
    initContainers: [{ name: 'init', image: 'busybox:1', command: ['true'] }],
    containers: [
      {
        name: 'main',
        image: 'registry.example.com:5000/web@sha256:abc',
        command: ['sh'],
        args: ['-c', 'sleep 1'],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        ports: [{ name: 'http', containerPort: 80, hostPort: 8080, protocol: 'TCP' }],
        resources: { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '0.1' } },
        volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a', readOnly: true }],
        securityContext: { capabilities: { add: ['CHOWN'], drop: ['ALL'] }, readOnlyRootFilesystem: true },
        readinessProbe: { httpGet: { path: '/', port: 'http' } },
      },
    ],
  },
};
const EVENT: Json = {
  kind: 'Event',
  metadata: { name: 'e' },
  involvedObject: { kind: 'Pod', name: 'full', namespace: 'default' },
  reason: 'Started',
  count: 1,
  firstTimestamp: '2026-11-22T08:00:00Z',
};
const NODE: Json = {
  metadata: { name: 'n' },
  spec: { unschedulable: true },
  status: { conditions: [{ type: 'Ready', status: 'True' }], capacity: { cpu: '4' } },
};

const SUBJECTS: readonly [string, Json][] = [
  [PODS, FULL],
  [PODS, pod('small')],
  ['/api/v1/namespaces/default/events', EVENT],
  ['/api/v1/nodes', NODE],
  ['/api/v1/namespaces', { metadata: { name: 'shop', labels: { a: 'b' } } }],
];

const ODD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  2 ** 53,
  '',
  ' ',
  'x',
  '..',
  '../..',
  '/',
  'a/b/c',
  '-',
  'A B',
  '\0',
  '\ud800',
  'x'.repeat(300),
  [],
  [null],
  [[]],
  ['x', 'x'],
  {},
  { a: {} },
  { name: 'x' },
  { toString: 'x' },
  { constructor: 'x' },
  '1e99',
  '-5Mi',
  '999999999999Ei',
  65_536,
  -2_147_483_649,
];

type Next = () => number;
const pick = <T>(list: readonly T[], next: Next): T => list[Math.floor(next() * list.length)] as T;

/** One place of a value changed, taken away, put elsewhere or made twice. */
function twist(value: unknown, next: Next): unknown {
  const root = structuredClone(value) as Json;
  let at: Json = root;
  for (;;) {
    const keys = Object.keys(at);
    const key = pick(keys, next);
    if (key === undefined) return root;
    const child = at[key] as unknown;
    if (typeof child === 'object' && child !== null && next() < 0.75) {
      at = child as Json;
      continue;
    }
    const how = next();
    if (how < 0.5) at[key] = pick(ODD, next);
    else if (how < 0.65) delete at[key];
    else if (how < 0.75 && Array.isArray(at)) at.push(structuredClone(child));
    else if (how < 0.85) at[`${key}x`] = child;
    else at[pick(['name', 'spec', 'image', 'kind', 'status', '$patch', 'metadata', 'hostPath'], next)] = child;
    return root;
  }
}

const KNOWN = [200, 201, 400, 403, 404, 409, 413, 415, 422];

function checkReply(t: Test, { status, body }: Reply, what: string): void {
  if (!KNOWN.includes(status)) t.fail(`${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  if (status < 400) return;
  if (body['kind'] !== 'Status' || body['code'] !== status || typeof body['message'] !== 'string')
    t.fail(`${what}: no Status: ${JSON.stringify(body).slice(0, 300)}`);
}

/** Everything that is kept, with its versions. */
async function everything({ call }: BareApi): Promise<string> {
  const lists = await Promise.all(
    ['pods', 'events', 'nodes', 'namespaces'].map((plural) => call('GET', `/api/v1/${plural}`)),
  );
  return JSON.stringify(lists.map(({ body }) => body['items'] as unknown));
}

t.test(`mutated manifests (FUZZ_SEED=${FUZZ_SEED})`, async (t) => {
  const api = await openBareApi(t);
  const next = random();
  let kept = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [path, valid] = pick(SUBJECTS, next);
    let wanted: unknown = valid;
    for (let times = Math.floor(next() * 3); times >= 0; times -= 1) wanted = twist(wanted, next);
    const yaml = next() < 0.3;
    const plain = yaml ? stringify(wanted) : JSON.stringify(wanted);
    const body = next() < 0.3 ? mutate(Buffer.from(plain), next) : plain;
    const mode = pick(['Strict', 'Warn', 'Ignore'], next);
    const before = await everything(api);
    const got = await api.call('POST', `${path}?fieldValidation=${mode}`, body, {
      type: yaml ? 'application/yaml' : 'application/json',
    });
    const what = `round ${round}: ${String(body).slice(0, 400)}`;
    checkReply(t, got, what);
    if (got.status !== 201) {
      if ((await everything(api)) !== before) t.fail(`${what}: refused, and yet something was kept`);
      continue;
    }
    kept += 1;
    const one = `${path}/${encodeURIComponent(got.body['metadata'].name as string)}`;
    t.same((await api.call('GET', one)).body, got.body, 'what was answered is what is kept');
    const again = await api.call('PUT', `${one}?fieldValidation=Strict`, got.body);
    t.same([again.status, again.body], [200, got.body], `what was kept is valid and changes nothing: ${what}`);
    await api.call('DELETE', `${one}?gracePeriodSeconds=0`);
    const name = got.body['metadata'].name as string;
    if (path.endsWith('/namespaces'))
      await api.context.objects.remove(`/registry/core/namespaces/${name}`, (await api.call('GET', one)).body as never);
  }
  t.ok(kept > ROUNDS / 30, `${kept} of ${ROUNDS} were accepted`);
});

const PATCHES: readonly [string, unknown][] = [
  ['application/merge-patch+json', { metadata: { labels: { a: 'b' } }, spec: { activeDeadlineSeconds: 30 } }],
  [
    'application/strategic-merge-patch+json',
    {
      metadata: { annotations: { $patch: 'replace', x: 'y' } },
      spec: { '$setElementOrder/containers': [{ name: 'main' }], containers: [{ name: 'main', image: 'busybox:2' }] },
    },
  ],
  [
    'application/json-patch+json',
    [
      { op: 'test', path: '/kind', value: 'Pod' },
      { op: 'add', path: '/metadata/labels/x', value: 'y' },
      { op: 'replace', path: '/spec/containers/0/image', value: 'busybox:3' },
      { op: 'copy', from: '/metadata/name', path: '/metadata/annotations/name' },
      { op: 'move', from: '/metadata/labels/tier', path: '/metadata/labels/level' },
      { op: 'remove', path: '/metadata/annotations/note' },
    ],
  ],
];

t.test(`mutated patches change what they may, or nothing (FUZZ_SEED=${FUZZ_SEED})`, async (t) => {
  const api = await openBareApi(t);
  const next = random(FUZZ_SEED + 1);
  let applied = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 50 === 0) {
      await api.call('DELETE', `${PODS}/full?gracePeriodSeconds=0`);
      t.equal((await api.call('POST', PODS, FULL)).status, 201);
    }
    const before = (await api.call('GET', `${PODS}/full`)).body;
    const [type, valid] = pick(PATCHES, next);
    const wanted = next() < 0.2 ? twist(FULL, next) : twist(twist(valid, next), next);
    const body = next() < 0.2 ? mutate(Buffer.from(JSON.stringify(wanted)), next) : JSON.stringify(wanted);
    const got = await api.call('PATCH', `${PODS}/full`, body, { type });
    const what = `round ${round}: ${type} ${String(body).slice(0, 400)}`;
    checkReply(t, got, what);
    const after = (await api.call('GET', `${PODS}/full`)).body;
    if (got.status !== 200) {
      t.same(after, before, `${what}: refused, and yet something was changed`);
      continue;
    }
    applied += 1;
    t.same(after, got.body, what);
    const fixed = ({ metadata, spec, status }: Json): unknown => [
      metadata.name,
      metadata.namespace,
      metadata.uid,
      metadata.creationTimestamp,
      status,
      spec.restartPolicy,
      spec.volumes,
      spec.containers.map(({ image: _, ...rest }: Json) => rest as unknown),
      spec.securityContext,
      spec.hostNetwork,
    ];
    t.same(fixed(after), fixed(before), `${what}: what is fixed stays`);
    if (JSON.stringify(after['metadata'].resourceVersion) === JSON.stringify(before['metadata'].resourceVersion))
      t.same(after, before);
  }
  t.ok(applied > ROUNDS / 30, `${applied} of ${ROUNDS} were applied`);
});
