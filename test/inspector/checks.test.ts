// Each check over tables of written facts: ok, warn, crit, unknown and skipped, at the limits and beside them.
import t from 'tap';
import { DAY_SECONDS, SAMPLE_NOW, type Check, type Sample } from '../../src/inspector/check.ts';
import { checks } from '../../src/inspector/checks/index.ts';
import { mountSamples } from '../../src/inspector/checks/mount-samples.ts';
import { judge } from '../../src/inspector/judge.ts';
import { limitsFor } from '../../src/inspector/limits.ts';
import { sampleFacts } from '../../src/inspector/self-test.ts';
import { one, status } from './support.ts';

const GIB = 2 ** 30;

function checkOf(code: string): Check {
  const check = checks.find((candidate) => candidate.code === code);
  if (check === undefined) throw new Error(`no check ${code}`);
  return check;
}

/** `target=verdict` of each observation, in order; `waiting` where it waits for data. */
function seen(code: string, sample: Omit<Sample, 'name' | 'expect'>): string {
  const check = checkOf(code);
  const { observations, waiting } = check.evaluate(sampleFacts(check, { name: 'test', expect: {}, ...sample }));
  const verdicts = observations.map(
    (observation) =>
      `${observation.target}=${judge(undefined, observation, limitsFor(check, observation, {}), SAMPLE_NOW).verdict}`,
  );
  return [...verdicts, ...(waiting === undefined ? [] : ['waiting'])].join(' ');
}

const failed = (
  metric: string,
  reason: 'failed' | 'absent' | 'deadline' = 'failed',
): Omit<Sample, 'name' | 'expect'> => ({
  collectors: [status('c', { state: 'failed', error: { reason, message: 'no' } })],
  sources: { [metric]: 'c' },
});

t.test('what cannot be seen is unknown, what the host has not is skipped', async (t) => {
  const table: readonly (readonly [string, string, string])[] = [
    ['DISK_SPACE', 'node_filesystem_readonly', 'host'],
    ['DISK_INODES', 'node_filesystem_readonly', 'host'],
    ['MEMORY_AVAILABLE', 'node_memory_MemAvailable_bytes', 'host'],
    ['LOAD', 'node_load15', 'host'],
    ['OOM_KILLS', 'node_vmstat_oom_kill', 'host'],
    ['FD_HOST', 'node_filefd_allocated', 'host'],
    ['FD_PROCESS', 'namedprocess_namegroup_worst_fd_ratio', 'host'],
    ['MOUNT_READONLY', 'node_filesystem_readonly', 'host'],
    ['CLOCK_SYNC', 'jdos_clock_synchronized', 'host'],
    ['REBOOT', 'node_boot_time_seconds', 'host'],
  ];
  for (const [code, metric, target] of table) {
    t.equal(seen(code, failed(metric)), `${target}=unknown`, `${code}: the collector failed`);
    t.equal(seen(code, failed(metric, 'deadline')), `${target}=unknown`, `${code}: the collector was too slow`);
    t.equal(seen(code, failed(metric, 'absent')), `${target}=skipped`, `${code}: the kernel has no such file`);
    const waiting = { collectors: [status('c', { state: 'waiting' })], sources: { [metric]: 'c' } };
    t.equal(seen(code, waiting), `${target}=unknown`, `${code}: nothing was collected yet`);
    const stale = { collectors: [status('c', { state: 'stale' })], sources: { [metric]: 'c' } };
    t.equal(seen(code, stale), `${target}=unknown`, `${code}: the data is old`);
    t.equal(seen(code, { metrics: { [metric]: [] } }), `${target}=skipped`, `${code}: the host has none`);
    t.equal(seen(code, {}), `${target}=skipped`, `${code}: switched off`);
  }
  t.equal(seen('PROCESS_STATES', failed('jdos_processes')), 'D=unknown Z=unknown');
  const pressure = failed('node_pressure_memory_waiting_seconds_total');
  t.equal(seen('PRESSURE', pressure), 'memory=unknown io=skipped');
});

