// Objects are created, read and changed as Kubernetes does it.
import t from 'tap';
import { type Json, openBareApi, pod, PODS } from '../api-door.ts';

const MERGE = { type: 'application/merge-patch+json' } as const;
const NS = '/api/v1/namespaces';

t.test('a pod is created with its defaults, read, listed and deleted', async (t) => {
  const { call } = await openBareApi(t);
  const made = await call('POST', PODS, pod('one'));
  t.equal(made.status, 201);
  t.match(made.body, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace: 'default', generation: 1, uid: /^[0-9a-f-]{36}$/, resourceVersion: /^\d+$/ },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'main', image: 'busybox:1', imagePullPolicy: 'IfNotPresent' }],
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  });
  t.same((await call('GET', `${PODS}/one`)).body, made.body);
  const list = await call('GET', '/api/v1/pods');
  t.equal(list.body['kind'], 'PodList');
  t.same(list.body['items'], [made.body]);
  t.equal((await call('POST', PODS, pod('one'))).status, 409);
  t.equal((await call('DELETE', `${PODS}/one`)).status, 200);
  const gone = await call('GET', `${PODS}/one`);
  t.match(gone, {
    status: 404,
    body: { kind: 'Status', reason: 'NotFound', message: 'pods "one" not found', code: 404 },
  });
});

t.test('a name is made up where only its beginning is given', async (t) => {
  const { call } = await openBareApi(t);
  const unnamed = { ...pod('x'), metadata: { generateName: 'job-' } };
  const made = await Promise.all(Array.from({ length: 5 }, () => call('POST', PODS, unnamed)));
  const names = new Set(made.map(({ body }) => body['metadata'].name as string));
  t.equal(names.size, 5);
  for (const name of names) t.match(name, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  const long = { ...pod('x'), metadata: { generateName: 'l'.repeat(80) } };
  t.equal((await call('POST', PODS, long)).body['metadata'].name.length, 63);
  t.match(await call('POST', PODS, { ...pod('x'), metadata: {} }), {
    status: 422,
    body: { message: /metadata.name: Required value: name or generateName is required/ },
  });
});

t.test('what a client may not say at creation', async (t) => {
  const { call } = await openBareApi(t);
  const refused: readonly [string, string, unknown, object][] = [
    ['a version', PODS, { ...pod('a'), metadata: { name: 'a', resourceVersion: '7' } }, { status: 400 }],
    ['another namespace', PODS, { ...pod('a'), metadata: { name: 'a', namespace: 'kube-system' } }, { status: 400 }],
    ['no such namespace', `${NS}/none/pods`, pod('a'), { status: 404, body: { details: { kind: 'namespaces' } } }],
    ['another kind', PODS, { ...pod('a'), kind: 'Node' }, { status: 400 }],
    ['another version of it', PODS, { ...pod('a'), apiVersion: 'v2' }, { status: 400 }],
    ['finalizers', PODS, { ...pod('a'), metadata: { name: 'a', finalizers: ['x/y'] } }, { status: 422 }],
    ['finalizers of events', `${NS}/default/events`, { metadata: { name: 'e', finalizers: ['x/y'] } }, { status: 422 }],
    [
      'too many annotations',
      PODS,
      { ...pod('a'), metadata: { name: 'a', annotations: { big: 'x'.repeat(300_000) } } },
      { status: 422, body: { details: { causes: [{ reason: 'FieldValueTooLong' }] } } },
    ],
  ];
  for (const [what, path, body, want] of refused) t.match(await call('POST', path, body), want, what);
  const forged = {
    ...pod('forged'),
    metadata: {
      name: 'forged',
      uid: 'mine',
      generation: 9,
      creationTimestamp: '2000-01-01T00:00:00Z',
      deletionTimestamp: '2000-01-01T00:00:00Z',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'y' }],
      managedFields: [{ manager: 'x' }],
    },
    status: { phase: 'Succeeded', podIP: '10.0.0.1' },
  };
  const { body, headers } = await call('POST', PODS, forged, { as: 'operator' });
  t.same(body['status'], { phase: 'Pending', qosClass: 'BestEffort' }, 'the status is the node agent’s');
  t.match(body['metadata'], { generation: 1, uid: /-/, managedFields: undefined, deletionTimestamp: undefined });
  t.not(body['metadata'].creationTimestamp, '2000-01-01T00:00:00Z');
  t.match(headers['warning'], /metadata\.ownerReferences: has no effect in this version/);
});

