// What the block devices are: model, serial number, size, file system, and whether they rotate.
import { stateless, type Collector, type Metric, type SampleWriter } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { isIgnoredDisk } from '../kernel/disk-names.ts';
import { parseDiskstats } from '../kernel/diskstats.ts';
import { decimal, unsigned } from '../kernel/text.ts';
import { parseDmiValue } from './dmi.ts';
import { readUdev } from './udev.ts';

const SECTOR = 512; // the unit of /sys/block/DEVICE/size, whatever the device's own sector is
const UDEV = '/run/udev/data';

const gauge = (name: string, help: string, source: string, labels: readonly string[], unit?: string): Metric => ({
  name,
  help,
  type: 'gauge',
  source,
  labels: ['device', ...labels],
  unit,
});

const INFO = gauge('node_disk_info', 'Info of /sys/block/<block_device>.', `${UDEV}, else /sys/block/DEVICE`, [
  'major',
  'minor',
  'path',
  'wwn',
  'model',
  'serial',
  'revision',
  'rotational',
]);
const FILESYSTEM = gauge('node_disk_filesystem_info', 'Info about disk filesystem.', `${UDEV} ID_FS_*`, [
  'type',
  'usage',
  'uuid',
  'version',
]);
const DEVICE_MAPPER = gauge('node_disk_device_mapper_info', 'Info about disk device mapper.', `${UDEV} DM_*`, [
  'name',
  'uuid',
  'vg_name',
  'lv_name',
  'lv_layer',
]);
const SIZE = gauge('jdos_disk_size_bytes', 'Size of the block device.', '/sys/block/DEVICE/size', []);
const ATA = (
  [
    ['ID_ATA_WRITE_CACHE', 'write_cache', 'ATA disk has a write cache.', '0 or 1'],
    ['ID_ATA_WRITE_CACHE_ENABLED', 'write_cache_enabled', 'ATA disk has its write cache enabled.', '0 or 1'],
    ['ID_ATA_ROTATION_RATE_RPM', 'rotation_rate_rpm', 'ATA disk rotation rate in RPMs (0 for SSDs).', 'per minute'],
  ] as const
).map(
  ([property, name, help, unit]) =>
    [property, gauge(`node_disk_ata_${name}`, help, `${UDEV} ${property}`, [], unit)] as const,
);

type Properties = ReadonlyMap<string, string>;

/** Where udev does not run, what the drivers say under the names of the properties: of SCSI, of NVMe, of virtio. */
const IN_SYSFS = [
  ['ID_MODEL', ['device/model']],
  ['ID_SERIAL_SHORT', ['device/serial', 'serial']],
  ['ID_REVISION', ['device/rev', 'device/firmware_rev']],
  ['ID_WWN', ['wwid', 'device/wwid']],
] as const;

/** Undefined where the device has no such attribute, or does not say. */
function attribute(host: HostFiles, device: string, name: string): string | undefined {
  try {
    return parseDmiValue(host.text(`/sys/block/${device.replaceAll('/', '!')}/${name}`, 4096));
  } catch {
    return undefined;
  }
}

const fromSysfs = (host: HostFiles, device: string): Properties =>
  new Map(
    IN_SYSFS.flatMap(([property, files]) => {
      const value = files
        .map((file) => attribute(host, device, file))
        .find((text) => text !== undefined && text !== '');
      return value === undefined ? [] : [[property, value] as const];
    }),
  );

function write(host: HostFiles, out: SampleWriter, device: string, major: string, minor: string): void {
  const properties = readUdev(host, major, minor) ?? fromSysfs(host, device);
  const of = (...names: readonly string[]): string[] => names.map((name) => properties.get(name) ?? '');
  const serial = of('SCSI_IDENT_SERIAL', 'ID_SERIAL_SHORT').find((text) => text !== '') ?? ''; // the first is on the disk's label
  out.add(
    INFO.name,
    1,
    ...[device, major, minor, ...of('ID_PATH', 'ID_WWN', 'ID_MODEL')],
    ...[serial, ...of('ID_REVISION'), attribute(host, device, 'queue/rotational') ?? ''],
  );
  const size = unsigned(attribute(host, device, 'size'));
  if (size !== undefined) out.add(SIZE.name, size * SECTOR, device);
  if (properties.get('ID_FS_TYPE'))
    out.add(FILESYSTEM.name, 1, device, ...of('ID_FS_TYPE', 'ID_FS_USAGE', 'ID_FS_UUID', 'ID_FS_VERSION'));
  if (properties.get('DM_NAME'))
    out.add(DEVICE_MAPPER.name, 1, device, ...of('DM_NAME', 'DM_UUID', 'DM_VG_NAME', 'DM_LV_NAME', 'DM_LV_LAYER'));
  if (!properties.get('ID_ATA')) return;
  for (const [property, { name }] of ATA) {
    const value = decimal(properties.get(property));
    if (value !== undefined) out.add(name, value, device);
  }
}

/** Of the devices of `diskstats`. What is known of a disk changes when it is exchanged, so once in a minute is enough. */
export const disks: Collector = {
  name: 'disks',
  view: 'node',
  periodSeconds: 60,
  metrics: [INFO, FILESYSTEM, DEVICE_MAPPER, SIZE, ...ATA.map(([, metric]) => metric)],
  open: stateless((host, out, config) => {
    const wanted = (device: string): boolean => !isIgnoredDisk(device, config.disk.excludeDevices);
    for (const [device, { major, minor }] of parseDiskstats(host.text('/proc/diskstats'), wanted))
      write(host, out, device, major, minor);
  }),
};