t.test('disk space counts as df does, and is critical only when little is left', async (t) => {
  const space = (size: number, free: number, available: number): string =>
    seen('DISK_SPACE', { metrics: mountSamples({ mountpoint: '/', size, free, available }) });
  t.equal(space(100 * GIB, 20.1 * GIB, 20.1 * GIB), '/=ok');
  t.equal(space(100 * GIB, 20 * GIB, 20 * GIB), '/=warn');
  t.equal(space(100 * GIB, 25 * GIB, 20 * GIB - 1), '/=ok', 'blocks reserved for root count neither way');
  t.equal(space(100 * GIB, 6 * GIB, 6 * GIB), '/=warn', '94 % used with 6 GiB left');
  t.equal(space(100 * GIB, 4 * GIB, 4 * GIB), '/=crit', '96 % used with 4 GiB left');
  t.equal(space(1000 * GIB, 19 * GIB, 19 * GIB), '/=crit', '98.1 % used, whatever is left');
  t.equal(space(4 * GIB, 3 * GIB, 3 * GIB), '/=ok', 'small and empty');
  t.equal(space(0, 0, 0), '/=skipped');
});

t.test('a device that is mounted several times is one target', async (t) => {
  const volume = { device: '/dev/vdb', size: 100 * GIB, available: 10 * GIB };
  const metrics = mountSamples(
    { ...volume, mountpoint: '/var/lib/kubelet/pods/1/volume' },
    { ...volume, mountpoint: '/data', readonly: true },
    { ...volume, mountpoint: '/srv', device: 'tmpfs', fstype: 'tmpfs' },
    { ...volume, mountpoint: '/run', device: 'tmpfs', fstype: 'tmpfs' },
  );
  t.equal(seen('DISK_SPACE', { metrics }), '/data=warn /srv=warn /run=warn');
});

t.test('a mount point with control characters cannot forge a line or a command', async (t) => {
  const check = checkOf('DISK_SPACE');
  const mountpoint = "/a\n✖ forged\u202e'; rm -rf /";
  const metrics = mountSamples({ mountpoint, size: 100 * GIB, available: GIB });
  const [observation] = check.evaluate(sampleFacts(check, { name: '', expect: {}, metrics })).observations;
  if (observation?.value === undefined) throw new Error('not observed');
  const line = check.line(observation, observation.value, 'crit', 0.9);
  t.notMatch(line.en, /[\n\u202e]/);
  const command = check.command?.({ ...observation, target: "/it's; rm -rf /" });
  t.equal(command, "du -xh --max-depth=2 '/it'\\''s; rm -rf /' | sort -h | tail -20");
});

t.test('memory and load at their limits', async (t) => {
  const memory = (ratio: number): string =>
    seen('MEMORY_AVAILABLE', {
      metrics: { node_memory_MemAvailable_bytes: one(ratio * GIB), node_memory_MemTotal_bytes: one(GIB) },
    });
  t.same([0.101, 0.1, 0.0501, 0.05].map(memory), ['host=ok', 'host=warn', 'host=warn', 'host=crit']);
  const load = (five: number, fifteen: number): string =>
    seen('LOAD', { cpus: 2, metrics: { node_load5: one(five), node_load15: one(fifteen), node_load1: one(0) } });
  t.equal(load(7.9, 3.9), 'host=ok');
  t.equal(load(0, 4), 'host=warn');
  t.equal(load(8, 0), 'host=crit');
});

const pressureOf = (memory: readonly [number, number], io: number, more: Partial<Sample> = {}): string => {
  const series = (name: string): string => `node_pressure_${name}_seconds_total`;
  const grew = { memory_waiting: memory[0], memory_stalled: memory[1], io_waiting: io, io_stalled: 0 };
  const entries = Object.entries(grew);
  return seen('PRESSURE', {
    metrics: Object.fromEntries(entries.map(([name, growth]) => [series(name), one(1000 + growth)])),
    past: Object.fromEntries(entries.map(([name]) => [series(name), [{ ageSeconds: 100, value: 1000 }]])),
    ...more,
  });
};

