// What a pod has to be like (kubernetes pkg/apis/core/validation), after decoding and defaulting.
import { between, type Cause, checked, duplicate, forbidden, invalid, oneOf, required } from './cause.ts';
import { MAX_ID, validateContainer, validateIds } from './container-validation.ts';
import { refuseFinalizers, validateLabels, validateMeta } from './meta-validation.ts';
import { dnsLabel, dnsSubdomain } from './names.ts';
import type { Container, Pod, PodSecurityContext, PodSpec, Volume } from './pod.ts';
import { quantitySign } from './quantity.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const SYSCTL = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;

export const validatePod = (pod: Pod): readonly Cause[] => [
  ...validateMeta(pod),
  ...refuseFinalizers(pod),
  ...validateSpec(pod.spec),
];

function validateSpec(spec: PodSpec): readonly Cause[] {
  const process = spec.runtimeClassName === 'process';
  const context = {
    process,
    hostNetwork: spec.hostNetwork === true,
    volumes: new Set((spec.volumes ?? []).map(({ name }) => name)),
  };
  const all = (list: readonly Container[], field: string): readonly Cause[] =>
    list.flatMap((one, i) => validateContainer(one, `${field}[${i}]`, context));
  return [
    ...(spec.volumes ?? []).flatMap((one, i) => validateVolume(one, `spec.volumes[${i}]`)),
    ...duplicates(
      (spec.volumes ?? []).map(({ name }) => name),
      (i) => `spec.volumes[${i}].name`,
    ),
    ...(spec.containers.length === 0 ? [required('spec.containers')] : all(spec.containers, 'spec.containers')),
    ...all(spec.initContainers ?? [], 'spec.initContainers'),
    ...duplicateContainers(spec),
    ...duplicateHostPorts(spec),
    ...oneOf('spec.restartPolicy', spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...(spec.terminationGracePeriodSeconds < 0
      ? [
          invalid(
            'spec.terminationGracePeriodSeconds',
            spec.terminationGracePeriodSeconds,
            'must be greater than or equal to 0',
          ),
        ]
      : []),
    ...between('spec.activeDeadlineSeconds', spec.activeDeadlineSeconds, 1, MAX_ID),
    ...validateLabels(spec.nodeSelector ?? {}, 'spec.nodeSelector'),
    ...checked('spec.nodeName', spec.nodeName, dnsSubdomain),
    ...checked('spec.hostname', spec.hostname, dnsLabel),
    ...oneOf('spec.runtimeClassName', spec.runtimeClassName, ['docker', 'process']),
    ...oneOf('spec.os.name', (spec as { os?: { name?: string } }).os?.name, ['linux']),
    ...(spec.shareProcessNamespace === true && spec.hostPID === true
      ? [invalid('spec.shareProcessNamespace', true, 'ShareProcessNamespace and HostPID cannot both be enabled')]
      : []),
    ...validateContext(spec.securityContext),
  ];
}

function duplicates(names: readonly string[], field: (i: number) => string): readonly Cause[] {
  const seen = new Set<string>();
  return names.flatMap((name, i) => {
    const twice = name !== undefined && seen.has(name);
    seen.add(name);
    return twice ? [duplicate(field(i), name)] : [];
  });
}

function duplicateContainers({ initContainers = [], containers }: PodSpec): readonly Cause[] {
  const names = [...containers, ...initContainers].map(({ name }) => name);
  return duplicates(names, (i) =>
    i < containers.length ? `spec.containers[${i}].name` : `spec.initContainers[${i - containers.length}].name`,
  );
}

/** The same port of the host, address and protocol, in two places. */
function duplicateHostPorts({ containers }: PodSpec): readonly Cause[] {
  const seen = new Set<string>();
  return containers.flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort = 0, hostIP = '', protocol }, j) => {
      if (hostPort === 0) return [];
      const key = `${protocol}/${hostIP}/${hostPort}`;
      const twice = seen.has(key);
      seen.add(key);
      return twice ? [duplicate(`spec.containers[${i}].ports[${j}].hostPort`, key)] : [];
    }),
  );
}

function validateVolume({ name = '', emptyDir, hostPath }: Volume, field: string): readonly Cause[] {
  const causes: Cause[] = name === '' ? [required(`${field}.name`)] : [...checked(`${field}.name`, name, dnsLabel)];
  if (emptyDir !== undefined && hostPath !== undefined) {
    causes.push(forbidden(`${field}.hostPath`, 'may not specify more than 1 volume type'));
  }
  causes.push(...oneOf(`${field}.emptyDir.medium`, emptyDir?.medium, ['', 'Memory']));
  if (emptyDir?.sizeLimit !== undefined && quantitySign(emptyDir.sizeLimit) === -1) {
    causes.push(invalid(`${field}.emptyDir.sizeLimit`, emptyDir.sizeLimit, 'must be greater than or equal to 0'));
  }
  if (hostPath === undefined) return causes;
  const { path = '', type } = hostPath;
  if (path === '') causes.push(required(`${field}.hostPath.path`));
  else if (path.split('/').includes('..'))
    causes.push(invalid(`${field}.hostPath.path`, path, "must not contain '..'"));
  else if (!path.startsWith('/')) causes.push(invalid(`${field}.hostPath.path`, path, 'must be an absolute path'));
  causes.push(...oneOf(`${field}.hostPath.type`, type, HOST_PATH_TYPES));
  return causes;
}

function validateContext(context: PodSecurityContext | undefined): readonly Cause[] {
  if (context === undefined) return [];
  const field = 'spec.securityContext';
  const names = (context.sysctls ?? []).map(({ name }) => name);
  return [
    ...validateIds(context, field),
    ...(context.supplementalGroups ?? []).flatMap((gid, i) =>
      between(`${field}.supplementalGroups[${i}]`, gid, 0, MAX_ID),
    ),
    ...between(`${field}.fsGroup`, context.fsGroup, 0, MAX_ID),
    ...names.flatMap((name = '', i) => {
      const at = `${field}.sysctls[${i}].name`;
      if (name === '') return [required(at)];
      return name.length <= 253 && SYSCTL.test(name)
        ? []
        : [invalid(at, name, 'must have at most 253 characters and match regex of sysctl names')];
    }),
    ...duplicates(names, (i) => `${field}.sysctls[${i}].name`),
  ];
}

/** What is accepted and does something else than it seems to. */
export function podWarnings({ spec }: Pod): readonly string[] {
  const each = (container: Container, field: string): readonly string[] => [
    ...(spec.runtimeClassName === 'process' && (container.image ?? '') !== ''
      ? [`${field}.image: is ignored by the process runtime`]
      : []),
    // On docker a pod has no network of its own yet; a process has the host's ports, but not others in their place.
    ...(container.ports ?? []).flatMap(({ hostPort = 0, containerPort }, i) =>
      hostPort === 0 || spec.hostNetwork === true || (spec.runtimeClassName === 'process' && hostPort === containerPort)
        ? []
        : [`${field}.ports[${i}].hostPort: has no effect in this version; use hostNetwork: true`],
    ),
    ...(['limits', 'requests'] as const)
      .filter((where) => container.resources?.[where]?.['ephemeral-storage'] !== undefined)
      .map((where) => `${field}.resources.${where}[ephemeral-storage]: has no effect in this version`),
  ];
  return [
    ...(spec.initContainers ?? []).flatMap((one, i) => each(one, `spec.initContainers[${i}]`)),
    ...spec.containers.flatMap((one, i) => each(one, `spec.containers[${i}]`)),
  ];
}
