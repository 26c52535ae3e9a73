// The real kubectl against the front door over HTTPS; the node agent is played by the test.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { kubeconfig } from '../../../src/cli/kubeconfig.ts';
import { needs } from '../../support/needs.ts';
import { eventually } from '../../support/daemon.ts';
import { openApiDoor, pod, PODS } from '../api-door.ts';

const READY = {
  phase: 'Running',
  podIP: '10.0.0.7',
  startTime: '2026-11-22T08:00:00Z',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [
    {
      name: 'main',
      ready: true,
      started: true,
      restartCount: 0,
      image: 'busybox:1',
      imageID: 'sha256:1',
      state: { running: { startedAt: '2026-11-22T08:00:01Z' } },
      lastState: {},
    },
  ],
};

const skip = needs('kubectl');

t.test('kubectl applies, gets, watches, describes, labels, patches and deletes', { skip }, async (t) => {
  t.comment(execFileSync('kubectl', ['version', '--client'], { encoding: 'utf8' }).split('\n')[0] ?? '');
  const { door, tokens, call } = await openApiDoor(t);
  const config = join(door.dir, 'kubeconfig');
  const server = `https://127.0.0.1:${door.port('tls')}`;
  await writeFile(config, kubeconfig(server, door.door.authority() ?? '', tokens.admin, 'test'));
  const env = { ...process.env, KUBECONFIG: config, HOME: door.dir };
  const kubectl = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile('kubectl', args, { env, timeout: 30_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      });
    });
  const manifest = async (name: string, body: object): Promise<string> => {
    const file = join(door.dir, `${name}.json`);
    await writeFile(file, JSON.stringify(body));
    return file;
  };

  await call('POST', '/api/v1/nodes', { metadata: { name: 'host-1' } });
  await call(
    'PATCH',
    '/api/v1/nodes/host-1/status',
    { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    { type: 'application/merge-patch+json' },
  );
  const file = await manifest('one', pod('one'));
  const applied = await kubectl('apply', '-f', file);
  t.match(applied, { code: 0, out: 'pod/one created' }, applied.err);
  const again = await kubectl('apply', '-f', file);
  t.match(again, { code: 0, out: 'pod/one unchanged' }, again.err);
  const watching = spawn('kubectl', ['get', 'pods', '-w'], { env });
  let watched = '';
  watching.stdout.setEncoding('utf8').on('data', (text: string) => (watched += text));
  t.teardown(() => watching.kill());
  await eventually('the watch begins', () => /one/.test(watched) || undefined);
  const bound = await eventually('the pod is bound', async () => {
    const { body } = await call('GET', `${PODS}/one`);
    return body['spec'].nodeName === undefined ? undefined : body;
  });
  await call('PUT', `${PODS}/one/status`, { ...bound, status: READY });
  await eventually('the watch shows it', () => /one\s+1\/1\s+Running\s+0/.test(watched) || undefined);

  const got = await kubectl('get', 'pods', '-o', 'wide');
  t.match(got.out, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
  t.match(got.out, /^one +1\/1 +Running +0 +\d+s +10\.0\.0\.7 +host-1/m);
  t.match((await kubectl('get', 'nodes')).out, /^host-1 +Ready +<none>/m);
  t.match((await kubectl('get', 'ns')).out, /^default +Active/m);
  t.match((await kubectl('get', 'all')).out, /^one +1\/1/m);
  await call('POST', '/api/v1/namespaces/default/events', {
    metadata: { name: 'one.1' },
    involvedObject: { kind: 'Pod', name: 'one', namespace: 'default', uid: bound['metadata'].uid },
    reason: 'Started',
    message: 'Started container main',
    type: 'Normal',
    source: { component: 'jdos-agent' },
    firstTimestamp: new Date().toISOString(),
    lastTimestamp: new Date().toISOString(),
    count: 1,
  });
  const described = await kubectl('describe', 'pod', 'one');
  t.match(described.out, /Status: +Running/, described.err);
  t.match(described.out, /Normal +Started .*Started container main/);
  const node = await kubectl('describe', 'node', 'host-1');
  t.match(node.out, /default +one/, node.err);
  const namespace = await kubectl('describe', 'ns', 'default');
  t.match(namespace.out, /Status: +Active/, namespace.err);
  t.match((await kubectl('get', 'events')).out, /Normal +Started +pod\/one +Started container main/);
  t.match((await kubectl('label', 'pod', 'one', 'tier=web')).out, /labeled/);
  t.match((await kubectl('get', 'pods', '-l', 'tier=web', '-o', 'name')).out, 'pod/one');
  t.match((await kubectl('get', 'pods', '-l', 'tier!=web', '-o', 'name')).out, /^$/);
  const set = await kubectl('set', 'image', 'pod/one', 'main=busybox:2');
  t.match(set.out, /image updated/, set.err);
  const ported = await kubectl(
    'patch',
    'pod',
    'one',
    '--type=json',
    '-p',
    '[{"op":"replace","path":"/spec/restartPolicy","value":"Never"}]',
  );
  t.match(ported.err, /The Pod "one" is invalid: .*spec: Forbidden: pod updates may not change fields other than/);
  const wrong = await kubectl('apply', '-f', await manifest('two', pod('two', { containerz: [] })));
  t.match(wrong.err, /strict decoding error: unknown field "spec.containerz", did you mean "containers"\?/);
  const probed = pod('three', {
    containers: [{ name: 'main', image: 'busybox:1', readinessProbe: { tcpSocket: { port: 80 } } }],
  });
  const warned = await kubectl('apply', '-f', await manifest('three', probed));
  t.match(warned.err, /Warning: spec\.containers\[0\]\.readinessProbe: has no effect in this version/);
  t.equal(warned.code, 0);

  const deleting = kubectl('delete', 'pod', 'one', '--grace-period=20');
  await eventually('it is marked', async () => (await call('GET', `${PODS}/one`)).body['metadata'].deletionTimestamp);
  t.match((await kubectl('get', 'pod', 'one')).out, /Terminating/);
  await call('DELETE', `${PODS}/one`, { gracePeriodSeconds: 0 });
  t.match(await deleting, { code: 0, out: 'pod "one" deleted' });
  t.match((await kubectl('delete', 'pod', 'three', '--grace-period=0', '--force')).code, 0);
  t.match((await kubectl('get', 'pods')).err, /No resources found in default namespace/);
});
