// Held against the real node_exporter on this machine: same names, same types, same labels, same constants.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Census, Collector } from '../../../src/probes/collector.ts';
import { HostFiles, type FileSystemStats } from '../../../src/probes/host-files.ts';
import { hostCollectors } from '../../../src/probes/host/index.ts';
import { kernelCollectors } from '../../../src/probes/kernel/index.ts';
import { processes } from '../../../src/probes/process/collector.ts';
import { needs } from '../../support/needs.ts';
import { parseExposition, scrapeNodeExporter } from '../../support/node-exporter.ts';
import { collectOnce, config, type Sample } from './written.ts';

/** Ours that it does not have, reviewed: our own, and those of kernels and versions that this machine may not have. */
const OURS_ALONE = [
  /^jdos_/,
  /^node_kernel_hung_tasks(_total)?$/,
  /^node_pressure_irq_stalled_seconds_total$/,
  /^node_netstat_TcpExt_(TCPOFOQueue|TCPRcvQDrop)$/,
  /^node_softnet_(cpu_collision_total|received_rps_total|flow_limit_count_total|backlog_len)$/,
  /^node_disk_ata_\w+$/,
  /^node_softirqs_functions_total$/,
];
/** Theirs that ours lack, reviewed: from netlink and sysfs, some of them in newer versions only. */
const THEIRS_ALONE = [
  /^node_network_receive_nohandler_total$/,
  /^node_network_speed_bytes$/, // they write -1 megabit where it is not known
  /^node_disk_ata_\w+$/, // of ATA disks alone
  /^node_processes_threads_state$/, // only a walk over all threads would tell
  /^node_time_zone_offset_seconds$/, // of its own process
  /^node_filesystem_(mount_info|purgeable_bytes)$/,
  /^node_cpu_(info|flag_info|bug_info|\w+_throttles_total|isolated|online)$/,
];
/** Labels that one has: ours leave out what identifies a machine and its owner, and older versions have no `rotational`. */
const LEFT_OUT = /^(node_dmi_info (product|board|chassis)_(serial|uuid|asset_tag)|node_disk_info rotational)$/;
/** What does not change between two readings of one host. */
const CONSTANT = [
  'node_boot_time_seconds',
  'node_cgroups_enabled',
  'node_disk_device_mapper_info',
  'node_disk_filesystem_info',
  'node_disk_info',
  'node_dmi_info',
  'node_filefd_maximum',
  'node_filesystem_device_error',
  'node_filesystem_files',
  'node_filesystem_readonly',
  'node_filesystem_size_bytes',
  'node_memory_MemTotal_bytes',
  'node_memory_SwapTotal_bytes',
  'node_network_address_assign_type',
  'node_network_carrier',
  'node_network_carrier_changes_total',
  'node_network_carrier_down_changes_total',
  'node_network_carrier_up_changes_total',
  'node_network_device_id',
  'node_network_dormant',
  'node_network_flags',
  'node_network_iface_id',
  'node_network_iface_link',
  'node_network_iface_link_mode',
  'node_network_info',
  'node_network_mtu_bytes',
  'node_network_name_assign_type',
  'node_network_net_dev_group',
  'node_network_protocol_type',
  'node_network_transmit_queue_length',
  'node_network_up',
  'node_nf_conntrack_entries_limit',
  'node_os_info',
  'node_processes_max_processes',
  'node_processes_max_threads',
  'node_time_clocksource_available_info',
  'node_time_clocksource_current_info',
  'node_uname_info',
];
const UDEV = '/run/udev/data/';
/** Collectors of node_exporter with the series of ours, and settings that make both look at the same things. */
const ARGUMENTS = [
  '--collector.disable-defaults',
  ...[
    'arp',
    'bonding',
    'entropy',
    'netstat',
    'schedstat',
    'sockstat',
    'softnet',
    'udp_queues',
    'conntrack',
    'cpu',
    'diskstats',
    'dmi',
    'filefd',
    'filesystem',
    'loadavg',
    'meminfo',
    'netclass',
    'netdev',
    'os',
    'pressure',
    'stat',
  ],
  ...['cgroups', 'interrupts', 'processes', 'stat.softirq', 'textfile', 'time', 'uname', 'vmstat'],
].map((name) => (name.startsWith('--') ? name : `--collector.${name}`));
const SAME_VIEW = [
  String.raw`--collector.diskstats.device-exclude=^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`,
  '--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|mnt|media)($|/)',
  '--collector.netclass.ignored-devices=^lo$',
  '--collector.netdev.device-exclude=^lo$',
];
const SAME_VIEW_OF_OURS = config({
  filesystem: { excludeMounts: ['/dev', '/proc', '/run', '/sys', '/mnt', '/media'] },
  network: { excludeDevices: ['lo'] },
});

/** Other tests mount file systems that hang: only the root file system is touched, and compared. What udev knows is written here. */
class RootOnly extends HostFiles {
  readonly udev: string;

