// What watching containers costs: 200 of them, each with two processes, in every cgroup hierarchy of this host; the walk of a
// tree of 50,000 groups; and the whole daemon with 200 pods of the process runtime and 200 containers of Docker, beside what
// cAdvisor says of itself. Needs root. JDOS_BENCH_CONTAINERS and JDOS_BENCH_GROUPS change how many.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCgroupMounts } from '../src/probes/cgroup/layout.ts';
import { walkCgroups } from '../src/probes/cgroup/walk.ts';
import { ProbesConfig } from '../src/probes/config.ts';
import { containers } from '../src/probes/container/collector.ts';
import { placeOf } from '../src/probes/container/place.ts';
import { openFamilyWriter } from '../src/probes/family-writer.ts';
import { HostFiles } from '../src/probes/host-files.ts';
import { measureLive } from './containers-live.ts';

const CONTAINERS = Number(process.env['JDOS_BENCH_CONTAINERS'] ?? 200);
const GROUPS = Number(process.env['JDOS_BENCH_GROUPS'] ?? 50_000);
const COLLECTIONS = 10;
const GROUP = 'jdos-bench';

const layout = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
if (layout === undefined) throw new Error('this host has no cgroups');
const mounts = [...new Set([...layout.v1.values(), ...(layout.unified === undefined ? [] : [layout.unified])])];
const id = (n: number): string => n.toString(16).padStart(64, '0');

function removeTree(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(`${path}/${entry.name}`);
  }
  rmdirSync(path);
}

/** Each in a group of its own, in every hierarchy that takes it. */
function startIn(path: string): ChildProcess {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  for (const mount of mounts) {
    try {
      writeFileSync(`${mount}/${path}/cgroup.procs`, String(child.pid));
    } catch {
      continue; // a cpuset without CPUs takes nobody
    }
  }
  return child;
}

const cpuMs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

const children: ChildProcess[] = [];
try {
  for (let n = 0; n < CONTAINERS; n += 1) {
    const path = `${GROUP}/${id(n)}`;
    for (const mount of mounts) mkdirSync(`${mount}/${path}`, { recursive: true });
    children.push(startIn(path), startIn(path));
  }
  const collecting = containers.open({ host: new HostFiles('/'), config: ProbesConfig.parse({}), saved: undefined });
  const out = openFamilyWriter(containers.metrics);
  const rows: { cpu: number; wall: number; series: number; bytes: number }[] = [];
  for (let round = 0; round < COLLECTIONS; round += 1) {
    const [cpu, began] = [process.cpuUsage(), performance.now()];
    out.begin(Infinity);
    await collecting.collect(out);
    const { families, series } = out.finish();
    const bytes = families.reduce((sum, { text }) => sum + text.length, 0);
    rows.push({ cpu: cpuMs(cpu), wall: performance.now() - began, series, bytes });
    await sleep(50);
  }
  const [first] = rows;
  const later = rows.slice(1);
  console.log(`cgroups ${layout.mode}, ${CONTAINERS} containers with two processes each`);
  console.log(`first collection   ${first?.cpu.toFixed(0)} ms CPU`);
  console.log(
    `each later one     ${median(later.map(({ cpu }) => cpu)).toFixed(0)} ms CPU, ${median(later.map(({ wall }) => wall)).toFixed(0)} ms`,
  );
  console.log(`series             ${later.at(-1)?.series}, ${((later.at(-1)?.bytes ?? 0) / 1e6).toFixed(1)} MB`);
  console.log(`state              ${(JSON.stringify(collecting.save?.() ?? null).length / 1e3).toFixed(0)} kB`);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await sleep(500);
  for (const mount of mounts) removeTree(`${mount}/${GROUP}`);
}

// Empty groups of the hierarchy in which they cost least.
const tree = layout.unified ?? layout.tree;
try {
  mkdirSync(`${tree}/${GROUP}.slice`);
  for (let n = 0; n < GROUPS; n += 1) {
    if (n % 500 === 0) mkdirSync(`${tree}/${GROUP}.slice/${n / 500}.slice`);
    mkdirSync(`${tree}/${GROUP}.slice/${Math.floor(n / 500)}.slice/${n}.service`);
  }
  const times: number[] = [];
  let visited = 0;
  for (let round = 0; round < 3; round += 1) {
    const cpu = process.cpuUsage();
    visited = walkCgroups(new HostFiles('/'), { tree }, ({ path }) => placeOf(path)?.kind !== 'container').visited;
    times.push(cpuMs(cpu));
  }
  console.log(`walk of ${visited} groups  ${median(times).toFixed(0)} ms CPU`);
} finally {
  removeTree(`${tree}/${GROUP}.slice`);
}

await measureLive(CONTAINERS);
// deploy/kubernetes/base/daemonset.yaml and metrics/testdata/prometheus_metrics of google/cadvisor at 6a0c4f25.
console.log(
  'cAdvisor, by its own account: 400 millicores and 400 MiB requested (6,000 ms CPU per 15 s), at most 800 and 2,000; about 287 series per container with every metric on',
);
