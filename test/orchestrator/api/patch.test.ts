// Patches: strategic merge by the names of things, JSON merge, JSON patch; tables of before, patch and after.
import t from 'tap';
import { podShape } from '../../../src/orchestrator/objects/pod-shape.ts';
import { jsonPatch, mergePatch } from '../../../src/orchestrator/api/json-patch.ts';
import { strategicPatch } from '../../../src/orchestrator/api/strategic-patch.ts';
import { openBareApi, type Json, pod, PODS } from '../api-door.ts';

const spec = (containers: Json[], more: Json = {}): Json => ({ spec: { containers, ...more } });

const STRATEGIC: readonly [string, Json, Json, Json][] = [
  [
    'a container is found by its name, its variables by theirs',
    spec([
      {
        name: 'a',
        image: 'x',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
      { name: 'b', image: 'y' },
    ]),
    spec([{ name: 'a', env: [{ name: 'B', value: '3' }] }]),
    spec([
      {
        name: 'a',
        image: 'x',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '3' },
        ],
      },
      { name: 'b', image: 'y' },
    ]),
  ],
  [
    'what is new is added at the end',
    spec([{ name: 'a', image: 'x' }]),
    spec([{ name: 'b', image: 'y' }]),
    spec([
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ]),
  ],
  [
    '$patch: delete takes an item away',
    spec([{ name: 'a', env: [{ name: 'A' }, { name: 'B' }] }]),
    spec([{ name: 'a', env: [{ name: 'A', $patch: 'delete' }] }]),
    spec([{ name: 'a', env: [{ name: 'B' }] }]),
  ],
  [
    '$patch: replace replaces a list',
    spec([{ name: 'a' }, { name: 'b' }]),
    spec([{ $patch: 'replace' }, { name: 'c' }]),
    spec([{ name: 'c' }]),
  ],
  [
    '$patch: replace replaces an object',
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { $patch: 'replace', c: '3' } } },
    { metadata: { labels: { c: '3' } } },
  ],
  [
    'null deletes',
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { a: null } } },
    { metadata: { labels: { b: '2' } } },
  ],
  [
    '$setElementOrder orders, and what only the server has keeps its place',
    spec([{ name: 'a' }, { name: 'server' }, { name: 'b' }]),
    {
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
        containers: [{ name: 'c' }],
      },
    },
    spec([{ name: 'server' }, { name: 'b' }, { name: 'c' }, { name: 'a' }]),
  ],
  [
    '$setElementOrder alone orders',
    spec([{ name: 'a' }, { name: 'b' }]),
    { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
    spec([{ name: 'b' }, { name: 'a' }]),
  ],
  [
    '$retainKeys makes a volume another kind of volume',
    spec([], { volumes: [{ name: 'v', emptyDir: {} }] }),
    spec([], { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] }),
    spec([], { volumes: [{ name: 'v', hostPath: { path: '/x' } }] }),
  ],
  [
    'ports are found by containerPort, mounts by mountPath',
    spec([{ name: 'a', ports: [{ containerPort: 80 }], volumeMounts: [{ mountPath: '/x', name: 'v' }] }]),
    spec([{ name: 'a', ports: [{ containerPort: 80, name: 'web' }], volumeMounts: [{ mountPath: '/x', name: 'w' }] }]),
    spec([{ name: 'a', ports: [{ containerPort: 80, name: 'web' }], volumeMounts: [{ mountPath: '/x', name: 'w' }] }]),
  ],
  [
    'the same port of two protocols stays two ports',
    spec([
      {
        name: 'a',
        ports: [
          { containerPort: 53, protocol: 'TCP' },
          { containerPort: 53, protocol: 'UDP' },
        ],
      },
    ]),
    spec([
      {
        name: 'a',
        '$setElementOrder/ports': [{ containerPort: 80 }, { containerPort: 53 }, { containerPort: 53 }],
        ports: [{ containerPort: 80 }],
      },
    ]),
    spec([
      {
        name: 'a',
        ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'TCP' }, { containerPort: 53, protocol: 'UDP' }],
      },
    ]),
  ],
  [
    'conditions are found by type',
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'X', status: 'True' },
        ],
      },
    },
    { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'X', status: 'True' },
        ],
      },
    },
  ],
  [
    'plain lists are replaced, sets are added to',
    { metadata: { finalizers: ['a', 'b'] }, ...spec([{ name: 'a', args: ['1', '2'] }]) },
    {
      metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
      ...spec([{ name: 'a', args: ['3'] }]),
    },
    { metadata: { finalizers: ['b', 'c'] }, ...spec([{ name: 'a', args: ['3'] }]) },
  ],
];

