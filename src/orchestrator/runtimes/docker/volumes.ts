// A pod's volumes as mounts: emptyDir is a directory of ours or memory, hostPath what the host has there.
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../base/fault.ts';
import type { Mount } from '../../../drivers/docker/index.ts';
import { parseBytes } from '../../objects/quantity.ts';
import type { Container, Pod, Volume } from '../../objects/pod.ts';
import { HOST_PATH_UNFIT, RUNTIME_CANNOT } from '../faults.ts';
import { INSTALLATION, POD_UID } from './names.ts';

/** For a path of the host that does not answer, such as one on a network file system. */
const HOST_PATH_MS = 10_000;

/** What the type of a hostPath wants to be there, in the words of stat(1); absent types take anything. */
const HOST_PATH_KINDS: Readonly<Record<string, RegExp>> = {
  Directory: /^directory$/,
  File: /^regular (empty )?file$/,
  Socket: /^socket$/,
  CharDevice: /^character special file$/,
  BlockDevice: /^block special file$/,
};

/** The directory of a pod's emptyDir volumes. */
export const podVolumes = (dir: string, podUid: string): string => join(dir, podUid);

const isMemory = ({ emptyDir }: Volume): boolean => emptyDir?.medium === 'Memory';

/** The volumes in memory, for the sandbox: it holds them while containers come and go. */
export const heldMounts = (pod: Pod, installation: string): Mount[] =>
  (pod.spec.volumes ?? [])
    .filter(isMemory)
    .map((volume) => ({ ...memoryMount(pod, volume, installation), Target: `/volumes/${volume.name}` }));

function memoryMount({ metadata: { uid } }: Pod, { name, emptyDir }: Volume, installation: string): Mount {
  const bytes = emptyDir?.sizeLimit === undefined ? undefined : parseBytes(emptyDir.sizeLimit);
  const size = bytes === undefined || bytes === 0 ? '' : `,size=${bytes}`;
  const VolumeOptions = {
    NoCopy: true,
    Labels: { [INSTALLATION]: installation, [POD_UID]: uid },
    DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: `mode=1777${size}` } },
  };
  return { Target: '', Type: 'volume', Source: `jdos_${uid}_${name}`, VolumeOptions };
}

/** The mounts of one container; what they are of is made where the volume says so. */
export async function containerMounts(
  pod: Pod,
  container: Container,
  { dir, installation }: { readonly dir: string; readonly installation: string },
): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const { name, mountPath, readOnly = false, subPath = '' } of container.volumeMounts ?? []) {
    if (subPath !== '')
      throw new Fault(
        RUNTIME_CANNOT,
        `subPath of volume ${name} in container ${container.name} is not supported in this version`,
        { remedy: 'mount the whole volume, and use a path below it' },
      );
    const volume = pod.spec.volumes?.find((one) => one.name === name);
    if (volume === undefined) continue;
    const source = isMemory(volume)
      ? memoryMount(pod, volume, installation)
      : { Type: 'bind' as const, Source: await sourceOf(pod, volume, dir) };
    mounts.push({ ...source, Target: mountPath, ReadOnly: readOnly });
  }
  return mounts;
}

async function sourceOf(pod: Pod, { name, hostPath }: Volume, dir: string): Promise<string> {
  if (hostPath !== undefined) {
    await checkHostPath(name, hostPath.path, hostPath.type ?? '');
    return hostPath.path;
  }
  const path = join(podVolumes(dir, pod.metadata.uid), name);
  await mkdir(path, { recursive: true });
  // Whoever the container runs as may write, as in the kubelet's.
  await chmod(path, 0o777);
  const { fsGroup } = pod.spec.securityContext ?? {};
  if (fsGroup === undefined) return path;
  await chown(path, -1, fsGroup);
  // New files keep the group that the pod asks for, unless the daemon's unit forbids such bits (RestrictSUIDSGID).
  await chmod(path, 0o2777).catch(() => undefined);
  return path;
}

async function checkHostPath(name: string, path: string, type: string): Promise<void> {
  const unfit = (why: string): Fault => new Fault(HOST_PATH_UNFIT, `hostPath ${path} of volume ${name}: ${why}`);
  if (type.endsWith('OrCreate')) {
    const [command, ...args] =
      type === 'DirectoryOrCreate' ? ['mkdir', '-p', '-m', '0755', '--'] : ['touch', '-a', '--'];
    const { failed, text } = await onHost(command ?? '', [...args, path]);
    if (failed) throw unfit(text);
  }
  const wanted = HOST_PATH_KINDS[type.replace(/OrCreate$/, '')];
  if (wanted === undefined) return;
  const { failed, text } = await onHost('stat', ['-L', '-c', '%F', '--', path]);
  if (failed || !wanted.test(text)) throw unfit(`${failed ? text : `it is a ${text}`}, not what type ${type} asks for`);
}

/** By a process of its own: a path of the host can hang for ever, and so would a thread of ours. */
const onHost = (
  command: string,
  args: readonly string[],
): Promise<{ readonly failed: boolean; readonly text: string }> =>
  new Promise((resolve) => {
    const options = { timeout: HOST_PATH_MS, killSignal: 'SIGKILL', env: { LC_ALL: 'C' } } as const;
    const child = execFile(command, args, options, (error, out, err) => {
      clearTimeout(late);
      const why = error === null ? out : err || error.message;
      resolve({ failed: error !== null, text: why.trim() });
    });
    // A process in state D does not even end by KILL.
    const late = setTimeout(() => {
      child.unref();
      resolve({ failed: true, text: `no answer within ${HOST_PATH_MS / 1000} s` });
    }, HOST_PATH_MS + 1000);
  });
