// Memory of the host, field by field, from /proc/meminfo.
import { stateless, type Collector } from '../collector.ts';
import { eachLine, unexpected, unsigned, words } from './text.ts';

/** Every field of fs/proc/meminfo.c and of the architectures' own, Linux 3.x to 6.18. A newer kernel's are left out. */
const KILOBYTES = `
  MemTotal MemFree MemAvailable Buffers Cached SwapCached Active Inactive Active(anon) Inactive(anon) Active(file)
  Inactive(file) Unevictable Mlocked HighTotal HighFree LowTotal LowFree MmapCopy SwapTotal SwapFree Zswap Zswapped
  Dirty Writeback AnonPages Mapped Shmem KReclaimable Slab SReclaimable SUnreclaim KernelStack ShadowCallStack
  PageTables SecPageTables Quicklists NFS_Unstable Bounce WritebackTmp CommitLimit Committed_AS VmallocTotal
  VmallocUsed VmallocChunk Percpu EarlyMemtestBad HardwareCorrupted AnonHugePages ShmemHugePages ShmemPmdMapped
  FileHugePages FilePmdMapped CmaTotal CmaFree Unaccepted Balloon GPUActive GPUReclaim Hugepagesize Hugetlb
  DirectMap4k DirectMap64k DirectMap1M DirectMap2M DirectMap4M DirectMap1G DirectMap2G`;
const COUNTS = 'HugePages_Total HugePages_Free HugePages_Rsvd HugePages_Surp';

const fields = (list: string): string[] => list.trim().split(/\s+/);

/** `Active(anon)` is written `Active_anon`. */
const plain = (field: string): string => field.replace('(', '_').replace(')', '');

const BYTES = new Map(fields(KILOBYTES).map((field) => [field, `node_memory_${plain(field)}_bytes`]));
const PLAIN = new Map(fields(COUNTS).map((field) => [field, `node_memory_${plain(field)}`]));

/** Parses /proc/meminfo (Documentation/filesystems/proc.rst) to values by metric name; `kB` means 1024 bytes. */
export function parseMeminfo(text: string): Map<string, number> {
  const values = new Map<string, number>();
  eachLine(text, (line) => {
    const colon = line.indexOf(':');
    const [number, unit, more] = words(line.slice(colon + 1));
    const value = unsigned(number);
    if (colon === -1 || value === undefined || more !== undefined || (unit !== undefined && unit !== 'kB')) {
      throw unexpected('/proc/meminfo', line);
    }
    const metric = (unit === 'kB' ? BYTES : PLAIN).get(line.slice(0, colon));
    if (metric !== undefined) values.set(metric, unit === 'kB' ? value * 1024 : value);
  });
  if (values.size === 0) throw unexpected('/proc/meminfo', text);
  return values;
}

export const meminfo: Collector = {
  name: 'meminfo',
  view: 'node',
  periodSeconds: 15,
  metrics: [...BYTES, ...PLAIN].map(([field, name]) => ({
    name,
    help: `Memory information field ${name.slice('node_memory_'.length)}.`,
    type: 'gauge',
    source: `/proc/meminfo ${field}`,
    unit: PLAIN.has(field) ? 'huge pages' : undefined,
  })),
  open: stateless((host, out) => {
    for (const [metric, value] of parseMeminfo(host.text('/proc/meminfo'))) out.add(metric, value);
  }),
};
