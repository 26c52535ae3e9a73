// Who a container runs as and what it may do, from the security contexts of the pod and the container.
import { Fault } from '../../../base/fault.ts';
import type { ContainerSpec } from '../../../drivers/docker/index.ts';
import type { Container, Pod } from '../../objects/pod.ts';
import { RUN_AS_NON_ROOT, RUNTIME_CANNOT } from '../faults.ts';

/** Docker's `User`: the container's word before the pod's before the image's. */
export function userOf(pod: Pod, container: Container, imageUser: string): string {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const uid = own.runAsUser ?? shared.runAsUser;
  const gid = own.runAsGroup ?? shared.runAsGroup;
  const [imageUid = ''] = imageUser.split(':');
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) === true) {
    const who = uid === undefined ? imageUid : String(uid);
    if (!/^\d+$/.test(who) && who !== '')
      throw new Fault(
        RUN_AS_NON_ROOT,
        `container ${container.name} has runAsNonRoot, and its image names the user ${who}, who may be root`,
      );
    if (Number(who) === 0)
      throw new Fault(RUN_AS_NON_ROOT, `container ${container.name} has runAsNonRoot and would run as user 0`);
  }
  if (gid !== undefined) return `${uid ?? (imageUid === '' ? '0' : imageUid)}:${gid}`;
  return uid === undefined ? imageUser : String(uid);
}

/** The rights of a container; without a word, Docker's own defaults, which include its seccomp profile. */
export function rightsOf(pod: Pod, container: Container): NonNullable<ContainerSpec['HostConfig']> {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const { add = [], drop = [] } = own.capabilities ?? {};
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  const seccomp = (own.seccompProfile ?? shared.seccompProfile)?.type;
  if (seccomp === 'Localhost')
    throw new Fault(
      RUNTIME_CANNOT,
      `seccompProfile Localhost of container ${container.name} is not supported in this version`,
      { remedy: 'use RuntimeDefault, which is the profile of the Docker Engine' },
    );
  const options = [
    ...(own.allowPrivilegeEscalation === false ? ['no-new-privileges'] : []),
    ...(seccomp === 'Unconfined' ? ['seccomp=unconfined'] : []),
  ];
  return {
    Privileged: own.privileged === true,
    ReadonlyRootfs: own.readOnlyRootFilesystem === true,
    ...(add.length === 0 ? {} : { CapAdd: [...add] }),
    ...(drop.length === 0 ? {} : { CapDrop: [...drop] }),
    ...(groups.length === 0 ? {} : { GroupAdd: groups.map(String) }),
    ...(options.length === 0 ? {} : { SecurityOpt: options }),
    ...(own.procMount === 'Unmasked' ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
  };
}
