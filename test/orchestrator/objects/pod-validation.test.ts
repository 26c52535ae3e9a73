// Pods that are wrong are refused in Kubernetes' words, field by field; what is unknown is named with what was meant.
import t from 'tap';
import { openBareApi, type Json, pod, PODS } from '../api-door.ts';

const container = (more: Json): Json => ({ containers: [{ name: 'main', image: 'busybox:1', ...more }] });

/** A spec, and the cause it is refused with: `field: message`. */
const INVALID: readonly [Json, string | RegExp][] = [
  [{ containers: [] }, 'spec.containers: Required value'],
  [{ containers: [{ name: 'main' }] }, 'spec.containers[0].image: Required value'],
  [{ containers: [{ image: 'x' }] }, 'spec.containers[0].name: Required value'],
  [container({ image: ' x' }), /spec.containers\[0\].image: Invalid value: " x": must not have leading or trailing/],
  [
    container({ name: 'Main' }),
    /spec.containers\[0\].name: Invalid value: "Main": a lowercase RFC 1123 label must consist/,
  ],
  [
    {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'a', image: 'x' },
      ],
    },
    'spec.containers[1].name: Duplicate value: "a"',
  ],
  [{ initContainers: [{ name: 'main', image: 'x' }] }, 'spec.initContainers[0].name: Duplicate value: "main"'],
  [
    container({ imagePullPolicy: 'Sometimes' }),
    'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
  ],
  [
    { restartPolicy: 'Maybe' },
    'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    { terminationGracePeriodSeconds: -1 },
    'spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    { activeDeadlineSeconds: 0 },
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  [
    { runtimeClassName: 'kata' },
    'spec.runtimeClassName: Unsupported value: "kata": supported values: "docker", "process"',
  ],
  [{ nodeSelector: { 'a b': 'c' } }, /spec.nodeSelector: Invalid value: "a b": name part must consist/],
  [{ nodeSelector: { a: 'b c' } }, /spec.nodeSelector: Invalid value: "b c": a valid label must be/],
  [{ hostname: 'a.b' }, /spec.hostname: Invalid value: "a.b"/],
  [{ os: { name: 'windows' } }, 'spec.os.name: Unsupported value: "windows": supported values: "linux"'],
  [container({ env: [{ value: 'x' }] }), 'spec.containers[0].env[0].name: Required value'],
  [
    container({ env: [{ name: 'A=B' }] }),
    /spec.containers\[0\].env\[0\].name: Invalid value: "A=B": a valid environment variable/,
  ],
  [
    container({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    /valueFrom: Invalid value: "": may not be specified when `value` is not empty/,
  ],
  [container({ env: [{ name: 'A', valueFrom: {} }] }), /valueFrom: Invalid value: "": must specify one of: `fieldRef`/],
  [
    container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] }),
    /fieldRef.fieldPath: Unsupported value: "spec.x"/,
  ],
  [container({ ports: [{ hostPort: 80 }] }), 'spec.containers[0].ports[0].containerPort: Required value'],
  [
    container({ ports: [{ containerPort: 70000 }] }),
    'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ],
  [container({ ports: [{ containerPort: 1, protocol: 'QUIC' }] }), /ports\[0\].protocol: Unsupported value: "QUIC"/],
  [container({ ports: [{ containerPort: 1, name: 'Web' }] }), /ports\[0\].name: Invalid value: "Web"/],
  [
    container({
      ports: [
        { containerPort: 1, name: 'w' },
        { containerPort: 2, name: 'w' },
      ],
    }),
    'spec.containers[0].ports[1].name: Duplicate value: "w"',
  ],
  [container({ ports: [{ containerPort: 1, hostIP: 'x' }] }), /hostIP: Invalid value: "x": must be a valid IP address/],
  [
    container({
      ports: [
        { containerPort: 1, hostPort: 9 },
        { containerPort: 2, hostPort: 9 },
      ],
    }),
    'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"',
  ],
  [
    { hostNetwork: true, ...container({ ports: [{ containerPort: 1, hostPort: 2 }] }) },
    /must match `containerPort` when `hostNetwork` is true/,
  ],
  [
    container({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  [
    container({ resources: { requests: { memory: '-1' } } }),
    'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    container({ resources: { limits: { 'nvidia.com/gpu': 1 } } }),
    /limits\[nvidia.com\/gpu\]: Forbidden: the resource "nvidia.com\/gpu" is not supported/,
  ],
  [
    container({ volumeMounts: [{ name: 'no', mountPath: '/x' }] }),
    'spec.containers[0].volumeMounts[0].name: Not found: "no"',
  ],
  [
    { volumes: [{ name: 'v' }], ...container({ volumeMounts: [{ name: 'v' }] }) },
    'spec.containers[0].volumeMounts[0].mountPath: Required value',
  ],
  [
    {
      volumes: [{ name: 'v' }],
      ...container({
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/a' },
        ],
      }),
    },
    /volumeMounts\[1\].mountPath: Invalid value: "\/a": must be unique/,
  ],
  [
    { volumes: [{ name: 'v' }], ...container({ volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../b' }] }) },
    /subPath: Invalid value: "..\/b": must not contain '..'/,
  ],
  [{ volumes: [{ name: 'v' }, { name: 'v' }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
  [{ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }, /may not specify more than 1 volume type/],
  [
    { volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] },
    /hostPath.path: Invalid value: "\/a\/..\/b": must not contain '..'/,
  ],
  [{ volumes: [{ name: 'v', hostPath: { path: '/a', type: 'Dir' } }] }, /hostPath.type: Unsupported value: "Dir"/],
  [
    { securityContext: { runAsUser: -1 } },
    'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [{ shareProcessNamespace: true, hostPID: true }, /ShareProcessNamespace and HostPID cannot both be enabled/],
  [
    container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    /cannot set `allowPrivilegeEscalation` to false and `privileged` to true/,
  ],
  [
    { runtimeClassName: 'process', ...container({}) },
    /spec.containers\[0\].command: Required value: the process runtime has no image/,
  ],
  // Known, and refused by name.
  [
    { volumes: [{ name: 'v', secret: { secretName: 's' } }] },
    /spec.volumes\[0\].secret: Forbidden: secret volumes are not supported/,
  ],
  [{ volumes: [{ name: 'v', configMap: {} }] }, /spec.volumes\[0\].configMap: Forbidden/],
  [{ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }, /persistentVolumeClaim: Forbidden/],
  [{ volumes: [{ name: 'v', projected: { sources: [] } }] }, /projected: Forbidden/],
  [container({ envFrom: [{ configMapRef: { name: 'c' } }] }), /spec.containers\[0\].envFrom: Forbidden/],
  [
    container({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
    /valueFrom.secretKeyRef: Forbidden: only valueFrom.fieldRef/,
  ],
  [{ ephemeralContainers: [{ name: 'd' }] }, /spec.ephemeralContainers: Forbidden/],
  [{ securityContext: { windowsOptions: { runAsUserName: 'x' } } }, /spec.securityContext.windowsOptions: Forbidden/],
  [
    { initContainers: [{ name: 's', image: 'x', restartPolicy: 'Always' }] },
    /initContainers\[0\].restartPolicy: Forbidden: sidecars/,
  ],
];

t.test('a pod that is wrong is refused with the field and Kubernetes’ words', async (t) => {
  const { call } = await openBareApi(t);
  for (const [spec, want] of INVALID) {
    const { status, body } = await call('POST', PODS, pod('wrong', spec));
    const causes = (body['details']?.causes ?? []) as { field: string; message: string }[];
    const told = causes.map(({ field, message }) => `${field}: ${message}`);
    t.match(body, { kind: 'Status', reason: 'Invalid', code: 422 }, JSON.stringify(spec).slice(0, 120));
    t.equal(status, 422);
    t.ok(
      told.some((one) => (typeof want === 'string' ? one === want : want.test(one))),
      `${String(want)} in ${told.join(' | ')}`,
    );
  }
});

t.test('names, labels and annotations have Kubernetes’ forms', async (t) => {
  const { call } = await openBareApi(t);
  const cases: readonly [Json, RegExp][] = [
    [{ name: 'A' }, /metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain/],
    [{ name: 'a'.repeat(254) }, /must be no more than 253 bytes/],
    [{}, /metadata.name: Required value: name or generateName is required/],
    [{ name: 'a', labels: { '/x': 'y' } }, /metadata.labels: Invalid value: "\/x": prefix part must be non-empty/],
    [{ name: 'a', labels: { x: 'y'.repeat(64) } }, /must be no more than 63 bytes/],
    [{ name: 'a', annotations: { 'a b': 'y' } }, /metadata.annotations: Invalid value: "a b"/],
    [{ name: 'a', annotations: { x: 'y'.repeat(300_000) } }, /may not be more than 262144 bytes/],
    [{ name: 'a', finalizers: ['x.io/y'] }, /metadata.finalizers: Forbidden/],
  ];
  for (const [metadata, want] of cases) {
    const { status, body } = await call('POST', PODS, { ...pod('x'), metadata });
    t.equal(status, 422, String(want));
    t.match(body['message'], want);
  }
});

t.test('unknown fields are refused, warned of or left out, as fieldValidation says', async (t) => {
  const { call } = await openBareApi(t);
  const misspelt = {
    ...pod('x'),
    spec: {
      ...pod('x')['spec'],
      restartpolicy: 'Never',
      containers: [{ name: 'a', image: 'x', imagePullPolice: 'Never' }],
    },
  };
  const strict = await call('POST', `${PODS}?fieldValidation=Strict`, misspelt);
  t.equal(strict.status, 400);
  t.match(strict.body['message'], /^Pod in version "v1" cannot be handled as a Pod: strict decoding error: /);
  t.match(strict.body['message'], /unknown field "spec.restartpolicy", did you mean "restartPolicy"\?/);
  t.match(
    strict.body['message'],
    /unknown field "spec.containers\[0\].imagePullPolice", did you mean "imagePullPolicy"\?/,
  );
  const warned = await call('POST', PODS, misspelt);
  t.equal(warned.status, 201);
  t.match(String(warned.headers['warning']), /299 - "unknown field \\"spec.restartpolicy\\"/);
  t.equal(warned.body['spec'].restartpolicy, undefined);
  const ignored = await call('POST', `${PODS}?fieldValidation=Ignore`, { ...misspelt, metadata: { name: 'y' } });
  t.equal(ignored.headers['warning'], undefined);
  t.equal((await call('POST', `${PODS}?fieldValidation=Nonsense`, misspelt)).status, 400);
});

t.test('a wrong type is refused with its path', async (t) => {
  const { call } = await openBareApi(t);
  const cases: readonly [Json, RegExp][] = [
    [{ containers: 'x' }, /spec.containers: expected a list, got string/],
    [container({ image: 7 }), /spec.containers\[0\].image: expected a string, got number 7/],
    [
      container({ env: [{ name: 'A', value: 1 }] }),
      /spec.containers\[0\].env\[0\].value: expected a string, got number 1/,
    ],
    [{ terminationGracePeriodSeconds: '30' }, /terminationGracePeriodSeconds: expected a whole number/],
    [{ terminationGracePeriodSeconds: 1.5 }, /expected a whole number/],
    [{ hostNetwork: 'yes' }, /spec.hostNetwork: expected true or false/],
    [
      container({ resources: { limits: { memory: '64mb' } } }),
      /limits.memory: expected a quantity: quantities must match/,
    ],
    [{ nodeSelector: { a: true } }, /spec.nodeSelector.a: expected a string, got boolean/],
  ];
  for (const [spec, want] of cases) {
    const { status, body } = await call('POST', PODS, pod('x', spec));
    t.equal(status, 400, String(want));
    t.match(body['message'], want);
  }
  t.equal((await call('POST', PODS, [])).status, 400);
  t.equal((await call('POST', PODS, '{')).status, 400);
  t.equal((await call('POST', PODS, { ...pod('x'), kind: 'Node' })).status, 400);
  t.equal((await call('POST', PODS, { ...pod('x'), apiVersion: 'v2' })).status, 400);
});

t.test('defaults are Kubernetes’', async (t) => {
  const { call } = await openBareApi(t);
  const spec = async (name: string, given: Json): Promise<Json> => {
    const { body } = await call('POST', PODS, pod(name, given));
    return body;
  };
  t.equal((await spec('latest', container({ image: 'x' })))['spec'].containers[0].imagePullPolicy, 'Always');
  t.equal(
    (await spec('tag', container({ image: 'host:5000/x:latest' })))['spec'].containers[0].imagePullPolicy,
    'Always',
  );
  t.equal((await spec('port', container({ image: 'host:5000/x' })))['spec'].containers[0].imagePullPolicy, 'Always');
  t.equal(
    (await spec('digest', container({ image: 'x@sha256:1' })))['spec'].containers[0].imagePullPolicy,
    'IfNotPresent',
  );
  const limited = await spec('limits', container({ resources: { limits: { cpu: 1, memory: '1Gi' } } }));
  t.same(limited['spec'].containers[0].resources.requests, { cpu: '1', memory: '1Gi' });
  t.equal(limited['status'].qosClass, 'Guaranteed');
  t.equal((await spec('burst', container({ resources: { limits: { cpu: '1' } } })))['status'].qosClass, 'Burstable');
  t.same((await spec('volume', { volumes: [{ name: 'v' }] }))['spec'].volumes, [{ name: 'v', emptyDir: {} }]);
  const net = await spec('net', { hostNetwork: true, ...container({ ports: [{ containerPort: 80 }] }) });
  t.same(net['spec'].containers[0].ports, [{ containerPort: 80, protocol: 'TCP', hostPort: 80 }]);
  const { headers } = await call(
    'POST',
    PODS,
    pod('p', { runtimeClassName: 'process', ...container({ command: ['x'] }) }),
  );
  t.match(String(headers['warning']), /spec.containers\[0\].image: is ignored by the process runtime/);
  const port = pod('mapped', container({ ports: [{ containerPort: 80, hostPort: 8080 }] }));
  t.match(
    String((await call('POST', PODS, port)).headers['warning']),
    /spec.containers\[0\].ports\[0\].hostPort: has no effect/,
  );
  const host = pod('hosted', { hostNetwork: true, ...container({ ports: [{ containerPort: 80 }] }) });
  t.equal((await call('POST', PODS, host)).headers['warning'], undefined, 'what defaults fill in is no reason to warn');
});
