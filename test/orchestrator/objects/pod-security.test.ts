// Field by field: what an operator is refused and an admin may do, and what everyone may.
import t from 'tap';
import { openBareApi, type Json, pod, PODS } from '../api-door.ts';

const container = (more: Json): Json => ({ containers: [{ name: 'main', image: 'busybox:1', ...more }] });
const context = (securityContext: Json): Json => container({ securityContext });

/** What is asked for, and the field that the refusal names. */
const BEYOND: readonly [Json, string][] = [
  [{ hostNetwork: true }, 'spec.hostNetwork'],
  [{ hostPID: true }, 'spec.hostPID'],
  [{ hostIPC: true }, 'spec.hostIPC'],
  [
    {
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'b', hostPath: { path: '/etc' } },
      ],
    },
    'spec.volumes[1].hostPath',
  ],
  [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'spec.securityContext.sysctls[0].name'],
  [{ securityContext: { seccompProfile: { type: 'Unconfined' } } }, 'spec.securityContext.seccompProfile.type'],
  [{ securityContext: { appArmorProfile: { type: 'Unconfined' } } }, 'spec.securityContext.appArmorProfile.type'],
  [{ securityContext: { seLinuxOptions: { type: 'spc_t' } } }, 'spec.securityContext.seLinuxOptions.type'],
  [{ securityContext: { seLinuxOptions: { user: 'root' } } }, 'spec.securityContext.seLinuxOptions.user'],
  [{ securityContext: { seLinuxOptions: { role: 'system_r' } } }, 'spec.securityContext.seLinuxOptions.role'],
  [context({ privileged: true }), 'spec.containers[0].securityContext.privileged'],
  [
    context({ capabilities: { add: ['CHOWN', 'SYS_ADMIN'] } }),
    'spec.containers[0].securityContext.capabilities.add[1]',
  ],
  [context({ capabilities: { add: ['CAP_NET_RAW'] } }), 'spec.containers[0].securityContext.capabilities.add[0]'],
  [context({ capabilities: { add: ['ALL'] } }), 'spec.containers[0].securityContext.capabilities.add[0]'],
  [context({ procMount: 'Unmasked' }), 'spec.containers[0].securityContext.procMount'],
  [context({ seccompProfile: { type: 'Unconfined' } }), 'spec.containers[0].securityContext.seccompProfile.type'],
  [context({ appArmorProfile: { type: 'Unconfined' } }), 'spec.containers[0].securityContext.appArmorProfile.type'],
  [context({ seLinuxOptions: { type: 'unconfined_t' } }), 'spec.containers[0].securityContext.seLinuxOptions.type'],
  [container({ ports: [{ containerPort: 80, hostPort: 80 }] }), 'spec.containers[0].ports[0].hostPort'],
  [
    { initContainers: [{ name: 'init', image: 'busybox:1', securityContext: { privileged: true } }] },
    'spec.initContainers[0].securityContext.privileged',
  ],
  [
    container({ readinessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } }),
    'spec.containers[0].readinessProbe.httpGet.host',
  ],
  [
    container({ livenessProbe: { tcpSocket: { port: 80, host: 'db' } } }),
    'spec.containers[0].livenessProbe.tcpSocket.host',
  ],
  [
    container({ lifecycle: { preStop: { httpGet: { port: 80, host: '169.254.169.254' } } } }),
    'spec.containers[0].lifecycle.preStop.httpGet.host',
  ],
  // The process runtime has no walls: root, and the accounts of the host itself.
  [{ runtimeClassName: 'process', ...container({ command: ['x'] }) }, 'spec.containers[0].securityContext.runAsUser'],
  [
    { runtimeClassName: 'process', ...container({ command: ['x'], securityContext: { runAsUser: 0 } }) },
    'spec.containers[0].securityContext.runAsUser',
  ],
  [
    { runtimeClassName: 'process', securityContext: { runAsUser: 999 }, ...container({ command: ['x'] }) },
    'spec.containers[0].securityContext.runAsUser',
  ],
  [
    {
      runtimeClassName: 'process',
      securityContext: { runAsUser: 2000, runAsGroup: 0 },
      ...container({ command: ['x'] }),
    },
    'spec.containers[0].securityContext.runAsGroup',
  ],
  [
    {
      runtimeClassName: 'process',
      securityContext: { runAsUser: 2000, supplementalGroups: [0] },
      ...container({ command: ['x'] }),
    },
    'spec.securityContext',
  ],
  [
    { runtimeClassName: 'process', securityContext: { runAsUser: 2000, fsGroup: 4 }, ...container({ command: ['x'] }) },
    'spec.securityContext',
  ],
];

