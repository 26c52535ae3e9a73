// Held against the real node_exporter on this machine: same names, same types, same labels, same constants.
import t from 'tap';
import type { Collector } from '../../../src/probes/collector.ts';
import { HostFiles, type FileSystemStats } from '../../../src/probes/host-files.ts';
import { hostCollectors } from '../../../src/probes/host/index.ts';
import { kernelCollectors } from '../../../src/probes/kernel/index.ts';
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
];
/** Theirs that ours lack, reviewed: from netlink, udev and sysfs, some of them in newer versions only. */
const THEIRS_ALONE = [
  /^node_network_receive_nohandler_total$/,
  /^node_network_speed_bytes$/, // they write -1 megabit where it is not known
  /^node_disk_(device_mapper_info|filesystem_info|ata_\w+)$/,
  /^node_filesystem_(mount_info|purgeable_bytes)$/,
  /^node_cpu_(info|flag_info|bug_info|\w+_throttles_total|isolated|online)$/,
];
/** Labels of theirs that we leave out: what identifies one machine and its owner, and what udev says. */
const LEFT_OUT =
  /^(node_dmi_info (product|board|chassis)_(serial|uuid|asset_tag)|node_disk_info (?!device$|major$|minor$)\w+)$/;
/** What does not change between two readings of one host. */
const CONSTANT = [
  'node_boot_time_seconds',
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
  'node_uname_info',
];
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
  ...['textfile', 'time', 'uname', 'vmstat'],
].map((name) => (name.startsWith('--') ? name : `--collector.${name}`));
const SAME_VIEW = [
  '--path.udev.data=/nonexistent',
  String.raw`--collector.diskstats.device-exclude=^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`,
  '--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|mnt|media)($|/)',
  '--collector.netclass.ignored-devices=^lo$',
  '--collector.netdev.device-exclude=^lo$',
];
const SAME_VIEW_OF_OURS = config({
  filesystem: { excludeMounts: ['/dev', '/proc', '/run', '/sys', '/mnt', '/media'] },
  network: { excludeDevices: ['lo'] },
});

/** Other tests mount file systems that hang: only the root file system is touched, and compared. */
class RootOnly extends HostFiles {
  override statfs(mountpoint: string): FileSystemStats {
    if (mountpoint !== '/') throw new Error('not touched');
    return super.statfs(mountpoint);
  }
}

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
  const theirs = parseExposition(await scrapeNodeExporter([...ARGUMENTS, ...SAME_VIEW]));
  // The inventory's series are ours alone, and its first look may take longer than one collection waits.
  const collectors: readonly Collector[] = [...kernelCollectors, ...hostCollectors].filter(
    ({ name }) => name !== 'inventory',
  );
  const ours: Sample[] = [];
  for (const collector of collectors) {
    ours.push(...(await collectOnce(collector, new RootOnly('/'), SAME_VIEW_OF_OURS)).samples);
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
