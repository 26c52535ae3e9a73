// Short-lived processes on a whole daemon and the real kernel: every one is counted, whoever is killed meanwhile.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readLayout } from '../../src/probes/cgroup/layout.ts';
import { HostFiles } from '../../src/probes/host-files.ts';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { mountTracefs, needsTracefs, WITH_TRACEFS } from '../support/tracefs.ts';

const skip = needsTracefs();
const config = 'probes: { periodSeconds: 1, budget: { cpuRatio: 1 } }\n';

/** A program of this test's own name, so that what others run meanwhile does not count. */
function program(t: Test, name: string): string {
  const file = join(privateDirectory(t), name);
  copyFileSync('/bin/true', file);
  return file;
}

const runTimes = (file: string, times: number): unknown =>
  execFileSync('sh', ['-c', 'i=0; while [ $i -lt "$1" ]; do "$0"; i=$((i+1)); done', file, String(times)]);

/** The value of a series that is told by a part of its text; undefined where there is none. */
async function valueOf(daemon: RunningDaemon, metric: string, part: string): Promise<number | undefined> {
  const text = await (await fetch(`${daemon.url()}/metrics/process`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${metric}{`) && one.includes(part));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}

const becomes = (daemon: RunningDaemon, metric: string, part: string, value: number): Promise<unknown> =>
  eventually(`${metric} of ${part} becomes ${value}`, async () => {
    const now = await valueOf(daemon, metric, part);
    if (now === value) return true;
    throw new Error(`it is ${now}`);
  });

const traced = (daemon: RunningDaemon): Promise<unknown> => becomes(daemon, 'jdos_exec_tracing', 'reason=""', 1);

/** The traces of a probe process. */
const instancesOf = (tracefs: string, pid: number | undefined): readonly string[] =>
  readdirSync(join(tracefs, 'instances')).filter((name) => name.startsWith(`jdos-${pid}-`));

const goes = (tracefs: string, pid: number): Promise<unknown> =>
  eventually('the trace is removed', () => (instancesOf(tracefs, pid).length === 0 ? true : undefined));

const started = async (t: Test): Promise<RunningDaemon> => {
  const daemon = startDaemon(t, { config, wrap: WITH_TRACEFS });
  await daemon.until(/listens +http:/);
  await traced(daemon);
  return daemon;
};

t.test(
  '500 programs are 500, also after the probe process was killed, and nothing is left in the end',
  { skip },
  async (t) => {
    const tracefs = mountTracefs(t);
    const daemon = await started(t);
    const file = program(t, 'jdos-brief');
    const comm = 'comm="jdos-brief"';
    runTimes(file, 500);
    await becomes(daemon, 'jdos_process_execs_total', comm, 500);
    await becomes(daemon, 'jdos_process_exits_total', comm, 500);
    const metrics = await (await fetch(`${daemon.url()}/metrics/process`)).text();
    t.match(metrics, /^jdos_exec_events_lost_total 0$/m);

    const { probe: killed = 0 } = await daemon.pids();
    t.equal(instancesOf(tracefs, killed).length, 1);
    process.kill(killed, 'SIGKILL');
    await goes(tracefs, killed);
    const { probe = 0 } = await eventually('another probe process', async () => {
      const pids = await daemon.pids();
      return pids['probe'] === undefined || pids['probe'] === killed ? undefined : pids;
    });
    await eventually('it traces', () => {
      const [name = ''] = instancesOf(tracefs, probe);
      const on = readFileSync(join(tracefs, 'instances', name, 'tracing_on'), 'utf8');
      const named = readFileSync(join(tracefs, 'instances', name, 'events/sched/sched_process_exit/enable'), 'utf8');
      return on.trim() === '1' && named.trim() === '1' ? true : undefined;
    });
    runTimes(file, 20);
    await becomes(daemon, 'jdos_process_execs_total', comm, 520);
    await daemon.stop();
    await goes(tracefs, probe);
  },
);

t.test('what a killed daemon left in the kernel is removed by the next one', { skip }, async (t) => {
  const tracefs = mountTracefs(t);
  const left = join(tracefs, 'instances', 'jdos-4000000-aBcDeF');
  mkdirSync(left);
  writeFileSync(join(left, 'events/sched/sched_process_exec/enable'), '1', { flag: 'r+' });
  const daemon = await started(t);
  t.notOk(existsSync(left));
  const { probe } = await daemon.pids();
  t.equal(instancesOf(tracefs, probe).length, 1, 'that of the living one is there');
});

const MEMORY = 64 * 1024 * 1024;

t.test(
  'what runs in a container is counted there, and so is who was killed for want of memory',
  { skip },
  async (t) => {
    const { tree, mode } = readLayout(new HostFiles('/'));
    const path = `/docker/${process.pid.toString(16).padStart(64, '0')}`;
    const group = join(tree, path);
    mkdirSync(group, { recursive: true });
    t.teardown(() => rmdirSync(group));
    const limit = join(group, mode === 'v2' ? 'memory.max' : 'memory.limit_in_bytes');
    const daemon = await started(t);
    const file = program(t, 'jdos-inside');
    const inside = (script: string): void => {
      try {
        execFileSync('sh', ['-c', `echo $$ > "$0" && { ${script}; }`, join(group, 'cgroup.procs'), file], {
          stdio: 'pipe',
        });
      } catch {
        // killed, as it should be
      }
    };
    inside('for i in 1 2 3 4 5; do "$1"; done');
    await becomes(daemon, 'jdos_container_execs_total', `id="${path}"`, 5);
    await becomes(daemon, 'jdos_container_exits_total', `id="${path}"`, 6);
    t.equal(await valueOf(daemon, 'jdos_process_execs_total', 'comm="jdos-inside"'), 5);

    if (!existsSync(limit)) return t.comment(`no ${limit}: nobody is killed`);
    writeFileSync(limit, String(MEMORY));
    const swap = join(group, 'memory.memsw.limit_in_bytes');
    if (existsSync(swap)) writeFileSync(swap, String(MEMORY));
    inside('exec tail /dev/zero');
    await becomes(daemon, 'jdos_container_oom_victims_total', `id="${path}"`, 1);
    const victims = (await valueOf(daemon, 'jdos_oom_victims_total', 'comm="tail"')) ?? 0;
    t.ok(victims >= 1, `tail was killed ${victims} times`);
  },
);

t.test(
  'a host without tracefs is no failure',
  { skip: existsSync('/sys/kernel/tracing/instances') && 'tracefs is mounted' },
  async (t) => {
    const daemon = startDaemon(t, { config });
    await daemon.until(/listens +http:/);
    await becomes(daemon, 'jdos_exec_tracing', 'reason="', 0);
    const { items } = (await daemon.get('/jdos/v1/collectors')) as { items: { name: string; state: string }[] };
    t.match(
      items.find(({ name }) => name === 'exec'),
      { state: 'ok' },
    );
    t.equal(await valueOf(daemon, 'jdos_process_execs_total', 'comm='), undefined, 'what is not known is not written');
  },
);
