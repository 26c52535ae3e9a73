// Who containers are: what each source says, who has the last word, and that nobody is given up for ever.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { parseStorage } from '../../../src/probes/container/containers-storage.ts';
import { identityOf, isComplete, kubernetesName } from '../../../src/probes/container/identity.ts';
import { parseLogNames } from '../../../src/probes/container/kubelet-logs.ts';
import { parseBundle } from '../../../src/probes/container/oci-bundle.ts';
import { parseOwn } from '../../../src/probes/container/own-pods.ts';
import { placeOf, type Place } from '../../../src/probes/container/place.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { containerId, emptyTree, openContainers, writeTree } from './written-containers.ts';

const ID = containerId('a');
const UID = '3f0c6d6e-1d55-4c1c-9d0a-7c3e5f2b8a10';
const place = (path: string): Place => placeOf(path) ?? { kind: 'slice' };

t.test('names that carry the pod in them', async (t) => {
  t.same(kubernetesName('k8s_app_web-0_shop_3f0c_2'), {
    container: 'app',
    pod: 'web-0',
    namespace: 'shop',
    name: 'k8s_app_web-0_shop_3f0c_2',
  });
  for (const name of ['web', 'k8s_app', 'a_b_c_d_e_f']) t.same(kubernetesName(name), { name });
});

t.test("the names of the kubelet's logs", async (t) => {
  const { pods, containers } = parseLogNames(
    [`shop_web-0_${UID}`, 'lost+found', `a_b_c_${UID}`],
    [`web-0_shop_app-${ID}.log`, `web-0_shop_app-${ID}.log.1`, 'x.log'],
  );
  t.same(Object.fromEntries(pods), { [UID]: { namespace: 'shop', pod: 'web-0' } });
  t.same(Object.fromEntries(containers), { [ID]: { namespace: 'shop', pod: 'web-0', container: 'app' } });
});

t.test('what containerd and CRI-O write for the OCI runtime', async (t) => {
  const cri = { 'io.kubernetes.cri.sandbox-name': 'web-0', 'io.kubernetes.cri.sandbox-namespace': 'shop' };
  const container = { 'io.kubernetes.cri.container-name': 'app', 'io.kubernetes.cri.image-name': 'nginx:1' };
  const linux = { resources: { cpu: { shares: 512 } } };
  t.match(parseBundle(JSON.stringify({ annotations: { ...cri, ...container }, linux })), {
    container: 'app',
    pod: 'web-0',
    namespace: 'shop',
    image: 'nginx:1',
    shares: 512,
  });
  const sandbox = { ...cri, 'io.kubernetes.cri.container-type': 'sandbox' };
  t.match(parseBundle(JSON.stringify({ annotations: sandbox, linux: 'x' })), { container: 'POD', pod: 'web-0' });
  const crio = {
    'io.kubernetes.container.name': 'app',
    'io.kubernetes.pod.name': 'web-0',
    'io.kubernetes.pod.namespace': 'shop',
    'io.kubernetes.cri-o.ImageName': 'quay.io/nginx:1',
    'io.kubernetes.cri-o.Name': `k8s_app_web-0_shop_${UID}_0`,
  };
  t.match(parseBundle(JSON.stringify({ annotations: crio })), {
    container: 'app',
    image: 'quay.io/nginx:1',
    name: `k8s_app_web-0_shop_${UID}_0`,
  });
  for (const nonsense of ['', '{', '7', 'null', '{"annotations":7}']) t.same(parseBundle(nonsense), {});
});

t.test('the list of containers/storage', async (t) => {
  const list = [
    { id: 'a', names: ['web'], metadata: '{"image-name":"quay.io/x:1","name":"web"}' },
    { id: 'b', names: [`k8s_app_web-0_shop_${UID}_0`], metadata: 'not json' },
    { id: 7 },
    { id: 'c' },
  ];
  const found = parseStorage(JSON.stringify(list));
  t.match(found.get('a'), { name: 'web', image: 'quay.io/x:1' });
  t.match(found.get('b'), { container: 'app', pod: 'web-0', namespace: 'shop' });
  t.same([...found.keys()], ['a', 'b', 'c']);
  for (const nonsense of ['', '{}', '[[]]']) t.equal(parseStorage(nonsense).size, 0);
});

t.test('without a name from the runtime it is the id', async (t) => {
  const id = containerId('0123456789abcdef');
  t.equal(identityOf(place(`/docker/${id}`), {}).name, '0123456789ab');
  t.equal(identityOf(place(`/machine.slice/libpod-${id}.scope`), {}).name, id);
  t.equal(identityOf(place('/lxc/web'), {}).name, 'web');
  t.same(identityOf(place(`/kubepods/pod${UID}`), { pod: 'p', namespace: 'n', name: 'x' }), {
    container: '',
    namespace: 'n',
    pod: 'p',
    image: '',
    name: '',
  });
  t.notOk(isComplete(place(`/docker/${id}`), { name: 'web' }), 'the image is still asked for');
});

