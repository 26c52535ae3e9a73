// From a pod's container to what the start stub does; refuses what a plain process on the host cannot give.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Fault } from '../../../base/fault.ts';
import type { Container, Pod } from '../../objects/pod.ts';
import { expand } from '../expand.ts';
import { RUN_AS_NON_ROOT, RUNTIME_CANNOT } from '../faults.ts';
import type { StartRequest } from '../runtime.ts';
import type { RunSpec } from './layout.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The lines of /etc/passwd (passwd(5)). */
export const parseAccounts = (text: string): readonly Account[] =>
  text.split('\n').flatMap((line) => {
    const [, , uid = '', gid = '', , home = '/'] = line.split(':');
    return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ uid: Number(uid), gid: Number(gid), home }] : [];
  });

type Identity = Pick<RunSpec, 'uid' | 'gid' | 'groups'>;

/** Who it runs as: the container's word before the pod's, and the group of the account before the daemon's. */
export function identityOf(pod: Pod, container: Container, self: number, accounts: readonly Account[]): Identity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const uid = own.runAsUser ?? shared.runAsUser;
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) === true && (uid ?? self) === 0)
    throw new Fault(RUN_AS_NON_ROOT, `container ${container.name} has runAsNonRoot and would run as user 0`);
  const account = accounts.find((one) => one.uid === uid);
  const gid = own.runAsGroup ?? shared.runAsGroup ?? (uid === undefined ? undefined : (account?.gid ?? uid));
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }), groups };
}

/** What the pod asks for and does not get here, for events: it runs all the same. */
export function unenforced(pod: Pod, container: Container): readonly string[] {
  const { securityContext: own = {}, tty, stdin } = container;
  const seccomp = own.seccompProfile ?? pod.spec.securityContext?.seccompProfile;
  const asked: readonly (readonly [boolean | undefined, string])[] = [
    [own.readOnlyRootFilesystem, 'readOnlyRootFilesystem'],
    [own.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation: false'],
    [own.capabilities !== undefined, 'capabilities'],
    [seccomp !== undefined && seccomp.type !== 'Unconfined', 'seccompProfile'],
    [(pod.spec.securityContext?.sysctls?.length ?? 0) > 0, 'sysctls'],
    [pod.spec.hostname !== undefined, 'hostname'],
    [tty, 'tty'],
    [stdin, 'stdin'],
  ];
  return asked
    .filter(([wanted]) => wanted === true)
    .map(([, field]) => `${field} of container ${container.name} has no effect: the process runtime has no namespaces`);
}

/** Everything but the cgroups. Throws a Fault for what would make the workload fail in ways hard to understand. */
export async function runSpec(request: StartRequest, oomScoreAdj: number): Promise<Omit<RunSpec, 'cgroupProcs'>> {
  const { pod, container } = request;
  if ((container.volumeMounts?.length ?? 0) > 0) {
    throw new Fault(
      RUNTIME_CANNOT,
      `volumeMounts of container ${container.name} cannot be honoured: a plain process sees the host's own files`,
      { remedy: 'give the pod `runtimeClassName: docker`, or take volumeMounts away and use paths of the host' },
    );
  }
  if ((container.command?.length ?? 0) === 0) {
    throw new Fault(
      RUNTIME_CANNOT,
      `container ${container.name} has no command, and there is no image to take one from`,
      {
        remedy: 'name the program in `command`, or give the pod an image and `runtimeClassName: docker`',
      },
    );
  }
  const accounts = parseAccounts(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  const self = process.getuid?.() ?? 0;
  const identity = identityOf(pod, container, self, accounts);
  const home = accounts.find(({ uid }) => uid === (identity.uid ?? self))?.home ?? '/';
  const given = Object.fromEntries(request.env.map(({ name, value }) => [name, value]));
  const env = { PATH, HOME: home, HOSTNAME: hostname(), ...given };
  const argv = [...(container.command ?? []), ...(container.args ?? [])].map((word) => expand(word, env));
  return { argv, env, cwd: container.workingDir ?? '/', ...identity, oomScoreAdj };
}
