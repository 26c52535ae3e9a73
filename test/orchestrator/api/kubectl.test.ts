// The real kubectl against the front door over HTTPS; the node agent is played by the test.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { eventually } from '../../support/daemon.ts';
import { kubectlPath } from '../../support/kubectl.ts';
import { needs } from '../../support/needs.ts';
import { type ApiDoor, type Json, openApiDoor, pod, PODS } from '../api-door.ts';
import { type Kubectl, openKubectl } from '../kubectl.ts';

const RUNNING = {
  phase: 'Running',
  podIP: '10.0.0.7',
  startTime: '2026-11-22T08:00:00Z',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [
    {
      name: 'main',
      ready: true,
      started: true,
      restartCount: 0,
      image: 'busybox:1',
      imageID: 'sha256:1',
      state: { running: { startedAt: '2026-11-22T08:00:01Z' } },
      lastState: {},
    },
  ],
};
const MERGE = { type: 'application/merge-patch+json' } as const;

const skip = needs('kubectl');
// Each of these starts a dozen processes, beside those of other tests.
const timeout = 120_000;

/** An API with one node that is ready. */
async function open(t: Test, variables: Record<string, string> = {}): Promise<ApiDoor & { readonly kubectl: Kubectl }> {
  const api = await openApiDoor(t);
  await api.call('POST', '/api/v1/nodes', { metadata: { name: 'host-1' } });
  await api.call(
    'PATCH',
    '/api/v1/nodes/host-1/status',
    { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    MERGE,
  );
  return { ...api, kubectl: await openKubectl(t, api, 'admin', variables) };
}

/** What the node agent would do: the pod that is bound to it runs. */
async function runPod({ call }: ApiDoor, name: string, path = PODS): Promise<Json> {
  await eventually(
    `${name} is bound`,
    async () => (await call('GET', `${path}/${name}`)).body['spec'].nodeName as string | undefined,
  );
  return (await call('PATCH', `${path}/${name}/status`, { status: RUNNING }, MERGE)).body;
}

t.test('kubectl is one that is supported', { skip }, async (t) => {
  const said = execFileSync(kubectlPath(), ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  const { major, minor, gitVersion } = (JSON.parse(said) as { clientVersion: Record<string, string> }).clientVersion;
  t.comment(`kubectl ${gitVersion}`);
  t.ok(Number(major) > 1 || Number.parseInt(minor ?? '', 10) >= 32, `${gitVersion}: at least 1.32`);
});

t.test('apply, and apply again', { skip, timeout }, async (t) => {
  const api = await open(t);
  const { kubectl, call } = api;
  const file = await kubectl.file('one.json', pod('one'));
  const applied = await kubectl('apply', '-f', file);
  t.match(applied, { code: 0, out: 'pod/one created', err: '' });
  t.match(await kubectl('apply', '-f', file), { code: 0, out: 'pod/one unchanged', err: '' });
  const labelled = await kubectl.file('labelled.json', {
    ...pod('one'),
    metadata: { name: 'one', labels: { tier: 'web' } },
  });
  t.match(await kubectl('apply', '--dry-run=server', '-f', labelled), {
    code: 0,
    out: 'pod/one configured (server dry run)',
  });
  t.equal((await call('GET', `${PODS}/one`)).body['metadata'].labels, undefined);
  if (existsSync('/usr/bin/diff')) {
    const difference = await kubectl('diff', '-f', labelled);
    t.match(difference, { code: 1, out: /^\+ {2}labels:\n\+ {4}tier: web$/m });
  }
  t.match(await kubectl('apply', '-f', labelled), { code: 0, out: 'pod/one configured', err: '' });
  t.equal((await kubectl('diff', '-f', labelled)).code, 0);
  t.match(await kubectl('get', 'pods', '-l', 'tier=web', '-o', 'name'), { out: 'pod/one' });
  t.match(await kubectl('apply', '-f', file), { code: 0, out: 'pod/one configured', err: '' });
  t.same((await call('GET', `${PODS}/one`)).body['metadata'].labels ?? {}, {}, 'what is no longer wanted goes');
  const image = await kubectl.file('image.json', pod('one', { containers: [{ name: 'main', image: 'busybox:2' }] }));
  t.match(await kubectl('apply', '-f', image), { code: 0, out: 'pod/one configured' });
  t.match((await kubectl('get', 'pod', 'one', '-o', 'jsonpath={.spec.containers[*].image}')).out, 'busybox:2');
  const fixed = await kubectl('apply', '-f', await kubectl.file('fixed.json', pod('one', { restartPolicy: 'Never' })));
  t.match(fixed, {
    code: 1,
    err: /The Pod "one" is invalid: .*spec: Forbidden: pod updates may not change fields other than/,
  });
  const wrong = await kubectl('apply', '-f', await kubectl.file('two.json', pod('two', { containerz: [] })));
  t.match(wrong.err, /strict decoding error: unknown field "spec.containerz", did you mean "containers"\?/);
  const probe = { name: 'main', image: 'busybox:1', readinessProbe: { tcpSocket: { port: 80 } } };
  const warned = await kubectl('apply', '-f', await kubectl.file('three.json', pod('three', { containers: [probe] })));
  t.match(warned, { code: 0, err: /Warning: spec\.containers\[0\]\.readinessProbe: has no effect in this version/ });
  const server = await kubectl('apply', '--server-side', '-f', file);
  t.match(server, {
    code: 1,
    err: /Server-side apply not available on the server: .*kubectl apply without --server-side works/,
  });
});

t.test('get -w shows a pod come, run and go', { skip, timeout }, async (t) => {
  const api = await open(t);
  const { kubectl, call } = api;
  await call('POST', PODS, pod('zero'));
  const watching = kubectl.follow('get', 'pods', '-w');
  await eventually('the watch begins', () => /^zero/m.test(watching.out()) || undefined, 20_000);
  t.match(await kubectl('apply', '-f', await kubectl.file('one.json', pod('one'))), { code: 0 });
  const bound = await runPod(api, 'one');
  await eventually('it runs', () => /^one +1\/1 +Running/m.test(watching.out()) || undefined, 20_000);
  await call('DELETE', `${PODS}/one`);
  await eventually('it ends', () => /^one +1\/1 +Terminating/m.test(watching.out()) || undefined, 20_000);
  await call('DELETE', `${PODS}/one?gracePeriodSeconds=0`);
  const rows = watching
    .out()
    .split('\n')
    .filter((line) => line.startsWith('one '))
    .map((line) => line.split(/ +/).slice(1, 3).join(' '));
  t.same([...new Set(rows)], ['0/1 Pending', '1/1 Running', '1/1 Terminating'], 'in this order');
  t.match(watching.out(), /^NAME +READY +STATUS +RESTARTS +AGE\n/, 'below one heading');
  t.equal(watching.out().split('NAME ').length, 2);
  t.match(bound, { spec: { nodeName: 'host-1' } });
});

t.test('get, describe and events', { skip, timeout }, async (t) => {
  const api = await open(t);
  const { kubectl, call } = api;
  await call('POST', PODS, pod('one'));
  const { metadata } = await runPod(api, 'one');
  const wide = (await kubectl('get', 'pods', '-o', 'wide')).out;
  t.match(wide, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE\n/);
  t.match(wide, /^one +1\/1 +Running +0 +\d+s +10\.0\.0\.7 +host-1/m);
  t.match((await kubectl('get', 'nodes')).out, /^host-1 +Ready +<none>/m);
  t.match((await kubectl('get', 'ns')).out, /^default +Active/m);
  t.match((await kubectl('get', 'all')).out, /^one +1\/1/m);
  t.match((await kubectl('get', 'po', '-A', '--sort-by=.metadata.name')).out, /^default +one +1\/1/m);
  t.match((await kubectl('get', 'pod', 'one', '-o', 'yaml')).out, /^ {2}phase: Running$/m);
  t.match(await kubectl('get', 'pod', 'none'), { code: 1, err: 'Error from server (NotFound): pods "none" not found' });
  const at = new Date().toISOString();
  await call('POST', '/api/v1/namespaces/default/events', {
    metadata: { name: 'one.1' },
    involvedObject: { kind: 'Pod', name: 'one', namespace: 'default', uid: metadata.uid },
    reason: 'Started',
    message: 'Started container main',
    type: 'Normal',
    source: { component: 'jdos-agent' },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  });
  const described = await kubectl('describe', 'pod', 'one');
  t.match(described, { code: 0, out: /Status: +Running/ });
  t.match(described.out, /Normal +Started .*Started container main/);
  t.match(await kubectl('describe', 'node', 'host-1'), { code: 0, out: /default +one/ });
  t.match(await kubectl('describe', 'ns', 'default'), { code: 0, out: /Status: +Active/ });
  t.match((await kubectl('get', 'events')).out, /Normal +Started +pod\/one +Started container main/);
  t.match(
    (await kubectl('events', '--for', 'pod/one')).out,
    /Normal +Scheduled +.*Successfully assigned default\/one to host-1/,
  );
});

t.test('label, annotate, edit, patch, set image and wait', { skip, timeout }, async (t) => {
  const api = await open(t, { KUBE_EDITOR: 'sed -i s/tier:.web/tier:\\ edited/' });
  const { kubectl, call } = api;
  await call('POST', PODS, pod('one'));
  const waiting = kubectl('wait', '--for=condition=Ready', 'pod/one', '--timeout=60s');
  await runPod(api, 'one');
  t.match(await waiting, { code: 0, out: 'pod/one condition met' });
  t.match(await kubectl('label', 'pod', 'one', 'tier=web'), { code: 0, out: 'pod/one labeled' });
  t.match(await kubectl('label', 'pod', 'one', 'tier=db'), {
    code: 1,
    err: /already has a value \(web\), and --overwrite is false/,
  });
  t.match(await kubectl('annotate', 'pod', 'one', 'note=kept'), { code: 0, out: 'pod/one annotated' });
  t.match(await kubectl('edit', 'pod', 'one'), { code: 0, out: 'pod/one edited' });
  t.match((await kubectl('get', 'pod', 'one', '--show-labels')).out, /tier=edited/);
  t.match(await kubectl('set', 'image', 'pod/one', 'main=busybox:2'), { code: 0, out: 'pod/one image updated' });
  const patches: readonly [string, string][] = [
    ['strategic', '{"spec":{"containers":[{"name":"main","image":"busybox:3"}]}}'],
    ['merge', '{"metadata":{"labels":{"tier":null}}}'],
    ['json', '[{"op":"replace","path":"/spec/containers/0/image","value":"busybox:4"}]'],
  ];
  for (const [type, patch] of patches)
    t.match(
      await kubectl('patch', 'pod', 'one', `--type=${type}`, '-p', patch),
      { code: 0, out: 'pod/one patched' },
      type,
    );
  const { body } = await call('GET', `${PODS}/one`);
  t.match(body, {
    metadata: { labels: { tier: undefined }, annotations: { note: 'kept' } },
    spec: { containers: [{ image: 'busybox:4' }] },
  });
  const refused = await kubectl(
    'patch',
    'pod',
    'one',
    '--type=json',
    '-p',
    '[{"op":"replace","path":"/spec/restartPolicy","value":"Never"}]',
  );
  t.match(refused.err, /The Pod "one" is invalid: .*spec: Forbidden: pod updates may not change fields other than/);
  t.match(await kubectl('wait', '--for=jsonpath={.status.phase}=Running', 'pod/one', '--timeout=20s'), { code: 0 });
});

t.test('delete waits for the end', { skip, timeout }, async (t) => {
  const api = await open(t);
  const { kubectl, call } = api;
  for (const name of ['one', 'two', 'three']) await call('POST', PODS, pod(name));
  for (const name of ['one', 'two', 'three']) await runPod(api, name);
  const deleting = kubectl('delete', 'pod', 'one', '--grace-period=20');
  const watching = kubectl('wait', '--for=delete', 'pod/one', '--timeout=60s');
  await eventually(
    'it is marked',
    async () => (await call('GET', `${PODS}/one`)).body['metadata'].deletionTimestamp as string | undefined,
    20_000,
  );
  t.match((await kubectl('get', 'pod', 'one')).out, /Terminating/);
  await call('DELETE', `${PODS}/one`, { gracePeriodSeconds: 0 });
  t.match(await deleting, { code: 0, out: 'pod "one" deleted' });
  t.match(await watching, { code: 0 });
  t.match(await kubectl('delete', 'pod', 'two', '--grace-period=0', '--force'), { code: 0 });
  t.match(await kubectl('delete', 'pods', '--all', '--wait=false'), { code: 0, out: 'pod "three" deleted' });
  await call('DELETE', `${PODS}/three?gracePeriodSeconds=0`);
  t.match(await kubectl('get', 'pods'), { code: 0, err: 'No resources found in default namespace.' });
  t.match(await kubectl('delete', 'pod', 'none'), { code: 1, err: /pods "none" not found/ });
});

t.test('namespaces and nodes', { skip, timeout }, async (t) => {
  const api = await open(t);
  const { kubectl, call } = api;
  t.match(await kubectl('create', 'namespace', 'shop'), { code: 0, out: 'namespace/shop created' });
  t.match(await kubectl('run', 'web', '-n', 'shop', '--image=busybox:1'), { code: 0, out: 'pod/web created' });
  const inside = '/api/v1/namespaces/shop/pods';
  await runPod(api, 'web', inside);
  const deleting = kubectl('delete', 'namespace', 'shop');
  await eventually('it ends', async () => /^shop +Terminating/m.exec((await kubectl('get', 'ns')).out)?.[0], 30_000);
  t.match(await kubectl('run', 'late', '-n', 'shop', '--image=busybox:1'), {
    code: 1,
    err: /forbidden: unable to create new content in namespace shop because it is being terminated/,
  });
  await eventually(
    'its pod is told',
    async () => (await call('GET', `${inside}/web`)).body['metadata'].deletionTimestamp as string | undefined,
  );
  await call('DELETE', `${inside}/web?gracePeriodSeconds=0`);
  t.match(await deleting, { code: 0, out: 'namespace "shop" deleted' });
  t.match(await kubectl('delete', 'ns', 'default'), { code: 1, err: /this namespace may not be deleted/ });
  await call('POST', PODS, pod('one'));
  await runPod(api, 'one');
  t.match(await kubectl('cordon', 'host-1'), { code: 0, out: 'node/host-1 cordoned' });
  t.match((await kubectl('get', 'nodes')).out, /^host-1 +Ready,SchedulingDisabled/m);
  t.match(await kubectl('drain', 'host-1', '--force', '--grace-period=0'), { code: 0, out: /node\/host-1 drained/ });
  t.match(await kubectl('uncordon', 'host-1'), { code: 0 });
});

t.test('what there is, what it is like, and who may what', { skip, timeout }, async (t) => {
  const api = await open(t);
  const { kubectl } = api;
  const kinds = (await kubectl('api-resources', '--verbs=list', '--no-headers')).out;
  t.same(
    kinds
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ +/)),
    [
      ['events', 'ev', 'v1', 'true', 'Event'],
      ['namespaces', 'ns', 'v1', 'false', 'Namespace'],
      ['nodes', 'no', 'v1', 'false', 'Node'],
      ['pods', 'po', 'v1', 'true', 'Pod'],
    ],
  );
  t.match(await kubectl('version'), { code: 0, out: /Server Version: v1\.34\.0\+jdos-1\.2\.3/ });
  t.match(await kubectl('explain', 'pod'), { code: 0, out: /KIND: +Pod\nVERSION: +v1/ });
  t.match(
    (await kubectl('explain', 'pod.spec.containers.resources.limits')).out,
    /FIELD: limits <map\[string\]string>/,
  );
  t.match((await kubectl('explain', 'pod.spec.containers.readinessProbe')).out, /has no effect in this version/);
  t.match((await kubectl('explain', 'pods.spec.readinessGates')).out, /Refused: readiness gates are not supported/);
  t.match(await kubectl('explain', 'pod.spec.nothing'), { code: 1, err: /field "nothing" does not exist/ });
  t.match(await kubectl('get', 'deployments'), {
    code: 1,
    err: /the server doesn't have a resource type "deployments"/,
  });
  await api.call('POST', PODS, pod('one'));
  t.match((await kubectl('exec', 'one', '--', 'ls')).err, /pods\/exec is not supported in this version/);
  t.match(await kubectl('auth', 'can-i', 'create', 'nodes'), { code: 0, out: 'yes' });
  t.match((await kubectl('auth', 'whoami')).out, /Username +the-admin/);
  const operator = await openKubectl(t, api, 'operator');
  t.match(await operator('auth', 'can-i', 'create', 'pods'), { code: 0, out: 'yes' });
  t.match(await operator('auth', 'can-i', 'create', 'nodes'), { code: 1, out: 'no' });
  const strong = await operator(
    'apply',
    '-f',
    await operator.file('strong.json', pod('strong', { hostNetwork: true })),
  );
  t.match(strong, {
    code: 1,
    err: /pods "strong" is forbidden: .*spec.hostNetwork: Forbidden: namespaces of the host need admin/,
  });
  const viewer = await openKubectl(t, api, 'viewer');
  t.match(await viewer('run', 'x', '--image=busybox:1'), { code: 1, err: /Forbidden/ });
  t.match(await viewer('get', 'pods'), { code: 0 });
});
