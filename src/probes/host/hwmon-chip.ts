// The name of a chip that measures, as node_exporter makes it: of the device it is at, which does not change with the order of loading.
import { basename, dirname } from 'node:path';
import type { HostFiles } from '../host-files.ts';

/** What a label may hold: lower-case letters, digits, `:` and `_`. */
export const clean = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9:_]/g, '_')
    .replaceAll(/^_+|_+$/g, '');

/**
 * `platform_coretemp_0` for `…/platform/coretemp.0`, `nvme_nvme0` for `…/nvme/nvme0`; without a device its own name, and without
 * that `hwmon3`. `directory` is one of /sys/class/hwmon.
 */
export function chipName(host: HostFiles, directory: string): string {
  const [device, kind] = deviceOf(host, directory);
  if (device !== '') return kind === '' ? device : `${kind}_${device}`;
  return clean(nameOf(host, directory)) || clean(basename(directory));
}

function deviceOf(host: HostFiles, directory: string): readonly [device: string, kind: string] {
  try {
    const path = host.resolve(`${directory}/device`);
    return [clean(basename(path)), clean(basename(dirname(path)))];
  } catch {
    return ['', ''];
  }
}

function nameOf(host: HostFiles, directory: string): string {
  try {
    return host.text(`${directory}/name`, 4096);
  } catch {
    return '';
  }
}
