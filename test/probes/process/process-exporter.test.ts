// The same live host seen by process-exporter and by us: what both can see agrees.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { needs } from '../../support/needs.ts';
import { exposition, openCollector } from './written-host.ts';

const EXPORTER = '/usr/bin/prometheus-process-exporter';
const missing = needs('process-exporter');

interface Helper {
  readonly comm: string;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly count: number;
  /** Pipes opened beside stdin, stdout and stderr. */
  readonly pipes: number;
}

const HELPERS: readonly Helper[] = [
  { comm: 'jdos-nap', program: '/bin/sleep', arguments: ['300'], count: 3, pipes: 4 },
  { comm: 'jdos (odd) nap', program: '/bin/sleep', arguments: ['300'], count: 1, pipes: 0 },
  // A program of several threads: process-exporter itself, which waits for scrapes that never come.
  {
    comm: 'jdos-threads',
    program: EXPORTER,
    arguments: ['-procnames=x', '-web.listen-address=127.0.0.1:0'],
    count: 1,
    pipes: 2,
  },
];

/** Names of programs in `dir` that run another: the kernel takes the comm from the name they were started by. */
async function startHelpers(t: Test, dir: string): Promise<void> {
  for (const helper of HELPERS) {
    const path = join(dir, helper.comm);
    symlinkSync(helper.program, path);
    for (let i = 0; i < helper.count; i += 1) {
      const stdio = Array.from({ length: 3 + helper.pipes }, (_, fd) => (fd < 3 ? 'ignore' : 'pipe'));
      const child = spawn(path, helper.arguments, { stdio: stdio as 'pipe'[] });
      t.teardown(() => stop(child));
      await once(child, 'spawn');
      await settled(child.pid ?? 0, helper.comm);
    }
  }
}

/** Until it has its name, and waits. */
async function settled(pid: number, comm: string): Promise<void> {
  let quiet = 0;
  while (quiet < 5) {
    await sleep(20);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    quiet = stat.includes(`(${comm}) S`) ? quiet + 1 : 0;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts process-exporter with a group for each comm; returns how to scrape it. */
async function startExporter(t: Test, dir: string): Promise<() => Promise<string>> {
  const config = join(dir, 'process-exporter.yaml');
  await writeFile(config, `process_names:\n  - name: '{{.Comm}}'\n    cmdline: ['.+']\n`);
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(EXPORTER, [`-config.path=${config}`, `-web.listen-address=${address}`], { stdio: 'ignore' });
  t.teardown(() => stop(child));
  const scrape = async (): Promise<string> => (await fetch(`http://${address}/metrics`)).text();
  for (;;) {
    try {
      await scrape();
      return scrape;
    } catch {
      if (child.exitCode !== null) throw new Error('process-exporter did not start');
      await sleep(50);
    }
  }
}

interface Family {
  readonly type: string;
  /** By label names and values in the order of their names. */
  readonly samples: Map<string, number>;
  readonly labels: Set<string>;
}

const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** The `namedprocess_*` families of a text exposition. */
function parse(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  for (const line of text.split('\n')) {
    const [, named, type = ''] = /^# TYPE (namedprocess_\w+) (\w+)$/.exec(line) ?? [];
    if (named !== undefined) families.set(named, { type, samples: new Map(), labels: new Set() });
    const [, name = '', labels = '', value = ''] = /^(\w+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    const family = families.get(name);
    const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => `${label}=${text}`).sort();
    family?.samples.set(pairs.join(' '), Number(value));
    family?.labels.add(pairs.map((pair) => pair.replace(/^groupname=.*/, 'groupname')).join(' '));
  }
  return families;
}

const FAMILIES_OF_THREADS = /_thread_|_threads_wchan$/;

t.test('process-exporter and we tell the same of the same host', { skip: missing }, async (t) => {
  const dir = t.testdir();
  await startHelpers(t, dir);
  const probe = openCollector(new HostFiles('/'), {
    processes: { smapsSeconds: 1, containerLabels: false, maxGroups: 10_000 },
  });
  const scrape = await startExporter(t, dir);
  // Proportional memory is sampled, a few processes at a time.
  for (let i = 0; i < 12; i += 1) {
    probe.collect();
    await sleep(100);
  }
  const theirs = parse(await scrape());
  const ours = parse(exposition(probe.collect()));

  t.test('every name, type and label but those of threads is there', async (t) => {
    t.ok(theirs.size > 15, `${theirs.size} families`);
    for (const [name, family] of theirs) {
      if (FAMILIES_OF_THREADS.test(name)) continue;
      t.equal(ours.get(name)?.type, family.type, `${name} is a ${family.type}`);
      for (const labels of family.labels) t.ok(ours.get(name)?.labels.has(labels), `${name} has {${labels}}`);
    }
  });

  t.test('groups that rest have the same values', async (t) => {
    const value = (from: Map<string, Family>, metric: string, labels: string): number =>
      from.get(`namedprocess_namegroup_${metric}`)?.samples.get(labels) ?? NaN;
    const near = (metric: string, labels: string, ratio: number): void => {
      const [our, their] = [value(ours, metric, labels), value(theirs, metric, labels)];
      t.ok(Math.abs(our - their) <= ratio * their, `${metric} {${labels}}: ours ${our}, theirs ${their}`);
    };
    for (const { comm, count } of HELPERS) {
      const group = `groupname=${comm}`;
      t.equal(value(ours, 'num_procs', group), count);
      for (const metric of ['num_procs', 'num_threads', 'open_filedesc', 'worst_fd_ratio']) near(metric, group, 1e-9);
      near('oldest_start_time_seconds', group, 1e-9);
      for (const memtype of ['resident', 'virtual', 'swapped'])
        near('memory_bytes', `${group} memtype=${memtype}`, 0.1);
      // It changes with whoever starts or ends a program that shares pages: only its bounds are sure.
      const share = value(ours, 'memory_bytes', `${group} memtype=proportionalResident`);
      t.ok(share > 0 && share <= value(ours, 'memory_bytes', `${group} memtype=virtual`), `${group} shares ${share}`);
      near('memory_bytes', `${group} memtype=proportionalSwapped`, 0);
      if (comm === 'jdos-threads') continue; // process-exporter adds the states of its threads
      for (const state of ['Running', 'Sleeping', 'Waiting', 'Zombie', 'Other'])
        near('states', `${group} state=${state}`, 0);
    }
  });

  t.test('neither counts kernel threads to a group', async (t) => {
    const groups = (from: Map<string, Family>) => from.get('namedprocess_namegroup_num_procs')?.samples;
    t.equal(groups(theirs)?.get('groupname=kthreadd'), undefined);
    t.equal(groups(ours)?.get('groupname=kthreadd'), undefined);
  });
});
