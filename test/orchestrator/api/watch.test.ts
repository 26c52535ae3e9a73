// Watches over HTTP: lines in order, selectors that objects enter and leave, bookmarks, time, and too old a revision.
import t from 'tap';
import { eventually } from '../../support/daemon.ts';
import { random } from '../../support/random.ts';
import { type ApiDoor, type Json, openBareApi, pod, PODS } from '../api-door.ts';
import { watchLines } from '../watching.ts';

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

t.test('a watch that nobody reads is ended at once', async (t) => {
  const { door, tokens, context } = await openBareApi(t);
  const { objects } = context;
  const { watch } = objects;
  let open = 0;
  objects.watch = async (...args) => {
    const opened = await watch(...args);
    const close = opened[Symbol.asyncDispose].bind(opened);
    let once = true;
    open += 1;
    opened[Symbol.asyncDispose] = async () => {
      if (once) open -= 1;
      once = false;
      await close();
    };
    return opened;
  };
  for (let i = 0; i < 3; i += 1) {
    const { status } = await door.ask({ method: 'HEAD', path: `${PODS}?watch=true`, token: tokens.viewer });
    t.equal(status, 200);
  }
  await eventually('none is left', () => open === 0 || undefined, 5000);
  const again = await watchLines({ door, tokens } as ApiDoor, `${PODS}?watch=true`);
  t.equal(open, 1);
  again.stop();
  await eventually('nor when its client has gone', () => open === 0 || undefined, 5000);
});

t.test('what cannot be watched is refused', async (t) => {
  const { call } = await openBareApi(t);
  const old = await call('GET', `${PODS}?watch=true&resourceVersion=999999`);
  t.match(old, { status: 410, body: { kind: 'Status', reason: 'Expired', code: 410 } });
  t.equal((await call('GET', `${PODS}?watch=true&resourceVersion=x`)).status, 400);
  for (const query of [
    'sendInitialEvents=true',
    'sendInitialEvents=true&resourceVersionMatch=Exact',
    'resourceVersionMatch=NotOlderThan',
  ]) {
    t.match(await call('GET', `${PODS}?watch=true&${query}`), { status: 422, body: { reason: 'Invalid' } }, query);
  }
  const future = await call(
    'GET',
    `${PODS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=999999`,
  );
  t.match(future, {
    status: 504,
    body: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } },
  });
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

const STREAM = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

t.test('a watch that begins with what there is says when that was all', async (t) => {
  const api = await openBareApi(t);
  for (const name of ['one', 'two']) await api.call('POST', PODS, pod(name));
  const at = (await api.call('GET', PODS)).body['metadata'].resourceVersion as string;
  const watching = await watchLines(api, `${PODS}?${STREAM}`);
  const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
  const few = await watchLines(api, `${PODS}?${STREAM}&fieldSelector=metadata.name%3Dtwo`, partial);
  const none = await watchLines(
    api,
    `${PODS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0`,
  );
  t.teardown(() => (watching.stop(), few.stop(), none.stop()));
  await eventually('what there is', () => (watching.events.length >= 3 && few.events.length >= 2) || undefined);
  await api.call('DELETE', `${PODS}/one`);
  await eventually('and what changes', () => (watching.events.length >= 4 && none.events.length >= 1) || undefined);
  t.match(watching.events, [
    { type: 'ADDED', object: { metadata: { name: 'one' } } },
    { type: 'ADDED', object: { metadata: { name: 'two' } } },
    {
      type: 'BOOKMARK',
      object: {
        kind: 'Pod',
        metadata: { resourceVersion: at, annotations: { 'k8s.io/initial-events-end': 'true' } },
      },
    },
    { type: 'DELETED', object: { metadata: { name: 'one' } } },
  ]);
  t.match(few.events, [
    { type: 'ADDED', object: { kind: 'PartialObjectMetadata', metadata: { name: 'two' }, spec: undefined } },
    { type: 'BOOKMARK', object: { kind: 'PartialObjectMetadata', metadata: { resourceVersion: at } } },
  ]);
  t.same(
    none.events.map(({ type }) => type),
    ['DELETED'],
  );
});

t.test('rows change as their pod does', async (t) => {
  const api = await openBareApi(t);
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const watching = await watchLines(api, `${PODS}?watch=true`, accept);
  t.teardown(watching.stop);
  await api.call('POST', PODS, pod('one', { nodeName: 'n' }));
  await api.call('PATCH', `${PODS}/one/status`, { status: { phase: 'Running' } }, LABELS);
  await api.call('DELETE', `${PODS}/one`);
  await eventually('three rows', () => watching.events.length >= 3 || undefined);
  t.same(
    watching.events.map(({ object }) => [object.kind, object.rows[0].cells[2]]),
    [
      ['Table', 'Pending'],
      ['Table', 'Running'],
      ['Table', 'Terminating'],
    ],
  );
});

