// Written file system samples for the self-tests of the storage checks.
import type { MetricSample } from '../../probes/index.ts';

interface WrittenMount {
  readonly mountpoint: string;
  readonly device?: string;
  readonly fstype?: string;
  readonly size?: number;
  readonly free?: number;
  readonly available?: number;
  readonly files?: number;
  readonly filesFree?: number;
  readonly readonly?: boolean;
  readonly error?: boolean;
}

/** The `node_filesystem_*` samples of some mounts; what is not given is not written, as after a failed read. */
export function mountSamples(...list: readonly WrittenMount[]): Record<string, readonly MetricSample[]> {
  const family = (value: (mount: WrittenMount) => number | undefined): readonly MetricSample[] =>
    list.flatMap((mount) => {
      const number = value(mount);
      const { mountpoint, device = '/dev/vda1', fstype = 'ext4' } = mount;
      return number === undefined ? [] : [{ labels: { device, fstype, mountpoint }, value: number }];
    });
  return {
    node_filesystem_size_bytes: family((mount) => mount.size),
    node_filesystem_free_bytes: family((mount) => mount.free ?? mount.available),
    node_filesystem_avail_bytes: family((mount) => mount.available),
    node_filesystem_files: family((mount) => mount.files),
    node_filesystem_files_free: family((mount) => mount.filesFree),
    node_filesystem_readonly: family((mount) => (mount.readonly === true ? 1 : 0)),
    node_filesystem_device_error: family((mount) => (mount.error === true ? 1 : 0)),
  };
}
