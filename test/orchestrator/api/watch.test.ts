// Watches over HTTP: lines in order, selectors that objects enter and leave, bookmarks, time, and too old a revision.
import { request, type IncomingMessage } from 'node:http';
import t from 'tap';
import { eventually } from '../../support/daemon.ts';
import { type ApiDoor, openBareApi, type Json, pod, PODS } from '../api-door.ts';

interface Watching {
  readonly status: number;
  readonly events: Json[];
  readonly ended: () => boolean;
  readonly stop: () => void;
}

function watchLines({ door, tokens }: ApiDoor, path: string): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: door.port('loopback'), path, headers: { authorization: `Bearer ${tokens.viewer}` } },
      (response: IncomingMessage) => {
        const events: Json[] = [];
        let rest = '';
        let over = false;
        response.setEncoding('utf8').on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          events.push(...lines.map((line) => JSON.parse(line) as Json));
        });
        response.on('error', () => undefined).on('close', () => (over = true));
        resolve({ status: response.statusCode ?? 0, events, ended: () => over, stop: () => sent.destroy() });
      },
    );
    sent.on('error', reject).end();
  });
}

const LABELS = { type: 'application/merge-patch+json' } as const;

t.test('a watch is accepted at once, begins with what there is, and goes on with what changes', async (t) => {
  const api = await openBareApi(t);
  const { call } = api;
  await call('POST', PODS, pod('one'));
  const watching = await watchLines(api, `${PODS}?watch=true`);
  t.teardown(watching.stop);
  await call('POST', PODS, pod('two'));
  await call('DELETE', `${PODS}/two?gracePeriodSeconds=0`);
  await eventually('three events', () => watching.events.length >= 3 || undefined);
  t.same(
    watching.events.map(({ type, object }) => [type, object.metadata.name]),
    [
      ['ADDED', 'one'],
      ['ADDED', 'two'],
      ['DELETED', 'two'],
    ],
  );
  const silent = await watchLines(
    api,
    `${PODS}?watch=1&resourceVersion=${watching.events[2]?.['object'].metadata.resourceVersion}`,
  );
  t.equal(silent.status, 200, 'also where there is nothing to say');
  silent.stop();
});

t.test('what comes to match a selector is added, what no longer does is deleted', async (t) => {
  const api = await openBareApi(t);
  const { call } = api;
  const labels = await watchLines(api, `${PODS}?watch=true&labelSelector=tier%3Dweb`);
  const fields = await watchLines(api, '/api/v1/pods?watch=true&fieldSelector=status.phase%3DRunning');
  t.teardown(() => (labels.stop(), fields.stop()));
  await call('POST', PODS, pod('one'));
  for (const tier of ['web', 'web2', 'web', null]) {
    await call('PATCH', `${PODS}/one`, { metadata: { labels: { tier } } }, LABELS);
  }
  await call('PATCH', `${PODS}/one/status`, { status: { phase: 'Running' } }, LABELS);
  await call('DELETE', `${PODS}/one?gracePeriodSeconds=0`);
  await eventually('all is told', () => (fields.events.length >= 2 && labels.events.length >= 4) || undefined);
  t.same(
    labels.events.map(({ type }) => type),
    ['ADDED', 'DELETED', 'ADDED', 'DELETED'],
  );
  t.same(
    fields.events.map(({ type }) => type),
    ['ADDED', 'DELETED'],
  );
});

t.test('a watch ends after its time, with a bookmark from which it can go on', async (t) => {
  const api = await openBareApi(t);
  const { body } = await api.call('GET', PODS);
  const at = body['metadata'].resourceVersion;
  const watching = await watchLines(
    api,
    `${PODS}?watch=true&resourceVersion=${at}&timeoutSeconds=3&allowWatchBookmarks=true`,
  );
  const made = await api.call('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
  await eventually('it ends', () => watching.ended() || undefined, 10_000);
  t.match(watching.events, [
    { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: made.body['metadata'].resourceVersion } } },
  ]);
});

t.test('what cannot be watched is refused', async (t) => {
  const { call } = await openBareApi(t);
  const old = await call('GET', `${PODS}?watch=true&resourceVersion=999999`);
  t.match(old, { status: 410, body: { kind: 'Status', reason: 'Expired', code: 410 } });
  t.equal((await call('GET', `${PODS}?watch=true&resourceVersion=x`)).status, 400);
  t.match(await call('GET', `${PODS}?watch=true&sendInitialEvents=true`), { status: 422, body: { reason: 'Invalid' } });
  t.match(await call('GET', `${PODS}?fieldSelector=spec.image%3Dx`), {
    status: 400,
    body: { message: 'field label not supported: spec.image' },
  });
  t.match(await call('GET', `${PODS}?labelSelector=a%3D%3D%3Db`), {
    status: 400,
    body: { message: /unable to parse requirement/ },
  });
});

t.test('a table is watched row by row', async (t) => {
  const api = await openBareApi(t);
  await api.call('POST', PODS, pod('one'));
  const table = await api.call('GET', PODS, undefined, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  });
  t.match(table.body, {
    kind: 'Table',
    rows: [{ cells: ['one', '0/1', 'Pending'], object: { kind: 'PartialObjectMetadata' } }],
  });
  const partial = await api.call('GET', PODS, undefined, {
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  });
  t.match(partial.body, { kind: 'PartialObjectMetadataList', items: [{ metadata: { name: 'one' } }] });
  t.equal(partial.body['items'][0].spec, undefined);
});
