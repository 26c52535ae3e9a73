// What happens to objects by itself: namespaces are emptied, silent nodes become Unknown, events go after their time.
import t from 'tap';
import { keyOf } from '../../../src/orchestrator/api/context.ts';
import { nodes } from '../../../src/orchestrator/api/nodes.ts';
import { expireEvents } from '../../../src/orchestrator/controllers/expiry.ts';
import { reconcileNamespace } from '../../../src/orchestrator/controllers/namespaces.ts';
import { watchNode } from '../../../src/orchestrator/controllers/nodes.ts';
import { type Json, openApiDoor, openBareApi, pod } from '../api-door.ts';
import { eventually } from '../../support/daemon.ts';

const NS = '/api/v1/namespaces';
const MERGE = { type: 'application/merge-patch+json' } as const;

t.test(
  'a namespace that is deleted waits for its pods, says so, takes nothing new, and is gone with its events',
  async (t) => {
    const { call, context } = await openBareApi(t);
    await call('POST', NS, { metadata: { name: 'shop' } });
    const inside = `${NS}/shop/pods`;
    await call('POST', inside, pod('bound', { nodeName: 'n' }));
    await call('POST', inside, pod('waiting'));
    await call('POST', `${NS}/shop/events`, { metadata: { name: 'e' }, involvedObject: { namespace: 'shop' } });
    const deleted = await call('DELETE', `${NS}/shop`);
    t.match(deleted, { status: 200, body: { kind: 'Namespace', status: { phase: 'Terminating' } } });
    t.ok(deleted.body['metadata'].deletionTimestamp);
    t.match(await call('POST', inside, pod('late')), {
      status: 403,
      body: {
        reason: 'Forbidden',
        message: /because it is being terminated/,
        details: { causes: [{ reason: 'NamespaceTerminating' }] },
      },
    });
    const dry = await call('POST', `${inside}?dryRun=All`, pod('late'));
    t.equal(dry.status, 403, 'nor for show');
    await reconcileNamespace(context, 'shop');
    const waits = (await call('GET', `${NS}/shop`)).body;
    t.match(waits['status'], {
      phase: 'Terminating',
      conditions: [
        {
          type: 'NamespaceContentRemaining',
          status: 'True',
          message: 'Some resources are remaining: pods. has 1 resource instances',
        },
      ],
    });
    const left = (await call('GET', inside)).body['items'] as Json[];
    t.match(left, [{ metadata: { name: 'bound', deletionTimestamp: String } }], 'what has no node goes at once');
    await reconcileNamespace(context, 'shop');
    t.same((await call('GET', `${NS}/shop`)).body, waits, 'waiting is no change');
    t.match(await call('DELETE', `${NS}/shop`), { status: 200, body: { metadata: waits['metadata'] } });
    await call('DELETE', `${inside}/bound?gracePeriodSeconds=0`);
    await reconcileNamespace(context, 'shop');
    t.equal((await call('GET', `${NS}/shop`)).status, 404);
    t.same((await call('GET', '/api/v1/events')).body['items'], []);
    await reconcileNamespace(context, 'shop');
    for (const name of ['default', 'kube-system']) {
      t.match(await call('DELETE', `${NS}/${name}`), { status: 403, body: { message: /may not be deleted/ } });
    }
  },
);

t.test('what is created while its namespace goes is refused, or deleted with it, and never left behind', async (t) => {
  const { call } = await openApiDoor(t);
  for (let round = 0; round < 10; round += 1) {
    const name = `n${round}`;
    await call('POST', NS, { metadata: { name } });
    const creating = Array.from({ length: 8 }, (_, i) => call('POST', `${NS}/${name}/pods`, pod(`p${i}`)));
    const deleting = call('DELETE', `${NS}/${name}`);
    const statuses = (await Promise.all(creating)).map(({ status }) => status);
    t.ok(
      statuses.every((status) => [201, 403, 404].includes(status)),
      statuses.join(' '),
    );
    t.equal((await deleting).status, 200);
    await eventually(
      'the namespace is gone',
      async () => (await call('GET', `${NS}/${name}`)).status === 404 || undefined,
    );
    t.same((await call('GET', `${NS}/${name}/pods`)).body['items'], []);
  }
});

t.test('a node that says nothing for three minutes is Unknown, and Ready again with its next heartbeat', async (t) => {
  let now = Date.parse('2026-11-22T08:00:00Z');
  const { call, context } = await openBareApi(t, { now: () => now });
  const key = keyOf(nodes, undefined, 'n');
  t.same(await watchNode(context, key), undefined, 'not there');
  await call('POST', '/api/v1/nodes', { metadata: { name: 'n' } });
  t.same(await watchNode(context, key), undefined, 'nothing said yet');
  const beat = (at: string) => ({
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: at, lastTransitionTime: at }] },
  });
  await call('PATCH', '/api/v1/nodes/n/status', beat('2026-11-22T08:00:00Z'), MERGE);
  t.same(await watchNode(context, key), 180_000);
  now += 179_000;
  t.same(await watchNode(context, key), 2000);
  now += 1000;
  t.same(await watchNode(context, key), undefined);
  t.match((await call('GET', '/api/v1/nodes/n')).body['status'].conditions, [
    {
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'The node agent stopped posting node status.',
      lastHeartbeatTime: '2026-11-22T08:00:00Z',
      lastTransitionTime: '2026-11-22T08:03:00Z',
    },
  ]);
  t.match((await call('GET', `${NS}/default/events`)).body['items'], [
    { reason: 'NodeNotReady', type: 'Warning', message: 'Node n has said nothing for 180 s' },
  ]);
  const table = await call('GET', '/api/v1/nodes', undefined, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  t.equal(table.body['rows'][0].cells[1], 'NotReady');
  await call('PATCH', '/api/v1/nodes/n/status', beat('2026-11-22T08:03:01Z'), MERGE);
  t.match(await watchNode(context, key), Number);
});

t.test('events go an hour after they were seen last', async (t) => {
  let now = Date.parse('2026-11-22T08:00:00Z');
  const { call, context } = await openBareApi(t, { now: () => now });
  const event = (name: string, more: Json): Promise<unknown> =>
    call('POST', `${NS}/default/events`, { metadata: { name }, involvedObject: {}, ...more });
  await event('old', { lastTimestamp: '2026-11-22T08:00:00Z' });
  await event('seen-again', { firstTimestamp: '2026-11-22T08:00:00Z', lastTimestamp: '2026-11-22T08:30:00Z' });
  await event('without-time', {});
  await event('of-another-clock', { lastTimestamp: '2036-11-22T08:00:00Z' });
  const names = async (): Promise<string[]> =>
    ((await call('GET', '/api/v1/events')).body['items'] as Json[]).map(({ metadata }) => metadata.name as string);
  now += 3_599_000;
  await expireEvents(context);
  t.equal((await names()).length, 4);
  now += 1000;
  await expireEvents(context);
  t.same(await names(), ['seen-again'], 'times of the future count from when they came');
  now += 1_800_000;
  await expireEvents(context);
  t.same(await names(), []);
});