t.test('pressure is the share of time since the last observation', async (t) => {
  t.equal(pressureOf([9, 4], 39), 'memory=ok io=ok');
  t.equal(pressureOf([10, 4], 40), 'memory=warn io=warn');
  t.equal(pressureOf([10, 5], 60), 'memory=crit io=crit', 'full is judged by limits of its own');
  t.equal(pressureOf([40, 0], 0), 'memory=crit io=ok');
  const first = { past: {} };
  t.equal(pressureOf([0, 0], 0, first), 'waiting');
  const name = 'node_pressure_memory_waiting_seconds_total';
  t.equal(pressureOf([0, 0], 0, { past: { [name]: [{ ageSeconds: 30, value: 1000 }] } }), 'waiting', 'too young');
  t.equal(pressureOf([0, 0], 0, { past: { [name]: [{ ageSeconds: 7200, value: 1000 }] } }), 'waiting', 'too old');
  t.equal(pressureOf([0, 0], 0, { past: { [name]: [{ ageSeconds: 100, value: 9e9 }] } }), 'waiting', 'rebooted');
});

t.test('OOM kills are counted over a day, from the oldest observation until there is one, and from boot', async (t) => {
  const kills = (now: number, past: readonly (readonly [number, number])[], bootAgo = 30 * DAY_SECONDS): string =>
    seen('OOM_KILLS', {
      metrics: { node_vmstat_oom_kill: one(now), node_boot_time_seconds: one(SAMPLE_NOW / 1000 - bootAgo) },
      past: { node_vmstat_oom_kill: past.map(([ageSeconds, value]) => ({ ageSeconds, value })) },
    });
  t.equal(kills(10, [[DAY_SECONDS, 10]]), 'host=ok');
  t.equal(
    kills(11, [
      [DAY_SECONDS, 10],
      [300, 11],
    ]),
    'host=warn',
  );
  t.equal(kills(15, [[DAY_SECONDS, 10]]), 'host=crit');
  t.equal(
    kills(10, [
      [3600, 9],
      [300, 10],
    ]),
    'host=warn waiting',
  );
  t.equal(kills(10, []), 'waiting', 'the first sight of a host that is up for long');
  t.equal(kills(0, [], 3600), 'host=ok', 'booted within the day: the counter itself is the growth');
  t.equal(kills(2, [[DAY_SECONDS, 1]], 3600), 'host=warn', 'counted anew after a reboot');
});

t.test('file descriptors: groups above half are listed, and the worst', async (t) => {
  const groups = (...ratios: readonly number[]): string =>
    seen('FD_PROCESS', {
      metrics: {
        namedprocess_namegroup_worst_fd_ratio: ratios.map((value, i) => ({ labels: { groupname: `g${i}` }, value })),
      },
    });
  t.equal(groups(0.1, 0.3, 0.2), 'g1=ok');
  t.equal(groups(0.5, 0.51, 0.8, 0.95), 'g3=crit g2=warn g1=ok');
  const inContainers = [
    { labels: { groupname: 'web' }, value: 0.1 },
    { labels: { groupname: 'web', container: 'app', pod: 'web-0', namespace: 'shop' }, value: 0.9 },
    { labels: { groupname: 'web', container: 'proxy' }, value: 0.7 },
  ];
  t.equal(
    seen('FD_PROCESS', { metrics: { namedprocess_namegroup_worst_fd_ratio: inContainers } }),
    'web=warn',
    'a group in several containers is one finding, of the worst',
  );
  const host = (allocated: number): string =>
    seen('FD_HOST', { metrics: { node_filefd_allocated: one(allocated), node_filefd_maximum: one(100) } });
  t.same([69, 70, 89, 90].map(host), ['host=ok', 'host=warn', 'host=warn', 'host=crit']);
});

t.test('tasks in D count when they stay, zombies when they gather', async (t) => {
  const states = (waiting: number, oldest: number, zombie: number, stuck: readonly number[] = []): string =>
    seen('PROCESS_STATES', {
      metrics: {
        jdos_processes: [
          { labels: { state: 'Waiting' }, value: waiting },
          { labels: { state: 'Zombie' }, value: zombie },
        ],
        jdos_process_dstate_oldest_seconds: one(oldest),
      },
      details: {
        process: {
          processes: [],
          dstate: stuck.map((sinceSeconds, pid) => ({ pid, comm: 'dd', sinceSeconds, wchan: null })),
          zombies: [{ pid: 'nonsense' }],
        },
      },
    });
  t.equal(states(50, 60, 5), 'D=ok Z=ok', 'many that pass through');
  t.equal(states(1, 61, 6, [61]), 'D=warn Z=warn');
  t.equal(states(12, 400, 101, Array(11).fill(100)), 'D=crit Z=crit');
  t.equal(states(12, 400, 0, [400, 30, 30]), 'D=warn Z=ok', 'only those that stay');
  t.equal(states(1, 400, 0), 'D=warn Z=ok', 'details that cannot be read hide nothing');
});