/** An engine, or what claims to be one. */
async function engine(t: Test, listener: RequestListener): Promise<{ socket: string; server: Server }> {
  const dir = mkdtempSync(join(tmpdir(), 'jdos-engine-'));
  const socket = join(dir, 'docker.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return { socket, server };
}

const summary = { Id: ID, Names: ['/other/alias', '/web'], Image: 'nginx:1', Labels: null };

t.test("Docker's own names, asked again when it did not answer", async (t) => {
  let answer: 'down' | 'up' = 'down';
  let asked = 0;
  const { socket } = await engine(t, (request, reply) => {
    asked += 1;
    t.equal(request.url, '/containers/json');
    if (answer === 'down') reply.writeHead(500).end();
    else reply.end(JSON.stringify([summary]));
  });
  const root = emptyTree(t);
  symlinkInto(root, socket);
  const containers = openContainers(root, { sources: { dockerSocket: '/docker.sock', podsDir: undefined } });
  const name = async (uptime: number): Promise<unknown> => {
    writeTree(root, { uptime, groups: { [`/docker/${ID}`]: {} } });
    const { samples } = await containers.collect();
    const labels = samples['container_last_seen']?.find((one) => one.labels['id']?.includes(ID))?.labels;
    return [labels?.['name'], labels?.['image']];
  };
  t.same(await name(1000), [ID.slice(0, 12), '']);
  answer = 'up';
  t.same(await name(1015), ['web', 'nginx:1']);
  const before = asked;
  await name(1030);
  t.equal(asked, before, 'what is known is not asked for in each collection');
});

const symlinkInto = (root: string, socket: string): void => symlinkSync(socket, join(root, 'docker.sock'));

t.test('an engine that never answers does not keep a collection from ending', async (t) => {
  const { socket } = await engine(t, () => {});
  const root = emptyTree(t);
  symlinkInto(root, socket);
  writeTree(root, { groups: { [`/docker/${ID}`]: {} } });
  const { of } = await openContainers(root, {
    sources: { dockerSocket: '/docker.sock', podsDir: undefined },
  }).collect();
  t.same(of('container_last_seen', { name: ID.slice(0, 12) }).length, 1);
  t.same(of('jdos_containers_unnamed'), [1]);
});

for (const [what, listener] of [
  ['no JSON', (_, reply) => reply.end('hello')],
  ['another shape', (_, reply) => reply.end('{"message":"no"}')],
  [
    'half an answer',
    (_, reply) => (reply.writeHead(200, { 'content-length': 100 }), reply.write('['), reply.destroy()),
  ],
  ['an end before the answer', (request) => request.socket.destroy()],
] as const satisfies readonly (readonly [string, RequestListener])[]) {
  t.test(`an engine that answers ${what} leaves the names unknown`, async (t) => {
    const { socket } = await engine(t, listener);
    const root = emptyTree(t);
    symlinkInto(root, socket);
    writeTree(root, { groups: { [`/docker/${ID}`]: {} } });
    const { of } = await openContainers(root, {
      sources: { dockerSocket: '/docker.sock', podsDir: undefined },
    }).collect();
    t.same(of('container_last_seen', { name: ID.slice(0, 12) }).length, 1);
  });
}

t.test('pods of the daemon itself are named by the files of their runtime', async (t) => {
  const pods = mkdtempSync(join(tmpdir(), 'jdos-pods-'));
  t.teardown(() => rmSync(pods, { recursive: true, force: true }));
  const write = (path: string, content: object): void => {
    mkdirSync(dirname(join(pods, path)), { recursive: true });
    writeFileSync(join(pods, path), JSON.stringify(content));
  };
  write(`${UID}/sandbox_0.json`, { namespace: 'shop', podName: 'web-0', attempt: 0 });
  write(`${UID}/main_0/spec.json`, { namespace: 'shop', podName: 'web-0', name: 'main', image: '' });
  const root = emptyTree(t);
  writeTree(root, { groups: { [`/jdos/pod${UID}`]: {}, [`/jdos/pod${UID}/main_0`]: {} } });
  const { samples, of } = await openContainers(root, { sources: { dockerSocket: undefined, podsDir: pods } }).collect();
  const shown = samples['container_last_seen']?.filter(({ labels }) => labels['pod'] === 'web-0');
  t.match(
    shown?.map(({ labels }) => labels),
    [
      { container: '', namespace: 'shop', name: '' },
      { container: 'main', namespace: 'shop', name: 'main' },
    ],
  );
  t.same(of('jdos_containers_unnamed'), [0]);
});

t.test("a pod's containers know its name from each other", async (t) => {
  const root = emptyTree(t);
  const pod = `/kubepods/burstable/pod${UID}`;
  writeTree(root, { groups: { [pod]: {}, [`${pod}/${ID}`]: {} } });
  mkdirSync(join(root, `var/log/pods/shop_web-0_${UID}`), { recursive: true });
  const { of } = await openContainers(root).collect();
  t.same(of('container_last_seen', { pod: 'web-0', namespace: 'shop' }).length, 2);
});

t.test(`mutilated files of runtimes name nothing, or texts (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const bundle = Buffer.from(
    '{"annotations":{"io.kubernetes.cri.sandbox-name":"w"},"linux":{"resources":{"cpu":{"shares":2}}}}',
  );
  const list = Buffer.from('[{"id":"a","names":["web"],"metadata":"{\\"image-name\\":\\"x\\"}"}]');
  const own = Buffer.from('{"namespace":"n","podName":"p","name":"c","image":"i"}');
  for (let round = 0; round < 2000; round += 1) {
    const facts = [
      parseBundle(mutate(bundle, next).toString()),
      ...parseStorage(mutate(list, next).toString()).values(),
      parseOwn(mutate(own, next).toString()),
    ];
    for (const { shares, ...texts } of facts) {
      if (shares !== undefined && typeof shares !== 'number') t.fail('no number');
      if (Object.values(texts).some((text) => text !== undefined && typeof text !== 'string')) t.fail('no text');
    }
  }
});
