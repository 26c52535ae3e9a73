// Objects are created, read, changed and deleted as Kubernetes does it.
import t from 'tap';
import { openBareApi, pod, PODS } from '../api-door.ts';

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
