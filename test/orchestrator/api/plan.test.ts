// A plan says what would be done and what would be refused, and changes nothing.
import t from 'tap';
import { openApiDoor } from '../api-door.ts';

const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: {name: good}
spec:
  containers:
    - {name: main, image: busybox, readinessProbe: {tcpSocket: {port: 80}}}
---
apiVersion: v1
kind: Pod
metadata: {name: Bad_Name}
spec:
  hostNetwork: true
  containers:
    - {name: main}
---
apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
`;

t.test('manifests are decoded, validated and handed to the agent', async (t) => {
  const planned: unknown[] = [];
  const { call } = await openApiDoor(t, {
    call: {
      readLog: () => Promise.reject(new Error('not asked')),
      async plan({ pods }) {
        planned.push(...pods);
        return { steps: [{ kind: 'start', target: 'default/good', because: 'it is not there' }], text: '#1 start' };
      },
    },
  });
  const { status, body } = await call('POST', '/jdos/v1/plan', MANIFESTS, { type: 'application/yaml', as: 'viewer' });
  t.equal(status, 200);
  t.match(planned, [{ metadata: { name: 'good', namespace: 'default' }, spec: { restartPolicy: 'Always' } }]);
  t.match(body['steps'], [{ kind: 'start' }]);
  t.match(body['refused'], [
    {
      object: 'Pod/Bad_Name',
      causes: [{ field: 'metadata.name' }, { field: 'spec.containers[0].image', message: 'Required value' }],
    },
    { object: 'Service/web', message: /no matches for kind "Service" in version "v1"/ },
  ]);
  t.match(body['warnings'], [{ object: 'Pod/good', message: /readinessProbe: has no effect/ }]);
  t.equal((await call('GET', '/api/v1/pods')).body['items'].length, 0);
  const broken = await call('POST', '/jdos/v1/plan', 'a: [', { type: 'application/yaml' });
  t.equal(broken.status, 400);
});