t.test('strategic merge patches', async (t) => {
  for (const [name, current, patch, want] of STRATEGIC) {
    const before = structuredClone([current, patch]);
    t.same(strategicPatch(podShape, current, patch), want, name);
    t.same([current, patch], before, 'neither is changed');
  }
  for (const wrong of [spec([{ image: 'x' }]), { spec: { $patch: 'explode' } }, { spec: { $retainKeys: 'x' } }]) {
    t.throws(() => strategicPatch(podShape, spec([]), wrong), { code: 'JD_KUBE_BAD_REQUEST' });
  }
});

t.test('a patch of tens of thousands of items is no work', async (t) => {
  const many = (from: number): Json[] => Array.from({ length: 40_000 }, (_, i) => ({ name: `v${from + i}` }));
  const current = spec([{ name: 'a', env: many(0) }]);
  const patch = spec([{ name: 'a', env: many(20_000), '$setElementOrder/env': many(20_000) }]);
  const began = performance.now();
  const got = strategicPatch(podShape, current, patch) as Json;
  t.equal(got['spec'].containers[0].env.length, 60_000);
  t.ok(performance.now() - began < 10_000);
});

t.test('JSON merge patches are those of RFC 7396', async (t) => {
  // The table of its appendix A.
  const cases: readonly [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [['a'], ['c'], ['c']],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [current, patch, want] of cases) t.same(mergePatch(current, patch), want, JSON.stringify(patch));
});

