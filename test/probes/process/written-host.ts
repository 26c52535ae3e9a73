// Writes a small /proc for tests, and prints what a collector makes of it. The formats are those of proc(5).
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KnownContainers, SampleWriter } from '../../../src/probes/collector.ts';
import { ProbesConfig } from '../../../src/probes/config.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { processCollectors } from '../../../src/probes/process/index.ts';

export interface WrittenProcess {
  readonly pid: number;
  readonly comm?: string | Buffer;
  readonly state?: string;
  readonly ppid?: number;
  readonly kernel?: boolean;
  readonly minorFaults?: number;
  readonly majorFaults?: number;
  /** Clock ticks. */
  readonly user?: number;
  readonly system?: number;
  /** Clock ticks of the children that it waited for. */
  readonly reaped?: number;
  readonly threads?: number;
  /** Clock ticks since boot. */
  readonly start?: number;
  readonly virtualBytes?: number;
  readonly residentPages?: number;
  readonly uid?: number;
  readonly swappedKilobytes?: number;
  readonly voluntary?: number;
  readonly nonvoluntary?: number;
  readonly readBytes?: number;
  readonly writeBytes?: number;
  readonly fds?: number;
  readonly fdLimit?: number | 'unlimited';
  readonly pssKilobytes?: number;
  readonly swapPssKilobytes?: number;
  readonly cmdline?: string;
  readonly cgroup?: string;
  readonly wchan?: string;
  readonly exe?: string;
  /** Its threads, by their ids; there are none unless given. */
  readonly tasks?: readonly WrittenProcess[];
  /** Files that are not there, as when the process ends while it is read. */
  readonly without?: readonly string[];
}

export interface WrittenHost {
  /** Seconds. */
  readonly uptime: number;
  readonly bootTime?: number;
  readonly bootId?: string;
  /** Which cgroup hierarchies are mounted; none unless given. */
  readonly mountinfo?: string;
  readonly processes: readonly WrittenProcess[];
}

/** Of cgroup v2 alone, of v1, and of both side by side, where v1 has the controllers. */
export const MOUNTS = {
  v2: '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n',
  v1: '31 23 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n',
  hybrid:
    '31 23 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n' +
    '30 23 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n',
};

export const BOOT_ID = '0c1d2e3f-4a5b-4c6d-8e7f-901234567890';
export const BOOT_TIME = 1_700_000_000;

export function statText(p: WrittenProcess): Buffer {
  const flags = p.kernel === true ? 2129984 : 4194304;
  const before = `) ${p.state ?? 'S'} ${p.ppid ?? 1} 7 7 0 -1 ${flags} ${p.minorFaults ?? 0} 0 ${p.majorFaults ?? 0} 0`;
  const after = `${p.user ?? 0} ${p.system ?? 0} ${p.reaped ?? 0} 0 20 0 ${p.threads ?? 1} 0 ${p.start ?? 0} ${p.virtualBytes ?? 0} ${p.residentPages ?? 0} 18446744073709551615 0 0\n`;
  return Buffer.concat([
    Buffer.from(`${p.pid} (`),
    Buffer.from(p.comm ?? `p${p.pid}`),
    Buffer.from(`${before} ${after}`),
  ]);
}

const statusText = (p: WrittenProcess): string =>
  `Name:\twhoever\nUid:\t${p.uid ?? 0}\t0\t0\t0\nVmSwap:\t${String(p.swappedKilobytes ?? 0).padStart(8)} kB\n` +
  `voluntary_ctxt_switches:\t${p.voluntary ?? 0}\nnonvoluntary_ctxt_switches:\t${p.nonvoluntary ?? 0}\n`;

const ioText = (p: WrittenProcess): string =>
  `rchar: 9\nwchar: 9\nsyscr: 9\nsyscw: 9\nread_bytes: ${p.readBytes ?? 0}\nwrite_bytes: ${p.writeBytes ?? 0}\ncancelled_write_bytes: 9\n`;