t.test('a dry run answers as the real one would, and keeps nothing', async (t) => {
  const { call } = await openBareApi(t);
  const { body: one } = await call('POST', PODS, pod('one'));
  const before = (await call('GET', PODS)).body;
  t.match(await call('POST', `${PODS}?dryRun=All`, pod('two')), { status: 201, body: { metadata: { name: 'two' } } });
  t.equal((await call('POST', `${PODS}?dryRun=All`, pod('one'))).status, 409);
  t.equal((await call('POST', `${PODS}?dryRun=All`, pod('Bad'))).status, 422);
  const label = { metadata: { labels: { a: 'b' } } };
  const patched = await call('PATCH', `${PODS}/one?dryRun=All`, label, MERGE);
  t.match(patched.body['metadata'], { labels: { a: 'b' }, resourceVersion: one['metadata'].resourceVersion });
  t.equal((await call('PUT', `${PODS}/one?dryRun=All`, { ...one, metadata: label.metadata })).status, 200);
  t.equal((await call('DELETE', `${PODS}/one?dryRun=All`)).status, 200);
  t.equal((await call('DELETE', `${PODS}/one`, { dryRun: ['All'] })).status, 200);
  t.equal((await call('DELETE', `${PODS}?dryRun=All`)).status, 200);
  t.same((await call('GET', PODS)).body, before);
  for (const query of ['dryRun=Some', 'fieldValidation=Lenient']) {
    t.equal((await call('POST', `${PODS}?${query}`, pod('two'))).status, 400, query);
  }
});

t.test('a change on top of what is no longer there is a conflict', async (t) => {
  const { call } = await openBareApi(t);
  const { body: first } = await call('POST', PODS, pod('one'));
  const path = `${PODS}/one`;
  const wanted = (version: string | undefined, labels: Json): Json => ({
    ...first,
    metadata: { ...first['metadata'], resourceVersion: version, labels },
  });
  const second = await call('PUT', path, wanted(first['metadata'].resourceVersion, { a: '1' }));
  t.equal(second.status, 200);
  t.ok(Number(second.body['metadata'].resourceVersion) > Number(first['metadata'].resourceVersion));
  t.match(await call('PUT', path, wanted(first['metadata'].resourceVersion, { a: '2' })), {
    status: 409,
    body: {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on pods "one": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: 'one', kind: 'pods' },
    },
  });
  t.equal((await call('PUT', path, wanted(undefined, { a: '3' }))).status, 200, 'without a version it is no condition');
  t.match(await call('PUT', path, wanted('seven', { a: '4' })), {
    status: 400,
    body: { reason: 'BadRequest', details: { causes: [{ field: 'metadata.resourceVersion' }] } },
  });
  t.equal((await call('PUT', `${PODS}/none`, pod('none'))).status, 404);
  t.equal((await call('PUT', path, pod('other'))).status, 400);
  const racing = await Promise.all(
    Array.from({ length: 10 }, (_, i) => call('PATCH', path, { metadata: { labels: { [`l${i}`]: 'x' } } }, MERGE)),
  );
  t.ok(racing.every(({ status }) => status === 200 || status === 409));
  const { labels } = (await call('GET', path)).body['metadata'];
  const kept = racing.filter(({ status }) => status === 200).length;
  t.equal(Object.keys(labels).length, kept + 1, 'of changes made at once, those that were acknowledged are all there');
});
