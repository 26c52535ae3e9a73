// The `probes` slice of the configuration.
import { z } from '../base/schema.ts';
import { HistoryConfig } from './history/config.ts';
import { KmsgConfig } from './kmsg/config.ts';
import { pattern, ProcessNames } from './process/names-config.ts';

export { NpdFile } from './kmsg/config.ts';
export { ProcessNamesFile } from './process/names-config.ts';

const MIB = 1024 * 1024;
const directory = z.string().startsWith('/');

export const ProbesConfig = z.strictObject({
  periodSeconds: z.number().min(1).max(3600).default(15),
  deadlineSeconds: z.number().min(0.1).max(60).default(2),
  disable: z.array(z.string()).default([]),
  enable: z.array(z.string()).default([]),
  maxSeries: z.number().int().min(100).max(1_000_000).default(50_000),
  maxLabelLength: z.number().int().min(64).max(4096).default(512),
  budget: z
    .strictObject({
      cpuRatio: z.number().min(0.001).max(64).default(0.05),
      maxRssBytes: z
        .number()
        .int()
        .min(128 * MIB)
        .default(512 * MIB),
    })
    .prefault({}),
  processes: z
    .strictObject({
      groupBy: z.enum(['comm', 'exe']).default('comm'),
      maxGroups: z.number().int().min(10).max(100_000).default(1000),
      smapsSeconds: z.number().min(0).max(86_400).default(60),
      names: ProcessNames.optional(),
      namesFile: z.string().startsWith('/').optional(),
      children: z.boolean().default(true),
      containerLabels: z.boolean().default(true),
      threads: z.array(pattern).max(100).default([]),
    })
    .prefault({}),
  containers: z.strictObject({ max: z.number().int().min(1).max(10_000).default(500) }).prefault({}),
  filesystem: z
    .strictObject({
      excludeTypes: z
        .array(z.string())
        .default([
          'autofs',
          'binfmt_misc',
          'bpf',
          'cgroup',
          'cgroup2',
          'configfs',
          'debugfs',
          'devpts',
          'devtmpfs',
          'fusectl',
          'hugetlbfs',
          'iso9660',
          'mqueue',
          'nsfs',
          'overlay',
          'proc',
          'procfs',
          'pstore',
          'rpc_pipefs',
          'securityfs',
          'selinuxfs',
          'squashfs',
          'sysfs',
          'tracefs',
        ]),
      excludeMounts: z
        .array(z.string())
        .default(['/dev', '/proc', '/run/credentials', '/sys', '/var/lib/docker', '/var/lib/containers/storage']),
    })
    .prefault({}),
  network: z.strictObject({ excludeDevices: z.array(z.string()).default([]) }).prefault({}),
  disk: z.strictObject({ excludeDevices: z.array(z.string()).default(['ram', 'loop', 'fd']) }).prefault({}),
  kmsg: KmsgConfig.prefault({}),
  textfile: z.strictObject({ directory: z.union([directory, z.array(directory).max(16)]).default([]) }).prefault({}),
  ovs: z.strictObject({ detail: z.array(pattern).max(100).default([]) }).prefault({}),
  history: HistoryConfig.prefault({}),
});
export type ProbesConfig = z.output<typeof ProbesConfig>;
