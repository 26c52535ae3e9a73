// The environment of a container: references to variables before, fields of the pod.
import t from 'tap';
import { environmentOf } from '../../../src/orchestrator/node/environment.ts';
import type { EnvVar, Pod } from '../../../src/orchestrator/objects/pod.ts';

const POD = {
  metadata: { name: 'cart-1', namespace: 'shop', uid: 'u-1', labels: { app: 'cart' }, annotations: { 'a/b': 'c' } },
  spec: { nodeName: 'host-1', containers: [] },
} as unknown as Pod;

const environment = (env: readonly EnvVar[]): Record<string, string> => {
  const container = { name: 'main', env };
  const values = environmentOf(POD, container as never, { hostIP: '10.0.0.1', podIP: undefined });
  return Object.fromEntries(values.map(({ name, value }) => [name, value]));
};
const field = (fieldPath: string): EnvVar => ({ name: 'X', valueFrom: { fieldRef: { fieldPath } } }) as EnvVar;

const CASES: readonly (readonly [what: string, env: readonly EnvVar[], expected: Record<string, string>])[] = [
  ['no value is empty', [{ name: 'A' }], { A: '' }],
  [
    'a value refers to those before it',
    [
      { name: 'HOST', value: 'db' },
      { name: 'URL', value: 'pg://$(HOST):$(PORT)/' },
      { name: 'PORT', value: '5432' },
    ],
    { HOST: 'db', URL: 'pg://db:$(PORT)/', PORT: '5432' },
  ],
  [
    'a doubled dollar is one',
    [
      { name: 'A', value: '1' },
      { name: 'B', value: '$$(A) $A $(A' },
    ],
    { A: '1', B: '$(A) $A $(A' },
  ],
  [
    'names of no variable stay',
    [{ name: 'A', value: '$(constructor)$(__proto__)' }],
    { A: '$(constructor)$(__proto__)' },
  ],
  ['any name is a name', [{ name: '__proto__', value: '1' }], { ['__proto__']: '1' }],
  [
    'the later of one name counts',
    [
      { name: 'A', value: '1' },
      { name: 'A', value: '$(A)2' },
    ],
    { A: '12' },
  ],
];

t.test('variables are filled in as Kubernetes does it', async (t) => {
  for (const [what, env, expected] of CASES) t.same(environment(env), expected, what);
});

t.test('fields of the pod are values', async (t) => {
  for (const [path, expected] of [
    ['metadata.name', 'cart-1'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'u-1'],
    ["metadata.labels['app']", 'cart'],
    ["metadata.annotations['a/b']", 'c'],
    ["metadata.labels['none']", ''],
    ['spec.nodeName', 'host-1'],
    ['status.hostIP', '10.0.0.1'],
    ['status.podIP', ''],
  ] as const)
    t.same(environment([field(path)]), { X: expected }, path);
});
