// Writes the series of containers: those of the table of families, and those of devices, interfaces and events.
import type { DeviceIo } from '../cgroup/io.ts';
import type { Metric, SampleWriter } from '../collector.ts';
import { openSeries, type Series } from '../series.ts';
import { SCALARS } from './families.ts';
import { KUBELET_LABELS, LABELS } from './family.ts';
import { killsOf, OOM_EVENTS } from './memory-families.ts';
import { STATISTICS } from './network.ts';
import { ROOT, type LastSample, type Tracked } from './table.ts';

interface About {
  readonly source: string;
  readonly unit?: string;
  readonly help: string;
  /** Those after {@link LABELS}. */
  readonly more?: readonly string[];
}

const labelled = (type: Metric['type'], name: string, { more = [], ...about }: About): Metric => ({
  name,
  type,
  ...about,
  labels: [...LABELS, ...more],
});

const LAST_SEEN = labelled('gauge', 'container_last_seen', {
  source: '/proc/stat btime, /proc/uptime',
  unit: 'Unix seconds',
  help: 'Last time the container was seen, in Unix seconds.',
});
const CPU_USAGE = labelled('counter', 'container_cpu_usage_seconds_total', {
  source: 'cpu.stat usage_usec; v1 cpuacct.usage',
  help: 'Cumulative CPU time consumed.',
  more: ['cpu'],
});
const FAILURES = labelled('counter', 'container_memory_failures_total', {
  source: 'memory.stat pgfault, pgmajfault; v1 also total_pgfault, total_pgmajfault',
  unit: 'faults',
  help: 'Page faults, of the container alone and with the groups below it.',
  more: ['failure_type', 'scope'],
});
const EVENTS = labelled('counter', 'jdos_container_memory_events_total', {
  source: 'memory.events low, oom, oom_group_kill',
  help: 'Events of memory.events that cAdvisor has no name for: low, oom, oom_group_kill.',
  more: ['event'],
});
const ULIMITS = labelled('gauge', 'container_ulimits_soft', {
  source: '/proc/PID/limits Max open files',
  unit: 'descriptors',
  help: 'Soft limits of the first process.',
  more: ['ulimit'],
});
const BLKIO = labelled('counter', 'container_blkio_device_usage_total', {
  source: 'io.stat rbytes, wbytes; v1 blkio.throttle.io_service_bytes',
  unit: 'bytes',
  help: 'Bytes read and written, by device and operation.',
  more: ['device', 'major', 'minor', 'operation'],
});
const INFO = labelled('gauge', 'jdos_container_info', {
  source: 'the path of the cgroup',
  help: 'Whose container it is, constant 1; an empty label is not known.',
  more: ['runtime', 'container_id', 'pod_uid'],
});
const DESCENDANTS = labelled('gauge', 'jdos_cgroup_descendants', {
  source: 'cgroup.stat nr_descendants',
  unit: 'cgroups',
  help: 'Groups below a slice.',
});
const DYING = labelled('gauge', 'jdos_cgroup_dying_descendants', {
  source: 'cgroup.stat nr_dying_descendants',
  unit: 'cgroups',
  help: 'Groups below a slice that were removed and that something in memory still refers to.',
});

const MICRO = 1e6;
const DEVICE: readonly (readonly [Metric, keyof DeviceIo, number])[] = [
  [fs('reads_bytes_total', 'rbytes; v1 blkio.throttle.io_service_bytes', 'Bytes read.'), 'readBytes', 1],
  [fs('reads_total', 'rios; v1 blkio.throttle.io_serviced', 'Reads completed.'), 'reads', 1],
  [fs('writes_bytes_total', 'wbytes; v1 blkio.throttle.io_service_bytes', 'Bytes written.'), 'writtenBytes', 1],
  [fs('writes_total', 'wios; v1 blkio.throttle.io_serviced', 'Writes completed.'), 'writes', 1],
  [
    fs('io_cost_usage_seconds_total', 'cost.usage', 'Device time used, by the cost model (blk-iocost).'),
    'costUsage',
    MICRO,
  ],
  [fs('io_cost_wait_seconds_total', 'cost.wait', 'Time waited for the cost model.'), 'costWait', MICRO],
  [fs('io_cost_indebt_seconds_total', 'cost.indebt', 'Time in debt with the cost model.'), 'costIndebt', MICRO],
  [fs('io_cost_indelay_seconds_total', 'cost.indelay', 'Time delayed by debt.'), 'costIndelay', MICRO],
];

function fs(name: string, field: string, help: string): Metric {
  return labelled('counter', `container_fs_${name}`, { source: `io.stat ${field}`, help, more: ['device'] });
}

const KINDS: Readonly<Record<string, string>> = { errs: 'errors', drop: 'packets_dropped' };
/** In the order of {@link STATISTICS}. */
const NETWORK: readonly Metric[] = STATISTICS.map((statistic) => {
  const [direction = '', kind = ''] = statistic.split('_');
  const name = `container_network_${direction}_${KINDS[kind] ?? kind}_total`;
  const help = `${direction === 'receive' ? 'Received' : 'Transmitted'}: ${(KINDS[kind] ?? kind).replace('_', ' ')}.`;
  const unit = kind === 'drop' ? 'packets' : kind === 'errs' ? 'errors' : kind;
  return labelled('counter', name, {
    source: `/proc/PID/net/dev ${direction} ${kind}`,
    unit,
    help,
    more: ['interface'],
  });
});

export const GROUP_METRICS: readonly Metric[] = [
  LAST_SEEN,
  CPU_USAGE,
  ...SCALARS.map(({ metric }) => metric),
  FAILURES,
  EVENTS,
  ULIMITS,
  ...DEVICE.map(([metric]) => metric),
  BLKIO,
  ...NETWORK,
  INFO,
  DESCENDANTS,
  DYING,
];