const WITHIN: readonly Json[] = [
  {},
  { securityContext: { runAsUser: 0, sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } },
  { securityContext: { seccompProfile: { type: 'RuntimeDefault' }, seLinuxOptions: { type: 'container_t' } } },
  context({ capabilities: { add: ['NET_BIND_SERVICE', 'CAP_CHOWN'], drop: ['ALL'] }, procMount: 'Default' }),
  container({ ports: [{ containerPort: 80 }] }),
  container({ readinessProbe: { httpGet: { port: 80, host: '' } }, startupProbe: { tcpSocket: { port: 80 } } }),
  context({
    seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' },
    appArmorProfile: { type: 'RuntimeDefault' },
  }),
  { volumes: [{ name: 'a', emptyDir: { medium: 'Memory' } }], shareProcessNamespace: true },
  {
    runtimeClassName: 'process',
    securityContext: { runAsUser: 2000, runAsGroup: 2000 },
    ...container({ command: ['x'] }),
  },
];

t.test('what goes beyond the baseline needs admin, and the refusal names the field', async (t) => {
  const { call } = await openBareApi(t);
  for (const [i, [spec, field]] of BEYOND.entries()) {
    const what = `${field}: ${JSON.stringify(spec).slice(0, 100)}`;
    const refused = await call('POST', PODS, pod(`p${i}`, spec), { as: 'operator' });
    t.equal(refused.status, 403, what);
    t.match(
      refused.body,
      { kind: 'Status', reason: 'Forbidden', details: { causes: [{ field, reason: 'FieldValueForbidden' }] } },
      what,
    );
    t.match(refused.body['message'], `${field}: Forbidden`);
    t.equal((await call('POST', PODS, pod(`p${i}`, spec))).status, 201, `an admin may: ${what}`);
    t.equal((await call('POST', PODS, pod(`v${i}`, spec), { as: 'viewer' })).status, 403, `a viewer may not: ${what}`);
  }
});

t.test('what is within the baseline is an operator’s, and not a viewer’s', async (t) => {
  const { call } = await openBareApi(t);
  for (const [i, spec] of WITHIN.entries()) {
    const what = JSON.stringify(spec);
    const made = await call('POST', PODS, pod(`p${i}`, spec), { as: 'operator' });
    t.equal(made.status, 201, `${what} ${String(made.body['message'] ?? '')}`);
    t.equal((await call('POST', PODS, pod(`v${i}`, spec), { as: 'viewer' })).status, 403);
  }
});

const NOTE = 'jdos.io/allow-root-process';
const annotationsOf = ({ body }: { body: Json }): Json => body['metadata'].annotations ?? {};
const MERGE = { type: 'application/merge-patch+json' } as const;

t.test('a pod of an operator that may end up on either runtime cannot become root there', async (t) => {
  const { call } = await openBareApi(t);
  const lie = {
    ...pod('lie'),
    metadata: { name: 'lie', annotations: { [NOTE]: 'true', 'jdos.io/runtime': 'process', mine: 'x' } },
  };
  const made = await call('POST', PODS, lie, { as: 'operator' });
  t.same(annotationsOf(made), { [NOTE]: 'false', mine: 'x' }, 'whatever was sent');
  for (const as of ['operator', 'admin'] as const) {
    const changed = await call(
      'PATCH',
      `${PODS}/lie`,
      { metadata: { annotations: { [NOTE]: null } } },
      { ...MERGE, as },
    );
    t.equal(annotationsOf(changed)[NOTE], 'false', `${as} cannot take it away`);
  }
  const runtime = { metadata: { annotations: { 'jdos.io/runtime': 'docker' } } };
  t.equal(
    annotationsOf(await call('PATCH', `${PODS}/lie`, runtime, MERGE))['jdos.io/runtime'],
    'docker',
    'the agent notes the runtime',
  );
  const other = { metadata: { annotations: { 'jdos.io/runtime': 'process' } } };
  const kept = await call('PATCH', `${PODS}/lie`, other, { ...MERGE, as: 'operator' });
  t.equal(annotationsOf(kept)['jdos.io/runtime'], 'docker', 'an operator does not change it');
  t.same(annotationsOf(await call('POST', PODS, pod('admins'))), {}, 'nothing is noted for an admin');
  const user = pod('user', { securityContext: { runAsUser: 2000 } });
  t.same(annotationsOf(await call('POST', PODS, user, { as: 'operator' })), {}, 'nor where no container is root');
});