t.test('a mount is a finding when it turned read-only since boot, not when it always was', async (t) => {
  const series = 'mount_writable\n/dev/vda1\n/';
  const state = (readonly: boolean, before?: { ageSeconds: number; value: number }, bootAgo = DAY_SECONDS): string =>
    seen('MOUNT_READONLY', {
      metrics: {
        ...mountSamples({ mountpoint: '/', readonly }),
        node_boot_time_seconds: one(SAMPLE_NOW / 1000 - bootAgo),
      },
      ...(before === undefined ? {} : { past: { [series]: [before] } }),
    });
  t.equal(state(false), '/=ok');
  t.equal(state(true), '/=ok', 'first sight');
  t.equal(state(true, { ageSeconds: 300, value: 0 }), '/=ok', 'by design');
  t.equal(state(true, { ageSeconds: 300, value: 1 }), '/=crit');
  t.equal(state(true, { ageSeconds: 300, value: 1 }, 60), '/=ok', 'mounted read-only by a new boot');
  const check = checkOf('MOUNT_READONLY');
  const sample = {
    metrics: mountSamples({ mountpoint: '/', readonly: true }),
    past: { [series]: [{ ageSeconds: 90_000, value: 1 }] },
  };
  const { remember } = check.evaluate(sampleFacts(check, { name: '', expect: {}, ...sample }));
  t.same(
    remember?.map(({ value }) => value),
    [1],
    'while it lasts it is remembered as one that was writable',
  );
});

t.test('a mount that hangs is unknown, with the hang as evidence', async (t) => {
  const check = checkOf('MOUNT_READONLY');
  const mount = { mountpoint: '/nfs', device: 'nas:/x', fstype: 'nfs4', error: true };
  const collectors = [status('filesystem', { quarantined: [{ target: 'mount /nfs', since: 0, until: 1 }] })];
  const facts = sampleFacts(check, { name: '', expect: {}, metrics: mountSamples(mount), collectors });
  t.match(check.evaluate(facts).observations, [{ target: '/nfs', value: undefined, evidence: [/^hung_since=1970/] }]);
});

t.test('a reboot is shown for a day, unless it was before the first inspection', async (t) => {
  const boot = (upSeconds: number, before?: number): string =>
    seen('REBOOT', {
      metrics: { node_boot_time_seconds: one(SAMPLE_NOW / 1000 - upSeconds) },
      ...(before === undefined
        ? {}
        : { past: { node_boot_time_seconds: [{ ageSeconds: 300, value: SAMPLE_NOW / 1000 - before }] } }),
    });
  t.equal(boot(600), 'host=ok');
  t.equal(boot(600, 9e6), 'host=warn');
  t.equal(boot(DAY_SECONDS + 1, 9e6), 'host=ok');
  t.equal(boot(600, 630), 'host=ok', 'a step of the clock is not a reboot');
});

t.test('the daemon tells of failing parts, failed and stale collectors, and hung reads', async (t) => {
  const hung = (seconds: number) =>
    status('filesystem', { quarantined: [{ target: 'mount /nfs', since: SAMPLE_NOW - seconds * 1000, until: 0 }] });
  t.equal(seen('DAEMON', { collectors: [status('a')] }), 'host=ok');
  t.equal(seen('DAEMON', { collectors: [hung(60)] }), 'read:mount /nfs=warn');
  t.equal(seen('DAEMON', { collectors: [hung(600)] }), 'read:mount /nfs=crit');
  t.equal(seen('DAEMON', { collectors: [status('a', { state: 'stale' })] }), 'collector:a=warn');
  t.equal(seen('DAEMON', failed('x')), 'collector:c=warn');
  t.equal(seen('DAEMON', failed('x', 'absent')), 'host=ok');
  t.equal(seen('DAEMON', { parts: { http: { state: 'failing' }, docker: { state: 'missing' } } }), 'part:http=crit');
});