/** Called with each sample of a group; `key` tells apart those of one metric, `more` are the labels after {@link LABELS}. */
type Emit = (metric: Metric, value: number | undefined, key?: string, ...more: readonly string[]) => void;

interface Surroundings {
  /** Unix seconds. */
  readonly now: number;
  /** `/dev/sda` for `8:0`. */
  readonly deviceName: (device: string) => string;
}

function emitAll(tracked: Tracked, { now, deviceName }: Surroundings, emit: Emit): void {
  const { reading, place, members } = tracked;
  emit(LAST_SEEN, now);
  emit(CPU_USAGE, reading.cpu?.usage, 'total', 'total');
  for (const { metric, of } of SCALARS) emit(metric, of(tracked));
  const stat = reading.memoryStat;
  emit(FAILURES, stat?.ownFaults, 'pc', 'pgfault', 'container');
  emit(FAILURES, stat?.faults, 'ph', 'pgfault', 'hierarchy');
  emit(FAILURES, stat?.ownMajorFaults, 'mc', 'pgmajfault', 'container');
  emit(FAILURES, stat?.majorFaults, 'mh', 'pgmajfault', 'hierarchy');
  const events = reading.memory?.events;
  emit(EVENTS, events?.low, 'low', 'low');
  emit(EVENTS, events?.oom, 'oom', 'oom');
  emit(EVENTS, events?.oomGroupKill, 'oom_group_kill', 'oom_group_kill');
  if (members.filesLimit !== Infinity) emit(ULIMITS, members.filesLimit, '', 'max_open_files');
  for (const [device, io] of reading.io ?? []) emitDevice(device, deviceName(device), io, emit);
  for (const [name, values] of reading.network ?? []) {
    for (let i = 0; i < values.length; i += 1) {
      const metric = NETWORK[i];
      if (metric !== undefined) emit(metric, values[i], name, name);
    }
  }
  emit(DESCENDANTS, reading.descendants);
  emit(DYING, reading.dying);
  if (place.kind === 'container') {
    emit(INFO, 1, '', place.runtime, place.containerId ?? '', place.podUid ?? '');
  } else if (place.kind === 'pod') emit(INFO, 1, '', '', '', place.podUid);
}

function emitDevice(device: string, name: string, io: DeviceIo, emit: Emit): void {
  for (const [metric, field, divisor] of DEVICE) {
    const value = io[field];
    if (value !== undefined) emit(metric, value / divisor, device, name);
  }
  const [major = '', minor = ''] = device.split(':');
  emit(BLKIO, io.readBytes, `${device} r`, name, major, minor, 'Read');
  emit(BLKIO, io.writtenBytes, `${device} w`, name, major, minor, 'Write');
}

/** The series of a group by metric and key, as long as its labels stay the same. */
export interface SeriesOf {
  readonly labels: readonly string[];
  readonly series: Map<Metric, Map<string, Series>>;
}

/** The values of {@link LABELS}. */
export const labelsOf = ({ identity, path }: Pick<Tracked, 'identity' | 'path'>): readonly string[] => {
  const { container, namespace, pod, image, name } = identity;
  return [container, namespace, pod, path, image, name];
};

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.every((value, i) => value === b[i]);

/** Writes what the last reading of a group gave; returns how many series. */
export function writeGroup(out: SampleWriter, tracked: Tracked, around: Surroundings): number {
  const labels = labelsOf(tracked);
  if (tracked.series === undefined || !isSame(tracked.series.labels, labels)) {
    tracked.series = { labels, series: new Map() };
  }
  const { series } = tracked.series;
  let count = 0;
  emitAll(tracked, around, (metric, value, key = '', ...more) => {
    if (value === undefined) return;
    let byKey = series.get(metric);
    if (byKey === undefined) series.set(metric, (byKey = new Map()));
    let one = byKey.get(key);
    if (one === undefined) byKey.set(key, (one = openSeries(metric, ...labels, ...more)));
    out.set(one, value);
    count += 1;
  });
  return count;
}

/** The counters of a group as they were read last. */
export function lastSamples(tracked: Tracked, around: Surroundings): readonly LastSample[] {
  if (tracked.path === ROOT) return [];
  const labels = labelsOf(tracked);
  const samples: LastSample[] = [];
  emitAll(tracked, around, (metric, value, _key, ...more) => {
    if (value === undefined || metric.type !== 'counter') return;
    samples.push({ metric: metric.name, labels: [...labels, ...more], value });
  });
  return samples;
}

/** The kills for want of memory, where there are any: what must not be lost when the group ends unseen. */
export function oomSamples(tracked: Tracked): readonly LastSample[] {
  const kills = killsOf(tracked) ?? 0;
  return kills === 0 ? [] : [{ metric: OOM_EVENTS, labels: labelsOf(tracked), value: kills }];
}

/** Whether a sample that was saved can still be written: it may be of another version. */
export const isKnown = ({ metric, labels }: LastSample): boolean =>
  GROUP_METRICS.some(({ name, labels: names = [] }) => name === metric && names.length === labels.length);

/** `{container="…",namespace="…",pod="…",` of each line: what the kubelet has and cAdvisor by itself has not. */
const KUBELET_ONLY = new RegExp(
  `\\{${LABELS.slice(0, KUBELET_LABELS)
    .map((label) => `${label}="(?:[^"\\\\\\n]|\\\\.)*",`)
    .join('')}`,
  'g',
);

/** The lines of a family with cAdvisor's labels instead of the kubelet's. */
export const withoutKubeletLabels = (text: string): string => text.replace(KUBELET_ONLY, '{');
