// Reads, writes, discards and flushes of each block device, from /proc/diskstats.
import { stateless, type Collector, type Metric } from '../collector.ts';
import { isIgnoredDisk } from './disk-names.ts';
import { allUnsigned, eachLine, unexpected, words } from './text.ts';

const SECTOR = 512; // the unit of /proc/diskstats, whatever the device's own sector is
const MILLISECOND = 1e-3;

/** The columns of Documentation/admin-guide/iostats.rst in their order: 11, since Linux 4.18 15, since 5.5 17. */
const COLUMNS = [
  ['reads_completed_total', 1, 'The total number of reads completed successfully.'],
  ['reads_merged_total', 1, 'The total number of reads merged.'],
  ['read_bytes_total', SECTOR, 'The total number of bytes read successfully.'],
  ['read_time_seconds_total', MILLISECOND, 'The total number of seconds spent by all reads.'],
  ['writes_completed_total', 1, 'The total number of writes completed successfully.'],
  ['writes_merged_total', 1, 'The number of writes merged.'],
  ['written_bytes_total', SECTOR, 'The total number of bytes written successfully.'],
  ['write_time_seconds_total', MILLISECOND, 'This is the total number of seconds spent by all writes.'],
  ['io_now', 1, 'The number of I/Os currently in progress.'],
  ['io_time_seconds_total', MILLISECOND, 'Total seconds spent doing I/Os.'],
  ['io_time_weighted_seconds_total', MILLISECOND, 'The weighted # of seconds spent doing I/Os.'],
  ['discards_completed_total', 1, 'The total number of discards completed successfully.'],
  ['discards_merged_total', 1, 'The total number of discards merged.'],
  ['discarded_sectors_total', 1, 'The total number of sectors discarded successfully.'],
  ['discard_time_seconds_total', MILLISECOND, 'This is the total number of seconds spent by all discards.'],
  ['flush_requests_total', 1, 'The total number of flush requests completed successfully'],
  [
    'flush_requests_time_seconds_total',
    MILLISECOND,
    'This is the total number of seconds spent by all flush requests.',
  ],
] as const;
/** What those count of which the name ends in something else. */
const COUNTED: Readonly<Record<string, string>> = {
  reads_completed_total: 'reads',
  reads_merged_total: 'reads',
  writes_completed_total: 'writes',
  writes_merged_total: 'writes',
  io_now: 'I/Os',
  discards_completed_total: 'discards',
  discards_merged_total: 'discards',
};
const FEWEST = 11;
/** Partitions of Linux before 2.6.25 had four columns of another meaning. */
const OLD_PARTITION = 4;

export interface Disk {
  readonly major: string;
  readonly minor: string;
  /** As in the file: counts, sectors of 512 bytes, milliseconds. */
  readonly columns: readonly number[];
}

/** Parses /proc/diskstats to the devices `wanted`, by name; columns it does not know come along and are not used. */
export function parseDiskstats(text: string, wanted: (device: string) => boolean): Map<string, Disk> {
  const disks = new Map<string, Disk>();
  eachLine(text, (line) => {
    const [major, minor, device, ...rest] = words(line);
    if (major === undefined || minor === undefined || device === undefined) throw unexpected('/proc/diskstats', line);
    if (rest.length === OLD_PARTITION || !wanted(device)) return;
    const columns = allUnsigned('/proc/diskstats', line, rest);
    allUnsigned('/proc/diskstats', line, [major, minor]);
    if (columns.length < FEWEST) throw unexpected('/proc/diskstats', line);
    disks.set(device, { major, minor, columns });
  });
  return disks;
}

const METRICS = COLUMNS.map(([name, factor, help], column) => ({
  factor,
  metric: {
    name: `node_disk_${name}`,
    help,
    type: name === 'io_now' ? 'gauge' : 'counter',
    source: `/proc/diskstats field ${column + 1} (iostats.rst)`,
    unit: COUNTED[name],
    labels: ['device'],
  } satisfies Metric,
}));

export const diskstats: Collector = {
  name: 'diskstats',
  view: 'node',
  periodSeconds: 15,
  metrics: METRICS.map(({ metric }) => metric),
  open: stateless((host, out, config) => {
    const wanted = (device: string): boolean => !isIgnoredDisk(device, config.disk.excludeDevices);
    for (const [device, { columns }] of parseDiskstats(host.text('/proc/diskstats'), wanted)) {
      for (const [column, { metric, factor }] of METRICS.entries()) {
        const value = columns[column];
        if (value !== undefined) out.add(metric.name, value * factor, device);
      }
    }
  }),
};
