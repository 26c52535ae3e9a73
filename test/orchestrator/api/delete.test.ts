// Deletion: grace periods, preconditions, and whole collections.
import t from 'tap';
import { type Json, openBareApi, pod, PODS, type Reply } from '../api-door.ts';

const MERGE = { type: 'application/merge-patch+json' } as const;
const NS = '/api/v1/namespaces';
const labelled = (name: string, labels: Json, spec: Json = {}): Json => ({
  ...pod(name, spec),
  metadata: { name, labels },
});
const namesIn = ({ body }: Reply): string[] => (body['items'] as Json[]).map(({ metadata }) => metadata.name as string);

t.test('deletion: grace, preconditions, and options that are read strictly', async (t) => {
  let now = Date.parse('2026-11-22T08:00:00Z');
  const { call } = await openBareApi(t, { now: () => now });
  const { body: made } = await call('POST', PODS, pod('one', { nodeName: 'n' }));
  const path = `${PODS}/one`;
  const refused: readonly [unknown, object][] = [
    [{ preconditions: { uid: 'other' } }, { status: 409, body: { message: /UID in precondition: other/ } }],
    [{ preconditions: { resourceVersion: '1' } }, { status: 409, body: { reason: 'Conflict' } }],
    [
      { precondition: { uid: 'x' } },
      { status: 400, body: { message: /unknown field "precondition", did you mean "preconditions"/ } },
    ],
    [{ preconditions: { uid: 7 } }, { status: 400 }],
    [
      '{"preconditions":{"uid":"x","uid":""}}',
      { status: 400, body: { message: /duplicate field "preconditions.uid"/ } },
    ],
    [{ gracePeriodSeconds: '0' }, { status: 400 }],
    [{ gracePeriodSeconds: -1 }, { status: 400 }],
    [{ propagationPolicy: 'Slowly' }, { status: 400 }],
    [{ dryRun: ['Some'] }, { status: 400 }],
    [pod('one'), { status: 400 }],
    [[], { status: 400 }],
    ['{', { status: 400 }],
  ];
  for (const [body, want] of refused) t.match(await call('DELETE', path, body), want, JSON.stringify(body));
  t.equal((await call('DELETE', `${path}?gracePeriodSeconds=x`)).status, 400);
  t.equal((await call('DELETE', `${path}?propagationPolicy=x`)).status, 400);
  t.same((await call('GET', path)).body, made, 'nothing was deleted by any of them');
  const first = await call('DELETE', path, {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Background',
    preconditions: { uid: made['metadata'].uid },
  });
  const meta = { deletionTimestamp: '2026-11-22T08:00:30Z', deletionGracePeriodSeconds: 30, generation: 2 };
  t.match(first, { status: 200, body: { kind: 'Pod', metadata: meta } });
  now += 5000;
  const longer = await call('DELETE', path, { gracePeriodSeconds: 60 });
  t.same(longer.body, first.body, 'a second deletion makes the grace no longer');
  const sooner = await call('DELETE', path, { gracePeriodSeconds: 10 });
  t.match(sooner.body['metadata'], { deletionTimestamp: '2026-11-22T08:00:10Z', deletionGracePeriodSeconds: 10 });
  t.equal(
    (await call('PATCH', path, { metadata: { labels: { a: 'b' } } }, MERGE)).status,
    200,
    'it may still be labelled',
  );
  t.equal((await call('DELETE', path, { gracePeriodSeconds: 0 })).status, 200);
  t.equal((await call('GET', path)).status, 404);
  t.equal((await call('DELETE', path)).status, 404);
  await call('POST', PODS, pod('ended', { nodeName: 'n' }));
  await call('PATCH', `${PODS}/ended/status`, { status: { phase: 'Succeeded' } }, MERGE);
  await call('DELETE', `${PODS}/ended`);
  t.equal((await call('GET', `${PODS}/ended`)).status, 404, 'what has ended goes at once');
  t.match(await call('DELETE', '/api/v1/nodes/none'), { status: 404, body: { message: 'nodes "none" not found' } });
  await call('POST', '/api/v1/nodes', { metadata: { name: 'n' } });
  t.match((await call('DELETE', '/api/v1/nodes/n')).body, {
    kind: 'Status',
    status: 'Success',
    details: { name: 'n' },
  });
});

t.test('a collection is deleted by selectors', async (t) => {
  const { call } = await openBareApi(t);
  for (const name of ['a', 'b', 'c']) await call('POST', PODS, labelled(name, { tier: name === 'c' ? 'db' : 'web' }));
  await call('POST', `${NS}/kube-system/pods`, labelled('d', { tier: 'web' }));
  const gone = await call('DELETE', `${PODS}?labelSelector=tier%3Dweb`);
  t.match(gone, {
    status: 200,
    body: { kind: 'PodList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] },
  });
  t.same(namesIn(await call('GET', '/api/v1/pods')), ['c', 'd']);
  t.equal((await call('DELETE', `${PODS}?fieldSelector=constructor%3Dx`)).status, 400);
  await call('DELETE', PODS);
  t.same(namesIn(await call('GET', '/api/v1/pods')), ['d'], 'of one namespace');
  t.equal((await call('DELETE', '/api/v1/pods')).status, 405);
  t.equal((await call('DELETE', NS)).status, 405, 'no namespaces by a slip');
});
