// Where pods go, and what they are told where they go nowhere.
import t from 'tap';
import { bindPod, chooseNode } from '../../../src/orchestrator/controllers/binder.ts';
import { keyOf } from '../../../src/orchestrator/api/context.ts';
import { pods } from '../../../src/orchestrator/api/pods.ts';
import type { Node } from '../../../src/orchestrator/objects/node.ts';
import type { Pod } from '../../../src/orchestrator/objects/pod.ts';
import { type Json, openBareApi, pod, PODS } from '../api-door.ts';

const node = (name: string, { ready = true, labels = {}, unschedulable = false }: Json = {}): Node =>
  ({
    metadata: { name, labels },
    spec: { unschedulable },
    status: { conditions: [{ type: 'Ready', status: ready === true ? 'True' : ready === false ? 'False' : ready }] },
  }) as unknown as Node;
const wanting = (nodeSelector?: Json): Pod =>
  ({ spec: { ...(nodeSelector === undefined ? {} : { nodeSelector }) } }) as unknown as Pod;

const CHOICES: readonly [string, Pod, readonly Node[], string][] = [
  ['no node', wanting(), [], 'no nodes available to schedule pods'],
  ['one that is ready', wanting(), [node('a')], '-> a'],
  ['the first by name', wanting(), [node('c'), node('a'), node('b')], '-> a'],
  ['the first that can', wanting(), [node('a', { ready: false }), node('b')], '-> b'],
  ['by its labels', wanting({ disk: 'ssd' }), [node('a'), node('b', { labels: { disk: 'ssd' } })], '-> b'],
  [
    'all labels',
    wanting({ disk: 'ssd', zone: 'x' }),
    [node('a', { labels: { disk: 'ssd' } })],
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'no label of a prototype',
    wanting({ constructor: 'x' }),
    [node('a')],
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  ],
  [
    'cordoned',
    wanting(),
    [node('a', { unschedulable: true })],
    '0/1 nodes are available: 1 node(s) were unschedulable.',
  ],
  ['silent', wanting(), [node('a', { ready: 'Unknown' })], '0/1 nodes are available: 1 node(s) were not ready.'],
  [
    'without a status',
    wanting(),
    [{ metadata: { name: 'a' } } as Node],
    '0/1 nodes are available: 1 node(s) were not ready.',
  ],
  [
    'each for its reason',
    wanting({ disk: 'ssd' }),
    [
      node('a'),
      node('b'),
      node('c', { labels: { disk: 'ssd' }, ready: false }),
      node('d', { labels: { disk: 'ssd' }, unschedulable: true }),
    ],
    "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 1 node(s) were not ready, 1 node(s) were unschedulable.",
  ],
];

t.test('the node of a pod', async (t) => {
  for (const [name, wanted, nodes, want] of CHOICES) {
    const got = chooseNode(wanted, nodes);
    t.equal('node' in got ? `-> ${got.node}` : got.because, want, name);
  }
});

t.test('a pod is told why it waits, once, and is bound when it can be', async (t) => {
  let now = Date.parse('2026-11-22T08:00:00Z');
  const { call, context } = await openBareApi(t, { now: () => now });
  await call('POST', PODS, pod('one'));
  const key = keyOf(pods, 'default', 'one');
  await bindPod(context, key);
  const waits = (await call('GET', `${PODS}/one`)).body;
  t.match(waits['status'].conditions, [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: '2026-11-22T08:00:00Z' },
  ]);
  now += 60_000;
  await bindPod(context, key);
  t.same((await call('GET', `${PODS}/one`)).body, waits, 'nothing new: no new revision');
  await call('POST', '/api/v1/nodes', {
    metadata: { name: 'host-1' },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  await bindPod(context, key);
  const bound = (await call('GET', `${PODS}/one`)).body;
  t.equal(bound['spec'].nodeName, 'host-1');
  t.match(bound['status'].conditions, [{ status: 'True', lastTransitionTime: '2026-11-22T08:01:00Z' }]);
  await bindPod(context, key);
  t.same((await call('GET', `${PODS}/one`)).body, bound, 'a bound pod stays where it is');
  const events = (await call('GET', '/api/v1/events')).body['items'] as Json[];
  t.same(events.map(({ type, reason, count }) => [type, reason, count]).toSorted(), [
    ['Normal', 'Scheduled', 1],
    ['Warning', 'FailedScheduling', 1],
  ]);
});
