// The fields of a container (core/v1 Container), all of them, with what this version does not act on marked.
import {
  type Field,
  flag,
  integer,
  integerOrText,
  list,
  map,
  object,
  quantity,
  refused,
  text,
  withoutEffect,
} from './shape.ts';

const httpGet = object({
  path: text,
  port: integerOrText,
  host: text,
  scheme: text,
  httpHeaders: list(object({ name: text, value: text })),
});
const exec = object({ command: list(text) });
const tcpSocket = object({ port: integerOrText, host: text });
const sleep = object({ seconds: integer });

const probe = object({
  exec,
  httpGet,
  tcpSocket,
  grpc: object({ port: integer, service: text }),
  initialDelaySeconds: integer,
  timeoutSeconds: integer,
  periodSeconds: integer,
  successThreshold: integer,
  failureThreshold: integer,
  terminationGracePeriodSeconds: integer,
});
const handler = object({ exec, httpGet, tcpSocket, sleep });
const lifecycle = object({ postStart: handler, preStop: handler, stopSignal: text });

export const seccompProfile = object({ type: text, localhostProfile: text });
export const seLinuxOptions = object({ user: text, role: text, type: text, level: text });
export const appArmorProfile = object({ type: text, localhostProfile: text });
export const windowsOptions = refused('Windows containers are not supported');

const securityContext = object({
  runAsUser: integer,
  runAsGroup: integer,
  runAsNonRoot: flag,
  privileged: flag,
  allowPrivilegeEscalation: flag,
  readOnlyRootFilesystem: flag,
  capabilities: object({ add: list(text), drop: list(text) }),
  procMount: text,
  seccompProfile,
  seLinuxOptions: withoutEffect(seLinuxOptions),
  appArmorProfile: withoutEffect(appArmorProfile),
  windowsOptions,
});

const FROM_OTHERS = 'only valueFrom.fieldRef is supported in this version';
const env = object({
  name: text,
  value: text,
  valueFrom: object({
    fieldRef: object({ apiVersion: text, fieldPath: text }),
    resourceFieldRef: refused(FROM_OTHERS),
    configMapKeyRef: refused(FROM_OTHERS),
    secretKeyRef: refused(FROM_OTHERS),
    fileKeyRef: refused(FROM_OTHERS),
  }),
});

const resources = object({
  limits: map(quantity),
  requests: map(quantity),
  claims: refused('resource claims are not supported in this version'),
});

const volumeMount = object({
  name: text,
  mountPath: text,
  readOnly: flag,
  subPath: text,
  subPathExpr: refused('use subPath: variables in paths are not supported in this version'),
  mountPropagation: withoutEffect(text),
  recursiveReadOnly: withoutEffect(text),
});

const port = object({ name: text, containerPort: integer, hostPort: integer, hostIP: text, protocol: text });

const PROBES = 'has no effect in this version; the container is ready while it runs';
export const container: Field = object({
  name: text,
  image: text,
  imagePullPolicy: text,
  command: list(text),
  args: list(text),
  workingDir: text,
  env: list(env, 'name'),
  envFrom: refused('variables from ConfigMaps and Secrets are not supported in this version'),
  ports: list(port, 'containerPort'),
  resources,
  resizePolicy: withoutEffect(list(object({ resourceName: text, restartPolicy: text }))),
  volumeMounts: list(volumeMount, 'mountPath'),
  volumeDevices: refused('block devices are not supported in this version'),
  securityContext,
  stdin: flag,
  stdinOnce: withoutEffect(flag),
  tty: flag,
  readinessProbe: withoutEffect(probe, PROBES),
  livenessProbe: withoutEffect(probe, 'has no effect in this version; a container is restarted when it ends'),
  startupProbe: withoutEffect(probe, PROBES),
  lifecycle: withoutEffect(lifecycle),
  terminationMessagePath: withoutEffect(text, 'has no effect in this version', '/dev/termination-log'),
  terminationMessagePolicy: withoutEffect(text, 'has no effect in this version', 'File'),
  restartPolicy: refused('sidecars and restart policies of single containers are not supported in this version', text),
  restartPolicyRules: refused('restart policies of single containers are not supported in this version'),
});