t.test('a watch from what is forgotten is gone, and a list begins anew', async (t) => {
  let now = Date.now();
  const api = await openBareApi(t, { now: () => now });
  const { call, context } = api;
  const { body: made } = await call('POST', PODS, pod('one'));
  await call('PATCH', `${PODS}/one`, { metadata: { labels: { a: 'b' } } }, LABELS);
  now += 11 * 60_000;
  await context.objects.compact();
  const old = await call('GET', `${PODS}?watch=true&resourceVersion=${made['metadata'].resourceVersion}`);
  t.match(old, { status: 410, body: { kind: 'Status', reason: 'Expired', message: /too old resource version/ } });
  const { body: list } = await call('GET', PODS);
  const watching = await watchLines(api, `${PODS}?watch=true&resourceVersion=${list['metadata'].resourceVersion}`);
  t.teardown(watching.stop);
  t.equal(watching.status, 200);
  await call('DELETE', `${PODS}/one`);
  await eventually('what comes after the list', () => watching.events.length === 1 || undefined);
});

t.test('what a client has by lists and broken watches with a selector is what there is', async (t) => {
  const api = await openBareApi(t);
  const { call } = api;
  const next = random();
  const query = 'labelSelector=tier%3Dweb';
  const known = new Map<string, string>();
  let done = false;
  let breaks = 0;
  const reading = (async () => {
    let at = '';
    for (let quiet = false; !quiet;) {
      const last = done;
      if (at === '' || next() < 0.2) {
        const { body } = await call('GET', `${PODS}?${query}`);
        known.clear();
        for (const { metadata } of body['items'] as Json[]) known.set(metadata.name, metadata.resourceVersion);
        at = body['metadata'].resourceVersion as string;
      }
      const watching = await watchLines(api, `${PODS}?watch=true&resourceVersion=${at}&${query}`);
      await new Promise((resolve) => setTimeout(resolve, last ? 1000 : next() * 20));
      watching.stop();
      breaks += 1;
      for (const { type, object } of watching.events) {
        if (type === 'DELETED') known.delete(object.metadata.name);
        else known.set(object.metadata.name, object.metadata.resourceVersion);
        at = object.metadata.resourceVersion;
      }
      quiet = last;
    }
  })();
  for (let i = 0; i < 300; i += 1) {
    const name = `p${Math.floor(next() * 12)}`;
    const tier = next() < 0.6 ? 'web' : 'db';
    const kind = next();
    if (kind < 0.4) await call('POST', PODS, { ...pod(name), metadata: { name, labels: { tier } } });
    else if (kind < 0.8)
      await call('PATCH', `${PODS}/${name}`, { metadata: { labels: { tier, i: String(i) } } }, LABELS);
    else await call('DELETE', `${PODS}/${name}`);
  }
  done = true;
  await reading;
  const { body } = await call('GET', `${PODS}?${query}`);
  const is = (body['items'] as Json[]).map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
  t.same([...known].toSorted(), is);
  t.ok(breaks > 10, `the watch was broken ${breaks} times`);
});

t.test('a client that does not read is let go of, and goes on from what it has read', async (t) => {
  const api = await openBareApi(t);
  const { call } = api;
  await call('POST', PODS, pod('one'));
  const watching = await watchLines(api, `${PODS}?watch=true`);
  t.teardown(watching.stop);
  await eventually('it has begun', () => watching.events.length > 0 || undefined);
  watching.pause();
  const big = 'x'.repeat(200_000);
  // More than 32 MiB wait for it, beyond what its connection holds.
  for (let i = 0; i < 300; i += 1) {
    const { status } = await call('PATCH', `${PODS}/one`, { metadata: { annotations: { big, i: String(i) } } }, LABELS);
    if (status !== 200) t.fail(`change ${i} was answered with ${status}`);
  }
  watching.resume();
  await eventually('it is let go of', () => watching.ended() || undefined, 60_000);
  const got = watching.events.length;
  t.ok(got > 1 && got < 300, `${got} changes were told before`);
  const from = watching.events.at(-1)?.['object'].metadata.resourceVersion as string;
  const again = await watchLines(api, `${PODS}?watch=true&resourceVersion=${from}`);
  t.teardown(again.stop);
  // Where the rest is more than is handed out at once, the client has to list; both are honest.
  t.ok([200, 410].includes(again.status), String(again.status));
});
