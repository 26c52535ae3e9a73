// Pod Security Standards, level `baseline` (https://kubernetes.io/docs/concepts/security/pod-security-standards/): what goes beyond it.
import { type Cause, forbidden } from './cause.ts';
import type { Container, Pod, SecurityContext } from './pod.ts';

const CAPABILITIES: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const SELINUX_TYPES: ReadonlySet<string> = new Set([
  '',
  'container_engine_t',
  'container_init_t',
  'container_kvm_t',
  'container_t',
]);

/** What is checked alike in the security context of a pod and of a container, with the fields that have no effect here. */
type AnyContext = Pick<SecurityContext, 'seccompProfile'> & {
  readonly seLinuxOptions?: { readonly type?: string; readonly user?: string; readonly role?: string };
  readonly appArmorProfile?: { readonly type?: string };
};

function contextCauses(context: AnyContext | undefined, field: string): readonly Cause[] {
  if (context === undefined) return [];
  const { seLinuxOptions: linux, appArmorProfile, seccompProfile } = context;
  return [
    ...(seccompProfile?.type === 'Unconfined'
      ? [forbidden(`${field}.seccompProfile.type`, 'Unconfined needs admin')]
      : []),
    ...(appArmorProfile?.type === 'Unconfined'
      ? [forbidden(`${field}.appArmorProfile.type`, 'Unconfined needs admin')]
      : []),
    ...(linux !== undefined && !SELINUX_TYPES.has(linux.type ?? '')
      ? [forbidden(`${field}.seLinuxOptions.type`, 'this type needs admin')]
      : []),
    ...(linux !== undefined && (linux.user ?? '') !== ''
      ? [forbidden(`${field}.seLinuxOptions.user`, 'needs admin')]
      : []),
    ...(linux !== undefined && (linux.role ?? '') !== ''
      ? [forbidden(`${field}.seLinuxOptions.role`, 'needs admin')]
      : []),
  ];
}

function containerCauses({ securityContext, ports }: Container, field: string): readonly Cause[] {
  const own = `${field}.securityContext`;
  const { privileged, capabilities, procMount } = securityContext ?? {};
  return [
    ...(privileged === true ? [forbidden(`${own}.privileged`, 'privileged containers need admin')] : []),
    ...(capabilities?.add ?? []).flatMap((name, i) =>
      CAPABILITIES.has(name.replace(/^CAP_/i, '').toUpperCase())
        ? []
        : [forbidden(`${own}.capabilities.add[${i}]`, `the capability ${JSON.stringify(name)} needs admin`)],
    ),
    ...(procMount !== undefined && procMount !== 'Default' ? [forbidden(`${own}.procMount`, 'needs admin')] : []),
    ...contextCauses(securityContext, own),
    ...(ports ?? []).flatMap(({ hostPort = 0 }, i) =>
      hostPort === 0 ? [] : [forbidden(`${field}.ports[${i}].hostPort`, 'ports of the host need admin')],
    ),
  ];
}

/** Probes and hooks that go to another host than the pod: the level's rule since Kubernetes 1.34. */
function otherHosts(container: Container, field: string): readonly Cause[] {
  const { lifecycle, ...probes } = container as Handlers;
  const handlers: readonly (readonly [string, Handler | undefined])[] = [
    ['readinessProbe', probes.readinessProbe],
    ['livenessProbe', probes.livenessProbe],
    ['startupProbe', probes.startupProbe],
    ['lifecycle.postStart', lifecycle?.postStart],
    ['lifecycle.preStop', lifecycle?.preStop],
  ];
  return handlers.flatMap(([name, handler]) =>
    (['httpGet', 'tcpSocket'] as const).flatMap((how) =>
      (handler?.[how]?.host ?? '') === ''
        ? []
        : [forbidden(`${field}.${name}.${how}.host`, 'hosts beside the pod need admin')],
    ),
  );
}

interface Handler {
  readonly httpGet?: { readonly host?: string };
  readonly tcpSocket?: { readonly host?: string };
}

/** Fields that are kept without an effect, and so are not among those of `Container`. */
interface Handlers {
  readonly readinessProbe?: Handler;
  readonly livenessProbe?: Handler;
  readonly startupProbe?: Handler;
  readonly lifecycle?: { readonly postStart?: Handler; readonly preStop?: Handler };
}

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** One cause for each field that goes beyond the level `baseline`. */
export function beyondBaseline({ spec, metadata }: Pod): readonly Cause[] {
  const { securityContext } = spec;
  const hostNames = ['hostNetwork', 'hostPID', 'hostIPC'] as const;
  return [
    ...hostNames.flatMap((name) =>
      spec[name] === true ? [forbidden(`spec.${name}`, 'namespaces of the host need admin')] : [],
    ),
    ...(spec.volumes ?? []).flatMap(({ hostPath }, i) =>
      hostPath === undefined ? [] : [forbidden(`spec.volumes[${i}].hostPath`, 'directories of the host need admin')],
    ),
    ...(securityContext?.sysctls ?? []).flatMap(({ name }, i) =>
      SYSCTLS.has(name.replaceAll('/', '.'))
        ? []
        : [forbidden(`spec.securityContext.sysctls[${i}].name`, `the sysctl ${JSON.stringify(name)} needs admin`)],
    ),
    ...contextCauses(securityContext, 'spec.securityContext'),
    ...everyContainer(spec, (one, field) => [...containerCauses(one, field), ...otherHosts(one, field)]),
    ...Object.entries(metadata.annotations ?? {}).flatMap(([key, value]) =>
      key.startsWith(APPARMOR) && !/^(?:runtime\/default|localhost\/.+|)$/.test(value)
        ? [forbidden(`metadata.annotations[${key}]`, 'this profile needs admin')]
        : [],
    ),
  ];
}

/** Causes of all containers, init containers first, each with its field. */
export const everyContainer = (
  spec: Pod['spec'],
  look: (container: Container, field: string) => readonly Cause[],
): readonly Cause[] => [
  ...(spec.initContainers ?? []).flatMap((one, i) => look(one, `spec.initContainers[${i}]`)),
  ...spec.containers.flatMap((one, i) => look(one, `spec.containers[${i}]`)),
];
