// Lists: selectors, pages, states and tables.
import t from 'tap';
import { type Json, openBareApi, pod, PODS, type Reply } from '../api-door.ts';

const MERGE = { type: 'application/merge-patch+json' } as const;
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const NS = '/api/v1/namespaces';
const labelled = (name: string, labels: Json, spec: Json = {}): Json => ({
  ...pod(name, spec),
  metadata: { name, labels },
});
const namesIn = ({ body }: Reply): string[] => (body['items'] as Json[]).map(({ metadata }) => metadata.name as string);

t.test('lists by labels and fields', async (t) => {
  const { call } = await openBareApi(t);
  await call('POST', PODS, labelled('a', { tier: 'web', env: 'prod' }, { nodeName: 'n1' }));
  await call('POST', PODS, labelled('b', { tier: 'db' }, { nodeName: 'n2', restartPolicy: 'Never' }));
  await call('POST', PODS, labelled('c', { tier: 'web', env: '' }));
  await call('POST', `${NS}/kube-system/pods`, labelled('d', { tier: 'web' }));
  await call('PATCH', `${PODS}/b/status`, { status: { phase: 'Running', podIP: '10.0.0.2' } }, MERGE);
  const all = '/api/v1/pods';
  const selected: readonly [string, string, string[]][] = [
    [all, 'labelSelector=tier=web', ['a', 'c', 'd']],
    [PODS, 'labelSelector=tier=web', ['a', 'c']],
    [all, 'labelSelector=tier==web,env', ['a', 'c']],
    [all, 'labelSelector=tier=web,!env', ['d']],
    [all, 'labelSelector=env=', ['c']],
    [all, 'labelSelector=tier!=web', ['b']],
    [all, 'labelSelector=env!=prod', ['b', 'c', 'd']],
    [all, 'labelSelector=tier in (web, db),env notin (prod)', ['b', 'c', 'd']],
    [all, 'labelSelector=env in ()', ['c']],
    [all, 'labelSelector=constructor', []],
    [all, 'labelSelector=!constructor', ['a', 'b', 'c', 'd']],
    [all, 'fieldSelector=metadata.name=b', ['b']],
    [all, 'fieldSelector=metadata.namespace!=default', ['d']],
    [all, 'fieldSelector=spec.nodeName=n1', ['a']],
    [all, 'fieldSelector=spec.nodeName=', ['c', 'd']],
    [all, 'fieldSelector=status.phase=Running,spec.restartPolicy=Never', ['b']],
    [all, 'fieldSelector=status.podIP=10.0.0.2', ['b']],
    [all, 'fieldSelector=status.phase!=Running&labelSelector=env', ['a', 'c']],
    [NS, 'fieldSelector=status.phase=Active', ['default', 'kube-system']],
    [NS, 'labelSelector=kubernetes.io/metadata.name=default', ['default']],
  ];
  for (const [path, query, want] of selected) {
    t.same(namesIn(await call('GET', `${path}?${encodeURI(query)}`)), want, query);
  }
  const wrong = [
    'labelSelector=a===b',
    'labelSelector=(',
    'labelSelector=a in b',
    'labelSelector=a>1',
    'labelSelector==',
    'fieldSelector=x',
    'fieldSelector=spec.image=x',
    'fieldSelector=constructor=x',
    'limit=many',
    'limit=-1',
    'resourceVersion=x',
    'continue=x',
  ];
  for (const query of wrong) {
    const got = await call('GET', `${all}?${encodeURI(query)}`);
    t.match(got, { status: 400, body: { kind: 'Status', reason: 'BadRequest' } }, query);
  }
  const began = performance.now();
  await call('GET', `${all}?labelSelector=${','.repeat(7000)}`);
  await call('GET', `${all}?labelSelector=${'a,('.repeat(2500)}`);
  t.ok(performance.now() - began < 10_000, 'a selector of commas costs no time');
});

