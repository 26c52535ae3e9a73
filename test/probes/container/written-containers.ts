// Opens the collector of containers on a host and collects; writes small cgroup v2 hosts for that.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import type { KnownContainers, NameSources } from '../../../src/probes/collector.ts';
import { ProbesConfig } from '../../../src/probes/config.ts';
import { containers } from '../../../src/probes/container/collector.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { seriesText, type MetricSample } from '../../../src/probes/sample-text.ts';
import { statText } from '../process/written-host.ts';
import { parseSamples } from '../../support/samples.ts';

export interface Collected {
  /** In the exposition format, without help. */
  readonly text: string;
  readonly series: number;
  /** The values of a metric, by the labels that are not empty: `{id="/docker/…"}`. */
  of(metric: string, labels?: Readonly<Record<string, string>>): readonly number[];
  readonly samples: Readonly<Record<string, readonly MetricSample[]>>;
}

export interface OpenContainers {
  collect(): Promise<Collected>;
  save(): unknown;
}

interface Options {
  readonly sources?: NameSources;
  readonly known?: KnownContainers;
  readonly saved?: unknown;
  readonly max?: number;
  readonly host?: HostFiles;
}

/** A host whose clock can be set forward: seconds to add to its uptime. */
export class LaterHost extends HostFiles {
  later = 0;

  override text(path: string, limit?: number): string {
    const text = super.text(path, limit);
    return path === '/proc/uptime' ? `${Number.parseFloat(text) + this.later} 1.00\n` : text;
  }
}

export function openContainers(
  root: string,
  { sources, known, saved, max = 500, host = new HostFiles(root) }: Options = {},
): OpenContainers {
  const config = ProbesConfig.parse({ containers: { max } });
  const collecting = containers.open({ host, config, sources, known, saved });
  const out = openFamilyWriter(containers.metrics);
  return {
    async collect() {
      out.begin(Infinity);
      await collecting.collect(out);
      const { families, series, duplicates } = out.finish();
      if (duplicates.length > 0) throw new Error(`written twice: ${duplicates.join(' ')}`);
      const written = new Map(families.map(({ name, text }) => [name, parseSamples(text.toString('utf8'))]));
      const samples = Object.fromEntries(containers.metrics.map(({ name }) => [name, written.get(name) ?? []]));
      return {
        text: families.map(({ text }) => text.toString('utf8')).join(''),
        series,
        samples,
        of: (metric, wanted = {}) =>
          (samples[metric] ?? [])
            .filter(({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value))
            .map(({ value }) => value),
      };
    },
    save: () => JSON.parse(JSON.stringify(collecting.save?.() ?? null)) as unknown,
  };
}

/** Samples without labels that are empty. */
export const sampleLines = (samples: readonly MetricSample[], metric: string): readonly string[] =>
  samples.map(({ labels, value }) => {
    const shown = Object.entries(labels).filter(([, text]) => text !== '');
    return `${seriesText(
      metric,
      shown.map(([name]) => name),
      shown.map(([, text]) => text),
    )} ${value}`;
  });

interface WrittenGroup {
  /** Unless said: one of which nothing but the number can be seen. */
  readonly pids?: readonly number[];
  readonly files?: Readonly<Record<string, string>>;
}

interface WrittenTree {
  readonly uptime?: number;
  readonly bootId?: string;
  /** By path. */
  readonly groups: Readonly<Record<string, WrittenGroup>>;
  /** By pid: the network namespace, the start in ticks, the open files. */
  readonly processes?: Readonly<Record<number, WrittenProcess>>;
}

interface WrittenProcess {
  readonly netns?: number;
  readonly start?: number;
  readonly fds?: number;
  readonly comm?: string;
  /** What `net/stat/nf_conntrack` says; unless given the kernel tracks no connections. */
  readonly conntrack?: string;
}

const UNSEEN = 4_000_000;
export const HOST_NETNS = 4026531840;
const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       7       7    0    0    0     0          0         0        7       7    0    0    0     0       0          0
`;

/** The root of a v2 host; {@link writeTree} changes it. */
export function emptyTree(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'jdos-tree-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** Makes the host be this one; groups that are no longer in it are removed. */
export function writeTree(root: string, { uptime = 1000, bootId, groups, processes = {} }: WrittenTree): void {
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  rmSync(join(root, 'proc'), { recursive: true, force: true });
  write('proc/uptime', `${uptime}.00 1.00\n`);
  write('proc/stat', 'cpu  1 2 3 4\ncpu0 1 2 3 4\nbtime 1700000000\n');
  write('proc/meminfo', 'MemTotal:  1000 kB\nMemFree:  400 kB\nInactive(file):  100 kB\nSwapTotal:  0 kB\n');
  write('proc/sys/kernel/random/boot_id', `${bootId ?? '0c1d2e3f-4a5b-4c6d-8e7f-901234567890'}\n`);
  write('proc/1/mountinfo', '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n');
  const all: Readonly<Record<number, WrittenProcess>> = { 1: { start: 1 }, ...processes };
  for (const [pid, { netns = HOST_NETNS, start = 100, fds = 3, comm = 'app', conntrack }] of Object.entries(all)) {
    write(`proc/${pid}/stat`, statText({ pid: Number(pid), start, comm }));
    write(`proc/${pid}/limits`, 'Limit  Soft\nMax open files            1024  4096  files\n');
    write(
      `proc/${pid}/net/dev`,
      `${NET_DEV}  eth0: ${netns % 1000} 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n  veth1: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n`,
    );
    if (conntrack !== undefined) write(`proc/${pid}/net/stat/nf_conntrack`, conntrack);
    mkdirSync(join(root, `proc/${pid}/ns`), { recursive: true });
    symlinkSync(`net:[${netns}]`, join(root, `proc/${pid}/ns/net`));
    for (let fd = 0; fd < fds; fd += 1) write(`proc/${pid}/fd/${fd}`, '');
  }
  write('sys/fs/cgroup/cgroup.controllers', 'cpu io memory pids\n');
  write('sys/fs/cgroup/cgroup.procs', '1\n');
  for (const [path, { pids = [UNSEEN], files = {} }] of Object.entries(groups)) {
    write(`sys/fs/cgroup${path}/cgroup.procs`, pids.map((pid) => `${pid}\n`).join(''));
    for (const [file, content] of Object.entries(files)) write(`sys/fs/cgroup${path}/${file}`, content);
  }
}

export const removeGroup = (root: string, path: string): void =>
  rmSync(join(root, 'sys/fs/cgroup', path), { recursive: true });

/** 64 hexadecimal digits. */
export const containerId = (digit: string): string => digit.repeat(64).slice(0, 64);