t.test('an operator may label an admin’s privileged pod, but not give it another image', async (t) => {
  const { call } = await openBareApi(t);
  await call('POST', PODS, pod('strong', context({ privileged: true })));
  const as = { ...MERGE, as: 'operator' } as const;
  t.equal((await call('PATCH', `${PODS}/strong`, { metadata: { labels: { a: 'b' } } }, as)).status, 200);
  const image = [{ op: 'replace', path: '/spec/containers/0/image', value: 'evil' }];
  const changed = await call('PATCH', `${PODS}/strong`, image, { type: 'application/json-patch+json', as: 'operator' });
  t.match(changed, {
    status: 403,
    body: { details: { causes: [{ field: 'spec.containers[0].securityContext.privileged' }] } },
  });
});

t.test('no change gives a pod what its creation would have been refused', async (t) => {
  const { call } = await openBareApi(t);
  const { body: before } = await call('POST', PODS, pod('one'), { as: 'operator' });
  const path = `${PODS}/one`;
  for (const [spec, field] of BEYOND) {
    const what = `${field}: ${JSON.stringify(spec).slice(0, 100)}`;
    const tries = [
      await call('PATCH', path, { spec }, { ...MERGE, as: 'operator' }),
      await call('PATCH', path, { spec }, { type: 'application/strategic-merge-patch+json', as: 'operator' }),
      await call('PATCH', path, [{ op: 'replace', path: '/spec', value: { ...before['spec'], ...spec } }], {
        type: 'application/json-patch+json',
        as: 'operator',
      }),
      await call('PUT', path, { ...before, spec: { ...before['spec'], ...spec } }, { as: 'operator' }),
    ];
    for (const { status } of tries) t.ok([403, 422].includes(status), `${status} ${what}`);
  }
  t.same((await call('GET', path)).body, before);
  const profile = (value: string): Json => ({
    metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': value } },
  });
  t.match(await call('PATCH', path, profile('unconfined'), { ...MERGE, as: 'operator' }), {
    status: 403,
    body: { message: /metadata.annotations\[container.apparmor.security.beta.kubernetes.io\/main\]: Forbidden/ },
  });
  t.equal((await call('PATCH', path, profile('runtime/default'), { ...MERGE, as: 'operator' })).status, 200);
  t.equal((await call('PATCH', path, profile('unconfined'), MERGE)).status, 200, 'an admin may');
  t.equal(
    (await call('PATCH', path, { metadata: { labels: { a: 'b' } } }, { ...MERGE, as: 'operator' })).status,
    200,
    'and what the admin gave is no reason to refuse a label',
  );
  const status = { status: { phase: 'Succeeded' } };
  t.equal((await call('PATCH', path, status, { ...MERGE, as: 'operator' })).status, 200);
  t.equal((await call('GET', path)).body['status'].phase, 'Pending', 'nor is the status written by the way');
});

t.test('nodes, namespaces, events and every status are written by admins only', async (t) => {
  const { call } = await openBareApi(t);
  await call('POST', PODS, pod('one'));
  const writes: readonly [string, string, Json][] = [
    ['POST', '/api/v1/nodes', { metadata: { name: 'n' } }],
    ['POST', '/api/v1/namespaces', { metadata: { name: 'n' } }],
    ['DELETE', '/api/v1/namespaces/default', {}],
    ['POST', '/api/v1/namespaces/default/events', { metadata: { name: 'e' } }],
    ['PUT', `${PODS}/one/status`, pod('one')],
    ['PATCH', `${PODS}/one/status`, {}],
  ];
  for (const [method, path, body] of writes) {
    for (const as of ['viewer', 'operator'] as const) {
      t.equal((await call(method, path, body, { as })).status, 403, `${method} ${path} as ${as}`);
    }
  }
});