  constructor(udev: string) {
    super('/');
    this.udev = udev;
  }

  override path(hostPath: string): string {
    return hostPath.startsWith(UDEV) ? join(this.udev, hostPath.slice(UDEV.length)) : super.path(hostPath);
  }

  override statfs(mountpoint: string): FileSystemStats {
    if (mountpoint !== '/') throw new Error('not touched');
    return super.statfs(mountpoint);
  }
}

/** An entry of udev's database for each block device of this machine, as it has none itself. */
const udevDatabase = (): Record<string, string> =>
  Object.fromEntries(
    readFileSync('/proc/diskstats', 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line, at) => {
        const [major = '', minor = '', device = ''] = line.trim().split(/\s+/);
        const more = at % 2 === 0 ? FILE_SYSTEM : LOGICAL_VOLUME;
        return [`b${major}:${minor}`, `S:disk/by-id/x\nE:ID_MODEL=MODEL_OF_${device}\n${DISK}${more}G:systemd\n`];
      }),
  );
const DISK =
  'E:ID_PATH=pci-0000:00:02.0\nE:ID_WWN=0x5000\nE:ID_SERIAL=long\nE:ID_SERIAL_SHORT=S1\nE:ID_REVISION=2.5+\n';
const FILE_SYSTEM = 'E:ID_FS_TYPE=ext4\nE:ID_FS_USAGE=filesystem\nE:ID_FS_UUID=1-2\nE:ID_FS_VERSION=1.0\n';
const LOGICAL_VOLUME = 'E:DM_NAME=vg-lv\nE:DM_UUID=LVM-1\nE:DM_VG_NAME=vg\nE:DM_LV_NAME=lv\nE:DM_LV_LAYER=real\n';

/** An empty label is no label (Prometheus' data model). */
const present = (sample: Sample): [string, string][] =>
  Object.entries(sample.labels)
    .filter(([name, value]) => value !== '' && !LEFT_OUT.test(`${sample.metric} ${name}`))
    .sort(([a], [b]) => (a < b ? -1 : 1));

const labelNames = (samples: readonly Sample[], metric: string): string[] =>
  [...new Set(samples.filter((s) => s.metric === metric).flatMap((s) => present(s).map(([name]) => name)))].sort();

const lines = (samples: readonly Sample[], metric: string): string[] =>
  samples
    .filter(({ metric: name, labels }) => name === metric && (labels['mountpoint'] ?? '/') === '/')
    .map((sample) => `${metric} ${JSON.stringify(present(sample))} ${sample.value}`)
    .sort();

const skip = needs('node-exporter');

t.test('a dashboard made for node_exporter finds the same series here', { skip }, async (t) => {
  const udev = t.testdir(udevDatabase());
  const theirs = parseExposition(await scrapeNodeExporter([...ARGUMENTS, ...SAME_VIEW, `--path.udev.data=${udev}`]));
  // The inventory's series are ours alone, and its first look may take longer than one collection waits.
  const collectors: readonly Collector[] = [...kernelCollectors, ...hostCollectors].filter(
    ({ name }) => name !== 'inventory',
  );
  const census: Census = { states: undefined };
  await collectOnce(processes, new HostFiles('/'), SAME_VIEW_OF_OURS, census);
  const ours: Sample[] = [];
  for (const collector of collectors) {
    ours.push(...(await collectOnce(collector, new RootOnly(udev), SAME_VIEW_OF_OURS, census)).samples);
  }
  const types = new Map(collectors.flatMap(({ metrics }) => metrics.map(({ name, type }) => [name, type] as const)));
  const written = [...new Set(ours.map(({ metric }) => metric))];

  t.ok(written.length > 100, `${written.length} metrics are compared`);
  const alone = written.filter((name) => !theirs.types.has(name));
  t.same(
    alone.filter((name) => !OURS_ALONE.some((known) => known.test(name))),
    [],
    'what node_exporter lacks was reviewed',
  );
  for (const name of written.filter((name) => theirs.types.has(name))) {
    t.equal(types.get(name), theirs.types.get(name), `${name} has the same type`);
    t.same(labelNames(ours, name), labelNames(theirs.samples, name), `${name} has the same labels`);
  }
  for (const name of CONSTANT) t.same(lines(ours, name), lines(theirs.samples, name), `${name} has the same samples`);

  const shared = [
    'node_cpu_',
    'node_disk_',
    'node_filesystem_',
    'node_load',
    'node_memory_',
    'node_network_',
    'node_nf_',
    'node_processes_',
    'node_softirqs_',
    'node_interrupts_',
    'node_cgroups_',
    'node_time_',
  ];
  const missing = [...theirs.types.keys()]
    .filter((name) => shared.some((prefix) => name.startsWith(prefix)))
    .filter((name) => !written.includes(name));
  t.same(
    missing.filter((name) => !THEIRS_ALONE.some((known) => known.test(name))),
    [],
    'what we lack of these families was reviewed',
  );
});
