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

const WORKING = 'jdos-working';

/** Another process-exporter, which works when it is scraped and then rests: a program whose threads are all of one name. */
async function startWorking(t: Test, dir: string): Promise<() => Promise<void>> {
  const path = join(dir, WORKING);
  symlinkSync(EXPORTER, path);
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(path, ['-procnames=jdos-nap', `-web.listen-address=${address}`], { stdio: 'ignore' });
  t.teardown(() => stop(child));
  const rests = async (): Promise<void> => {
    let before = '';
    for (let quiet = 0; quiet < 5;) {
      await sleep(200);
      const now = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  };
  await rests();
  return async () => {
    for (let i = 0; i < 5; i += 1) await (await fetch(`http://${address}/metrics`)).text();
    await rests();
  };
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
    family?.labels.add(pairs.map((pair) => pair.replace(/^(groupname|threadname|wchan)=.*/, '$1')).join(' '));
  }
  return families;
}

t.test('process-exporter and we tell the same of the same host', { skip: missing }, async (t) => {
  const dir = t.testdir();
  await startHelpers(t, dir);
  const probe = openCollector(new HostFiles('/'), {
    processes: { smapsSeconds: 1, containerLabels: false, maxGroups: 10_000, threads: [WORKING, 'jdos-thr.*'] },
  });
  const work = await startWorking(t, dir);
  const scrape = await startExporter(t, dir);
  probe.collect();
  await work();
  // Proportional memory is sampled, a few processes at a time.
  for (let i = 0; i < 12; i += 1) {
    probe.collect();
    await sleep(100);
  }
  const theirs = parse(await scrape());
  const ours = parse(exposition(probe.collect()));

  t.test('every name, type and label is there', async (t) => {
    t.ok(theirs.size > 20, `${theirs.size} families`);
    for (const [name, family] of theirs) {
      t.equal(ours.get(name)?.type, family.type, `${name} is a ${family.type}`);
      for (const labels of family.labels) t.ok(ours.get(name)?.labels.has(labels), `${name} has {${labels}}`);
    }
  });

  const value = (from: Map<string, Family>, metric: string, labels: string): number =>
    from.get(`namedprocess_namegroup_${metric}`)?.samples.get(labels) ?? NaN;

  t.test('threads that worked under the eyes of both have the same values', async (t) => {
    const group = `groupname=${WORKING}`;
    const name = `threadname=${WORKING}`;
    const same = (metric: string, labels: string, ratio = 0): void => {
      const [our, their] = [value(ours, metric, labels), value(theirs, metric, labels)];
      t.ok(Math.abs(our - their) <= ratio * their, `${metric} {${labels}}: ours ${our}, theirs ${their}`);
    };
    same('thread_count', `${group} ${name}`);
    t.ok(value(ours, 'thread_count', `${group} ${name}`) > 1);
    // A thread that rests is asked for its switches now and then; that it worked shows in its CPU time.
    for (const type of ['voluntary', 'nonvoluntary'])
      same('context_switches_total', `ctxswitchtype=${type} ${group}`, 0.1);
    t.ok(value(ours, 'context_switches_total', `ctxswitchtype=voluntary ${group}`) > 20);
    same('minor_page_faults_total', group);
    // To process-exporter a thread that is new has done nothing yet; we count it from its birth.
    for (const [metric, whole, labels] of [
      ['thread_minor_page_faults_total', 'minor_page_faults_total', ''],
      ['thread_context_switches_total', 'context_switches_total', 'ctxswitchtype=voluntary '],
      ['thread_cpu_seconds_total', 'cpu_seconds_total', 'mode=user '],
    ] as const) {
      const sorted = (more: readonly string[]): string =>
        [...labels.trim().split(' '), ...more].sort().join(' ').trim();
      const [our, their] = [ours, theirs].map((from) => value(from, metric, sorted([group, name])));
      const all = value(ours, whole, sorted([group]));
      t.ok((their ?? NaN) <= 1.1 * (our ?? NaN) + 0.02, `${metric}: ours ${our}, theirs ${their}`);
      t.ok(Math.abs((our ?? NaN) - all) <= 0.02 + 0.1 * all, `${metric}: ${our} of ${all}`);
    }
    const waits = (from: Map<string, Family>): number =>
      [...(from.get('namedprocess_namegroup_threads_wchan')?.samples ?? [])].reduce(
        (sum, [labels, count]) => sum + (labels.startsWith(`${group} `) ? count : 0),
        0,
      );
    t.equal(waits(ours), value(ours, 'thread_count', `${group} ${name}`));
    t.equal(waits(theirs), waits(ours) + 1, 'process-exporter counts the main thread twice');
  });

  t.test('groups that rest have the same values', async (t) => {
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
