// What a container has to be like (kubernetes pkg/apis/core/validation).
import { isIP } from 'node:net';
import { between, type Cause, checked, duplicate, forbidden, invalid, missing, oneOf, required } from './cause.ts';
import { dnsLabel, envName, portName } from './names.ts';
import type { Container, ContainerPort, EnvVar, SecurityContext, VolumeMount } from './pod.ts';
import { validateResources } from './resource-validation.ts';

export const MAX_ID = 2_147_483_647;
const FIELD_PATHS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

interface ContainerContext {
  /** The pod runs as processes of the host: no image. */
  readonly process: boolean;
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
}

export function validateContainer(container: Container, field: string, context: ContainerContext): readonly Cause[] {
  const { name = '', image = '', imagePullPolicy, command = [], ports = [], env = [], volumeMounts = [] } = container;
  return [
    ...(name === '' ? [required(`${field}.name`)] : checked(`${field}.name`, name, dnsLabel)),
    ...(context.process
      ? command.length === 0
        ? [required(`${field}.command`, 'the process runtime has no image to take it from')]
        : []
      : image === ''
        ? [required(`${field}.image`)]
        : checked(`${field}.image`, image, (text) =>
            text === text.trim() ? undefined : 'must not have leading or trailing whitespace',
          )),
    ...oneOf(`${field}.imagePullPolicy`, imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...env.flatMap((one, i) => validateEnv(one, `${field}.env[${i}]`)),
    ...validatePorts(ports, field, context.hostNetwork),
    ...validateResources(container.resources, `${field}.resources`),
    ...validateMounts(volumeMounts, field, context.volumes),
    ...validateContext(container.securityContext, `${field}.securityContext`),
  ];
}

function validateEnv({ name = '', value, valueFrom }: EnvVar, field: string): readonly Cause[] {
  const causes = name === '' ? [required(`${field}.name`)] : [...checked(`${field}.name`, name, envName)];
  if (valueFrom === undefined) return causes;
  if ((value ?? '') !== '')
    causes.push(invalid(`${field}.valueFrom`, '', 'may not be specified when `value` is not empty'));
  const { fieldRef } = valueFrom;
  if (fieldRef === undefined) causes.push(invalid(`${field}.valueFrom`, '', 'must specify one of: `fieldRef`'));
  else if ((fieldRef.fieldPath ?? '') === '') causes.push(required(`${field}.valueFrom.fieldRef.fieldPath`));
  else if (!/^metadata\.(labels|annotations)\['[^']+'\]$/.test(fieldRef.fieldPath)) {
    causes.push(...oneOf(`${field}.valueFrom.fieldRef.fieldPath`, fieldRef.fieldPath, FIELD_PATHS));
  }
  return causes;
}

function validatePorts(ports: readonly ContainerPort[], field: string, hostNetwork: boolean): readonly Cause[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = '', containerPort, hostPort, hostIP = '', protocol }, i) => {
    const at = `${field}.ports[${i}]`;
    const twice = name !== '' && names.has(name);
    names.add(name);
    return [
      ...(name === '' ? [] : twice ? [duplicate(`${at}.name`, name)] : checked(`${at}.name`, name, portName)),
      ...(containerPort === undefined
        ? [required(`${at}.containerPort`)]
        : between(`${at}.containerPort`, containerPort, 1, 65_535)),
      ...(hostPort === 0 ? [] : between(`${at}.hostPort`, hostPort, 1, 65_535)),
      ...(hostNetwork && hostPort !== undefined && hostPort !== containerPort
        ? [invalid(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
        : []),
      ...(hostIP === '' || isIP(hostIP) !== 0
        ? []
        : [invalid(`${at}.hostIP`, hostIP, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]),
      ...oneOf(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']),
    ];
  });
}

function validateMounts(mounts: readonly VolumeMount[], field: string, volumes: ReadonlySet<string>): readonly Cause[] {
  const paths = new Set<string>();
  return mounts.flatMap(({ name = '', mountPath = '', subPath = '' }, i) => {
    const at = `${field}.volumeMounts[${i}]`;
    const twice = paths.has(mountPath);
    paths.add(mountPath);
    return [
      ...(name === '' ? [required(`${at}.name`)] : volumes.has(name) ? [] : [missing(`${at}.name`, name)]),
      ...(mountPath === ''
        ? [required(`${at}.mountPath`)]
        : twice
          ? [invalid(`${at}.mountPath`, mountPath, 'must be unique')]
          : mountPath.includes(':')
            ? [invalid(`${at}.mountPath`, mountPath, "must not contain ':'")]
            : []),
      ...(subPath.startsWith('/') ? [invalid(`${at}.subPath`, subPath, 'must be a relative path')] : []),
      ...(subPath.split('/').includes('..') ? [invalid(`${at}.subPath`, subPath, "must not contain '..'")] : []),
    ];
  });
}

/** Checks of the users, groups and profiles that containers and pods have alike. */
export const validateIds = (
  context: Pick<SecurityContext, 'runAsUser' | 'runAsGroup' | 'seccompProfile'> | undefined,
  field: string,
): readonly Cause[] => [
  ...between(`${field}.runAsUser`, context?.runAsUser, 0, MAX_ID),
  ...between(`${field}.runAsGroup`, context?.runAsGroup, 0, MAX_ID),
  ...(context?.seccompProfile === undefined
    ? []
    : (context.seccompProfile.type ?? '') === ''
      ? [required(`${field}.seccompProfile.type`)]
      : oneOf(`${field}.seccompProfile.type`, context.seccompProfile.type, [
          'Localhost',
          'RuntimeDefault',
          'Unconfined',
        ])),
  ...(context?.seccompProfile?.type === 'Localhost' && (context.seccompProfile.localhostProfile ?? '') === ''
    ? [required(`${field}.seccompProfile.localhostProfile`, 'must be set when seccomp type is Localhost')]
    : []),
];

function validateContext(context: SecurityContext | undefined, field: string): readonly Cause[] {
  if (context === undefined) return [];
  const { privileged, allowPrivilegeEscalation, capabilities, procMount } = context;
  const escalates = (what: string): Cause =>
    invalid(field, '', `cannot set \`allowPrivilegeEscalation\` to false and ${what}`);
  return [
    ...validateIds(context, field),
    ...oneOf(`${field}.procMount`, procMount, ['Default', 'Unmasked']),
    ...(allowPrivilegeEscalation === false && privileged === true ? [escalates('`privileged` to true')] : []),
    ...(allowPrivilegeEscalation === false &&
    capabilities?.add?.some((name) => /^(CAP_)?SYS_ADMIN$/i.test(name)) === true
      ? [escalates('`capabilities.Add` CAP_SYS_ADMIN')]
      : []),
    ...(context.runAsNonRoot === true && context.runAsUser === 0
      ? [forbidden(`${field}.runAsUser`, 'root contradicts runAsNonRoot: true; the container would never start')]
      : []),
  ];
}