t.test('pages hold everything that was there all the time, once, while others come and go', async (t) => {
  const { call } = await openBareApi(t);
  for (let i = 10; i < 40; i += 1) await call('POST', PODS, labelled(`p${i}`, { odd: String(i % 2) }));
  const pages = async (query: string, between: (page: number) => Promise<unknown>): Promise<Reply[]> => {
    const read: Reply[] = [];
    for (let token = ''; ;) {
      const page = await call('GET', `${PODS}?${query}${token}`);
      t.equal(page.status, 200);
      read.push(page);
      const next = page.body['metadata'].continue as string | undefined;
      if (next === undefined) return read;
      token = `&continue=${next}`;
      await between(read.length);
    }
  };
  const quiet = await pages('limit=7', async () => undefined);
  t.same(
    quiet.map((page) => namesIn(page).length),
    [7, 7, 7, 7, 2],
  );
  const odd = (await pages('limit=4&labelSelector=odd%3D1', async () => undefined)).flatMap(namesIn);
  t.same(
    odd,
    Array.from({ length: 15 }, (_, i) => `p${11 + 2 * i}`),
  );
  const read = await pages('limit=7', async (page) => {
    await call('POST', PODS, pod(`p${page}0x`));
    await call('DELETE', `${PODS}/p${page}9`);
  });
  const names = read.flatMap(namesIn);
  t.equal(new Set(names).size, names.length, 'none twice');
  const stable = Array.from({ length: 30 }, (_, i) => `p${10 + i}`).filter((name) => !/9$/.test(name));
  t.same(
    stable.filter((name) => !names.includes(name)),
    [],
    'none left out',
  );
  const revisions = new Set(read.map(({ body }) => body['metadata'].resourceVersion));
  t.equal(revisions.size, 1, 'all pages say where to watch from: the state in which the list was begun');
  const foreign = Buffer.from('5 /registry/core/nodes/x').toString('base64url');
  t.equal((await call('GET', `${PODS}?limit=1&continue=${foreign}`)).status, 400, 'a token leads nowhere else');
});

t.test('a list says which state it is, and refuses to be another', async (t) => {
  const { call } = await openBareApi(t);
  await call('POST', PODS, pod('one'));
  const now = Number((await call('GET', PODS)).body['metadata'].resourceVersion);
  const asked: readonly [string, number, string?][] = [
    ['resourceVersion=0', 200],
    [`resourceVersion=${now}`, 200],
    [`resourceVersion=${now}&resourceVersionMatch=Exact`, 200],
    [`resourceVersion=1&resourceVersionMatch=NotOlderThan`, 200],
    [`resourceVersion=1&resourceVersionMatch=Exact`, 410, 'Expired'],
    [`resourceVersion=${now + 1}`, 504, 'Timeout'],
    ['resourceVersionMatch=Exact', 422, 'Invalid'],
    ['resourceVersion=0&resourceVersionMatch=Exact', 422, 'Invalid'],
    ['resourceVersion=1&resourceVersionMatch=Perhaps', 422, 'Invalid'],
    ['sendInitialEvents=true', 422, 'Invalid'],
  ];
  for (const [query, status, reason] of asked) {
    t.match(
      await call('GET', `${PODS}?${query}`),
      { status, ...(reason === undefined ? {} : { body: { reason } }) },
      query,
    );
  }
});

t.test('tables have the columns of kubectl', async (t) => {
  const now = Date.parse('2026-11-22T08:00:00Z');
  const { call } = await openBareApi(t, { now: () => now });
  await call('POST', PODS, labelled('one', { a: 'b' }, { nodeName: 'n' }));
  const table = (path: string): Promise<Reply> => call('GET', path, undefined, { accept: TABLE });
  const { body } = await table(PODS);
  const columns = (one: Json): unknown =>
    (one['columnDefinitions'] as Json[]).map(({ name, priority }) => (priority === 0 ? name : `(${name})`)).join(' ');
  t.equal(columns(body), 'Name Ready Status Restarts Age (IP) (Node)');
  t.match(body, {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: /^\d+$/ },
    rows: [
      {
        cells: ['one', '0/1', 'Pending', '0', '0s', '<none>', 'n'],
        object: { kind: 'PartialObjectMetadata', metadata: { labels: { a: 'b' } } },
      },
    ],
  });
  t.equal(
    columns((await table('/api/v1/nodes')).body),
    'Name Status Roles Age Version (Internal-IP) (External-IP) (OS-Image) (Kernel-Version) (Container-Runtime)',
  );
  t.equal(columns((await table(NS)).body), 'Name Status Age');
  t.equal(
    columns((await table('/api/v1/events')).body),
    'Last Seen Type Reason Object (Subobject) (Source) Message (First Seen) (Count) (Name)',
  );
  t.match((await table(`${PODS}/one`)).body, { kind: 'Table', rows: [{ cells: ['one'] }] });
  t.match((await table(`${PODS}?includeObject=Object`)).body['rows'], [{ object: { kind: 'Pod', spec: Object } }]);
  t.equal((await table(`${PODS}?includeObject=None`)).body['rows'][0].object, undefined);
  t.equal((await table(`${PODS}?includeObject=All`)).status, 400);
  t.match((await table(`${PODS}/none`)).body, { kind: 'Status', code: 404 });
});