const limitsText = (p: WrittenProcess): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \n` +
  `Max open files            ${String(p.fdLimit ?? 1024).padEnd(20)} 4096                 files     \n`;

const smapsText = (p: WrittenProcess): string =>
  `1000-2000 ---p 00000000 00:00 0    [rollup]\nRss: 9 kB\nPss:  ${p.pssKilobytes ?? 0} kB\nPss_Dirty: 9 kB\nSwapPss: ${p.swapPssKilobytes ?? 0} kB\n`;

/** Makes `dir` the root of this host; what was there before is gone. */
export function writeHost(dir: string, host: WrittenHost): void {
  rmSync(join(dir, 'proc'), { recursive: true, force: true });
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  };
  write('proc/uptime', `${host.uptime.toFixed(2)} 1.00\n`);
  write('proc/stat', `cpu  1 2 3\nbtime ${host.bootTime ?? BOOT_TIME}\nprocesses 9\n`);
  write('proc/sys/kernel/random/boot_id', `${host.bootId ?? BOOT_ID}\n`);
  if (host.mountinfo !== undefined) write('proc/1/mountinfo', host.mountinfo);
  for (const p of host.processes) {
    const files: Record<string, string | Buffer> = {
      stat: statText(p),
      status: statusText(p),
      io: ioText(p),
      limits: limitsText(p),
      smaps_rollup: smapsText(p),
      cmdline: p.cmdline ?? '',
      cgroup: p.cgroup ?? '0::/\n',
      wchan: p.wchan ?? '0',
    };
    for (const [name, content] of Object.entries(files)) {
      if (p.without?.includes(name) !== true) write(`proc/${p.pid}/${name}`, content);
    }
    for (const task of p.tasks ?? []) {
      const directory = `proc/${p.pid}/task/${task.pid}`;
      const of = { stat: statText(task), status: statusText(task), io: ioText(task), wchan: task.wchan ?? '0' };
      for (const [name, content] of Object.entries(of)) {
        if (task.without?.includes(name) !== true) write(`${directory}/${name}`, content);
      }
    }
    if (p.exe !== undefined) symlinkSync(p.exe, join(dir, `proc/${p.pid}/exe`));
    if (p.without?.includes('fd') === true) continue;
    mkdirSync(join(dir, `proc/${p.pid}/fd`), { recursive: true });
    for (let fd = 0; fd < (p.fds ?? 0); fd += 1) write(`proc/${p.pid}/fd/${fd}`, '');
  }
}

/** A reader of the host that is refused some files, as an unprivileged one is. */
export class RefusingHostFiles extends HostFiles {
  readonly refused: (hostPath: string) => boolean;

  constructor(root: string, refused: (hostPath: string) => boolean, quarantined: readonly string[] = []) {
    super(root, { begin() {}, end() {} }, quarantined);
    this.refused = refused;
  }

  override bytes(hostPath: string, limit?: number): Buffer {
    this.#check(hostPath);
    return super.bytes(hostPath, limit);
  }

  override piece(hostPath: string): Buffer {
    this.#check(hostPath);
    return super.piece(hostPath);
  }

  override list(hostPath: string): string[] {
    this.#check(hostPath);
    return super.list(hostPath);
  }

  #check(hostPath: string): void {
    if (!this.refused(hostPath)) return;
    throw Object.assign(new Error(`EACCES: permission denied, open '${hostPath}'`), { code: 'EACCES' });
  }
}

/** The samples of one collection, by series: `name{label="value"}`. */
export type Samples = ReadonlyMap<string, number>;

export interface OpenCollector {
  collect(): Samples;
  save(): unknown;
  details(): unknown;
}

export const [collector] = processCollectors;

/** Opens the collector on a host; fails on samples that were not declared or were written twice. */
export function openCollector(
  host: HostFiles,
  {
    processes = {},
    saved,
    known,
  }: { processes?: Record<string, unknown>; saved?: unknown; known?: KnownContainers } = {},
): OpenCollector {
  const config = ProbesConfig.parse({ processes });
  const collecting = collector.open({ host, config, saved, known });
  return {
    collect() {
      const samples = new Map<string, number>();
      void collecting.collect(samplesInto(samples));
      return samples;
    },
    save: () => collecting.save?.(),
    details: () => JSON.parse(JSON.stringify(collecting.details?.() ?? null)) as unknown,
  };
}

const samplesInto = (samples: Map<string, number>): SampleWriter => ({
  add(name, value, ...values) {
    const metric = collector.metrics.find((each) => each.name === name);
    if (metric === undefined) throw new Error(`${name} is not declared`);
    const labels = metric.labels ?? [];
    if (labels.length !== values.length) throw new Error(`${name} got ${values.length} labels`);
    const pairs = labels.flatMap((label, i) =>
      values[i] === undefined ? [] : [`${label}="${escapeLabel(values[i])}"`],
    );
    const series = pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
    if (samples.has(series)) throw new Error(`${series} is written twice`);
    samples.set(series, value);
  },
  set({ metric, labelValues }, value) {
    this.add(metric.name, value, ...labelValues);
  },
  addFamily: ({ name }) => {
    throw new Error(`${name} is not declared`);
  },
});

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** Prometheus' text format, families in the order of their declaration. */
export function exposition(samples: Samples): string {
  return collector.metrics
    .map(({ name, help, type }) => {
      const lines = [...samples].filter(([series]) => series === name || series.startsWith(`${name}{`));
      return lines.length === 0
        ? ''
        : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map(([series, value]) => `${series} ${value}\n`).join('')}`;
    })
    .join('');
}