t.test('JSON patches are those of RFC 6902', async (t) => {
  const cases: readonly [Json, Json[], Json][] = [
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    [{ a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    [{ a: [1, 2] }, [{ op: 'replace', path: '/a/0', value: 9 }], { a: [9, 2] }],
    [{ a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
    [{ a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
    [
      { 'a/b': 1, '~': 2 },
      [
        { op: 'test', path: '/a~1b', value: 1 },
        { op: 'remove', path: '/~0' },
      ],
      { 'a/b': 1 },
    ],
  ];
  for (const [current, patch, want] of cases) t.same(jsonPatch(current, patch), want, JSON.stringify(patch));
  const refused: readonly [unknown, string][] = [
    [[{ op: 'test', path: '/a', value: 2 }], 'JD_KUBE_INVALID'],
    [[{ op: 'remove', path: '/x' }], 'JD_KUBE_INVALID'],
    [[{ op: 'replace', path: '/x/y', value: 1 }], 'JD_KUBE_INVALID'],
    [[{ op: 'add', path: '/l/5', value: 1 }], 'JD_KUBE_INVALID'],
    [[{ op: 'add', path: '/l/01', value: 1 }], 'JD_KUBE_INVALID'],
    [[{ op: 'move', from: '/o', path: '/o/p' }], 'JD_KUBE_INVALID'],
    [[{ op: 'explode', path: '/a' }], 'JD_KUBE_BAD_REQUEST'],
    [[{ op: 'add', path: 'a', value: 1 }], 'JD_KUBE_BAD_REQUEST'],
    [[{ op: 'add', path: '/__proto__/x', value: 1 }], 'JD_KUBE_BAD_REQUEST'],
    [{ op: 'add' }, 'JD_KUBE_BAD_REQUEST'],
    // Copies of copies: doubling 30 times would be a gigabyte.
    [Array.from({ length: 30 }, (_, i) => ({ op: 'copy', from: '', path: `/c${i}` })), 'JD_KUBE_INVALID'],
  ];
  for (const [patch, code] of refused) {
    t.throws(
      () => jsonPatch({ a: 1, l: [1], o: {}, s: 'x'.repeat(100) }, patch),
      { code },
      JSON.stringify(patch).slice(0, 80),
    );
  }
  t.equal(({} as Json)['x'], undefined);
});

const STRATEGIC_TYPE = { type: 'application/strategic-merge-patch+json' } as const;

t.test('a patch changes what it may, and keeps what the server owns', async (t) => {
  const { call } = await openBareApi(t);
  const { body: made } = await call('POST', PODS, pod('one'));
  const path = `${PODS}/one`;
  const same = await call('PATCH', path, {}, STRATEGIC_TYPE);
  t.same(same.body, made, 'nothing changed: no new revision');
  const forged = {
    metadata: { uid: made['metadata'].uid, creationTimestamp: '2000-01-01T00:00:00Z' },
    status: { phase: 'Failed' },
  };
  t.same((await call('PATCH', path, forged, STRATEGIC_TYPE)).body, made, 'nor by what is not the client’s');
  const image = { spec: { containers: [{ name: 'main', image: 'busybox:2' }] } };
  const changed = await call('PATCH', path, image, STRATEGIC_TYPE);
  t.match(changed.body, { metadata: { generation: 2 }, spec: { containers: [{ image: 'busybox:2' }] } });
  const labelled = await call('PATCH', path, { metadata: { labels: { a: 'b' } } }, STRATEGIC_TYPE);
  t.match(labelled.body['metadata'], { generation: 2, labels: { a: 'b' } });
  const immutable = await call(
    'PATCH',
    path,
    { spec: { containers: [{ name: 'main', command: ['x'] }] } },
    STRATEGIC_TYPE,
  );
  t.match(immutable, {
    status: 422,
    body: { message: /pod updates may not change fields other than .*changed: spec.containers\[0\].command/ },
  });
  const stale = await call(
    'PATCH',
    path,
    { metadata: { resourceVersion: made['metadata'].resourceVersion, labels: { a: 'c' } } },
    STRATEGIC_TYPE,
  );
  t.match(stale, { status: 409, body: { reason: 'Conflict', message: /the object has been modified/ } });
  t.equal((await call('PUT', path, made)).status, 409);
  t.equal((await call('PATCH', path, { metadata: { uid: 'other' } }, STRATEGIC_TYPE)).status, 409);
  t.equal((await call('PATCH', path, { metadata: { name: 'other' } }, STRATEGIC_TYPE)).status, 400);
  const ssa = await call('PATCH', path, {}, { type: 'application/apply-patch+yaml' });
  t.match(ssa, {
    status: 415,
    body: { reason: 'UnsupportedMediaType', message: /server-side apply is not supported/ },
  });
  t.equal((await call('PATCH', path, {}, { type: 'application/json' })).status, 415);
});

t.test('the status is written by its own path, and by it alone', async (t) => {
  const { call } = await openBareApi(t);
  const { body: made } = await call('POST', PODS, pod('one', { nodeName: 'n' }));
  const status = { phase: 'Running', podIP: '10.0.0.1' };
  const wrote = await call('PUT', `${PODS}/one/status`, {
    ...made,
    spec: {},
    metadata: { name: 'one', labels: { a: 'b' } },
    status,
  });
  t.match(wrote.body, {
    metadata: { generation: 1 },
    spec: made['spec'],
    status: { ...status, qosClass: 'BestEffort' },
  });
  t.equal(wrote.body['metadata'].labels, undefined);
  const patched = await call(
    'PATCH',
    `${PODS}/one/status`,
    { status: { podIP: null } },
    { type: 'application/merge-patch+json' },
  );
  t.same(patched.body['status'], { phase: 'Running', qosClass: 'BestEffort' });
});
