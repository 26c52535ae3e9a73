// The collector of processes over a written /proc: births, exits, refusals, restarts, and what Prometheus gets.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { golden } from '../../support/golden.ts';
import {
  BOOT_TIME,
  exposition,
  openCollector,
  RefusingHostFiles,
  writeHost,
  type Samples,
  type WrittenProcess,
} from './written-host.ts';

const series = (metric: string, group: string, more = ''): string =>
  `namedprocess_namegroup_${metric}{groupname="${group}"${more === '' ? '' : `,${more}`}}`;
const cpu = (samples: Samples, group: string): number | undefined =>
  samples.get(series('cpu_seconds_total', group, 'mode="user"'));

const SHOP: readonly WrittenProcess[] = [
  { pid: 1, comm: 'init', start: 10, user: 500, system: 700, fds: 3, fdLimit: 1024, residentPages: 100 },
  { pid: 2, comm: 'kthreadd', kernel: true, start: 10, ppid: 0 },
  { pid: 9, comm: 'kworker/0:1', kernel: true, start: 12, ppid: 2, state: 'I' },
  {
    pid: 100,
    comm: 'nginx',
    start: 5000,
    threads: 4,
    user: 1000,
    system: 200,
    minorFaults: 50,
    majorFaults: 2,
    virtualBytes: 1_000_000,
    residentPages: 50,
    swappedKilobytes: 12,
    readBytes: 4096,
    writeBytes: 8192,
    voluntary: 70,
    nonvoluntary: 7,
    fds: 12,
    fdLimit: 20,
    pssKilobytes: 150,
    swapPssKilobytes: 6,
  },
  { pid: 101, comm: 'nginx', start: 6000, state: 'R', fds: 5, fdLimit: 'unlimited', pssKilobytes: 40 },
  { pid: 200, comm: 'sh', start: 7000, state: 'Z', ppid: 100 },
  { pid: 300, comm: 'say "hi"\\\n', start: 8000, state: 'D', fds: 1, fdLimit: 10 },
];

t.test('the exposition of a small host is golden', async (t) => {
  const dir = t.testdir();
  const host = new HostFiles(dir);
  writeHost(dir, { uptime: 1000, processes: SHOP });
  const probe = openCollector(host);
  const first = probe.collect();
  t.equal(cpu(first, 'nginx'), 0, 'a group starts at 0, not with what its processes did before');
  t.notOk(first.has(series('memory_bytes', 'nginx', 'memtype="proportionalResident"')), 'not all are sampled yet');
  const later = SHOP.filter(({ pid }) => pid !== 101).map((process) =>
    process.pid === 100
      ? { ...process, user: 1150, system: 225, minorFaults: 60, majorFaults: 3, readBytes: 8192, voluntary: 80 }
      : process,
  );
  for (const uptime of [1015, 1030, 1045]) {
    writeHost(dir, { uptime, processes: later });
    probe.collect();
  }
  const born = { pid: 400, comm: 'job', start: 105_000, user: 30, system: 5, readBytes: 512, minorFaults: 9, fds: 2 };
  writeHost(dir, { uptime: 1060, processes: [...later, born] });
  await golden(t, 'exposition/process.prom', exposition(probe.collect()));
});

t.test('a process born after the first collection counts from birth, an older one from its discovery', async (t) => {
  const dir = t.testdir();
  writeHost(dir, { uptime: 1000, processes: [{ pid: 1, comm: 'init', start: 10, user: 900 }] });
  const probe = openCollector(new HostFiles(dir));
  probe.collect();
  writeHost(dir, {
    uptime: 1015,
    processes: [
      { pid: 1, comm: 'init', start: 10, user: 950 },
      { pid: 50, comm: 'young', start: 100_700, user: 33, writeBytes: 700 },
      { pid: 51, comm: 'hidden', start: 4000, user: 5000, writeBytes: 700 },
    ],
  });
  const samples = probe.collect();
  t.equal(cpu(samples, 'init'), 0.5);
  t.equal(cpu(samples, 'young'), 0.33);
  t.equal(samples.get(series('write_bytes_total', 'young')), 700);
  t.equal(cpu(samples, 'hidden'), 0);
  t.equal(samples.get(series('write_bytes_total', 'hidden')), 0);
});

t.test('a group whose processes ended keeps its counters and says that there are none', async (t) => {
  const dir = t.testdir();
  const init = { pid: 1, comm: 'init', start: 10 };
  const job = { pid: 60, comm: 'job', start: 4000, user: 100, fds: 3, fdLimit: 30 };
  const probe = openCollector(new HostFiles(dir));
  writeHost(dir, { uptime: 1000, processes: [init, job] });
  probe.collect();
  writeHost(dir, { uptime: 1015, processes: [init, { ...job, user: 250 }] });
  probe.collect();
  writeHost(dir, { uptime: 1030, processes: [init] });
  const gone = probe.collect();
  t.equal(gone.get(series('num_procs', 'job')), 0);
  t.equal(gone.get(series('open_filedesc', 'job')), 0);
  t.equal(cpu(gone, 'job'), 1.5);
  t.notOk(gone.has(series('oldest_start_time_seconds', 'job')), 'nobody is the oldest');
  writeHost(dir, { uptime: 1045, processes: [init, { ...job, start: 104_000, user: 20 }] });
  const back = probe.collect();
  t.equal(back.get(series('num_procs', 'job')), 1);
  t.equal(cpu(back, 'job'), 1.7, 'the new process with the old pid adds its own time');
  t.equal(back.get(series('oldest_start_time_seconds', 'job')), BOOT_TIME + 1040);
});

t.test('after execve(2) the work counts for the new name', async (t) => {
  const dir = t.testdir();
  const shell = { pid: 60, comm: 'sh', start: 4000, user: 100 };
  const probe = openCollector(new HostFiles(dir));
  writeHost(dir, { uptime: 1000, processes: [shell] });
  probe.collect();
  writeHost(dir, { uptime: 1015, processes: [{ ...shell, comm: 'sort', user: 130 }] });
  const samples = probe.collect();
  t.equal(cpu(samples, 'sh'), 0);
  t.equal(samples.get(series('num_procs', 'sh')), 0);
  t.equal(cpu(samples, 'sort'), 0.3);
});

t.test('processes that vanish while they are read are no errors', async (t) => {
  const dir = t.testdir();
  const parts = ['status', 'io', 'limits', 'smaps_rollup', 'fd', 'cmdline', 'cgroup'];
  writeHost(dir, {
    uptime: 1000,
    processes: [
      { pid: 1, comm: 'init', start: 10 },
      { pid: 2, comm: 'gone', without: ['stat', ...parts] },
      { pid: 3, comm: 'going', start: 20, residentPages: 3, without: parts },
    ],
  });
  const probe = openCollector(new HostFiles(dir));
  const samples = probe.collect();
  t.equal(samples.get(series('num_procs', 'going')), 1);
  t.notOk(samples.has(series('open_filedesc', 'going')), 'what was not read is absent');
  t.notOk(samples.has(series('read_bytes_total', 'going')));
  t.notOk(samples.has(series('memory_bytes', 'going', 'memtype="swapped"')));
  t.equal(samples.get('namedprocess_scrape_partial_errors'), 0);
  t.equal(samples.get('namedprocess_scrape_procread_errors'), 0);
  for (const [name, value] of samples) if (name.startsWith('jdos_processes_unreadable')) t.equal(value, 0, name);
});

t.test('what is refused is counted, not taken for 0', async (t) => {
  const dir = t.testdir();
  writeHost(dir, {
    uptime: 1000,
    processes: [
      { pid: 50, comm: 'mine', start: 10, readBytes: 1, fds: 2 },
      { pid: 60, comm: 'theirs', start: 10, readBytes: 1, fds: 2 },
      { pid: 61, comm: 'theirs', start: 10, readBytes: 1, fds: 2 },
      { pid: 70, comm: 'hidden', start: 10 },
    ],
  });
  const host = new RefusingHostFiles(dir, (path) => /^\/proc\/6.\/(io|fd)$|^\/proc\/70\/stat$/.test(path));
  const samples = openCollector(host).collect();
  t.equal(samples.get(series('open_filedesc', 'mine')), 2);
  t.equal(samples.get(series('num_procs', 'theirs')), 2);
  t.notOk(samples.has(series('open_filedesc', 'theirs')));
  t.notOk(samples.has(series('worst_fd_ratio', 'theirs')));
  t.notOk(samples.has(series('read_bytes_total', 'theirs')));
  t.ok(samples.has(series('context_switches_total', 'theirs', 'ctxswitchtype="voluntary"')));
  t.equal(samples.get('jdos_processes_unreadable{what="io",reason="permission"}'), 2);
  t.equal(samples.get('jdos_processes_unreadable{what="fd",reason="permission"}'), 2);
  t.equal(samples.get('jdos_processes_unreadable{what="stat",reason="permission"}'), 1);
  t.equal(samples.get('jdos_processes_unreadable{what="status",reason="permission"}'), 0);
  t.equal(samples.get('namedprocess_scrape_partial_errors'), 2);
  t.equal(samples.get('namedprocess_scrape_procread_errors'), 1);
});

t.test('a process in quarantine is left alone', async (t) => {
  const dir = t.testdir();
  writeHost(dir, { uptime: 1000, processes: [{ pid: 50, comm: 'stuck', start: 10, pssKilobytes: 5 }] });
  const probe = openCollector(new RefusingHostFiles(dir, () => false, ['pid 50 smaps_rollup', 'pid 50 cmdline']));
  const samples = probe.collect();
  t.equal(samples.get('jdos_processes_unreadable{what="smaps_rollup",reason="quarantined"}'), 1);
  t.notOk(samples.has(series('memory_bytes', 'stuck', 'memtype="proportionalResident"')));
  t.match(probe.details(), { processes: [{ pid: 50, cmdline: null }] });
});

t.test('smaps_rollup and cmdline of a process in state D are not touched', async (t) => {
  const dir = t.testdir();
  const read: string[] = [];
  const host = new RefusingHostFiles(dir, (path) => {
    read.push(path);
    return false;
  });
  writeHost(dir, { uptime: 1000, processes: [{ pid: 50, comm: 'stuck', start: 10, state: 'D' }] });
  const probe = openCollector(host);
  for (let i = 0; i < 12; i += 1) {
    probe.collect();
    probe.details();
  }
  t.ok(read.includes('/proc/50/io'));
  t.notOk(read.includes('/proc/50/smaps_rollup'));
  t.notOk(read.includes('/proc/50/cmdline'));
});

t.test('the longest time in uninterruptible sleep is told, and nothing when nobody is', async (t) => {
  const dir = t.testdir();
  const probe = openCollector(new HostFiles(dir));
  const ages: (number | undefined)[] = [];
  for (const [uptime, state, user] of [
    [1000, 'S', 1],
    [1015, 'D', 1],
    [1030, 'D', 1],
    [1045, 'D', 1],
    [1060, 'D', 2],
    [1075, 'D', 2],
    [1090, 'R', 9],
  ] as const) {
    writeHost(dir, { uptime, processes: [{ pid: 50, comm: 'nfs', start: 10, state, user, wchan: 'rpc_wait_bit' }] });
    ages.push(probe.collect().get('jdos_process_dstate_oldest_seconds'));
    if (uptime === 1045) {
      t.match(probe.details(), { dstate: [{ pid: 50, comm: 'nfs', sinceSeconds: 30, wchan: 'rpc_wait_bit' }] });
    }
  }
  t.same(ages, [0, 0, 15, 30, 0, 15, 0]);
});

t.test('counters go on over a restart of the probe process', async (t) => {
  const dir = t.testdir();
  const host = new HostFiles(dir);
  const at = (uptime: number, user: number, readBytes: number): void =>
    writeHost(dir, {
      uptime,
      processes: [
        { pid: 1, comm: 'init', start: 10 },
        { pid: 50, comm: 'db', start: 4000, user, readBytes, pssKilobytes: 8, state: 'S' },
        { pid: 51, comm: 'nfs', start: 4000, state: 'D' },
        ...(uptime > 1015 ? [{ pid: 60, comm: 'young', start: 102_000, user: 44 }] : []),
      ],
    });
  at(1000, 100, 10);
  const first = openCollector(host);
  first.collect();
  at(1015, 200, 20);
  first.collect();
  const saved = first.save();
  at(1030, 350, 50);
  const second = openCollector(host, { saved });
  const samples = second.collect();
  t.equal(cpu(samples, 'db'), 2.5, 'what was done while no probe process ran counts too');
  t.equal(samples.get(series('read_bytes_total', 'db')), 40);
  t.equal(cpu(samples, 'young'), 0.44, 'who was born meanwhile counts from birth');
  t.equal(samples.get('jdos_process_dstate_oldest_seconds'), 30);
  t.match(second.details(), { processes: [{ pid: 1 }, { pid: 50, cpuRatio: 0.1 }, { pid: 51 }, { pid: 60 }] });
  t.equal(samples.get(series('memory_bytes', 'db', 'memtype="proportionalResident"')), 8192);
});

t.test('what was saved by another boot, for other groups, or by nobody we know is not used', async (t) => {
  const dir = t.testdir();
  const host = new HostFiles(dir);
  const write = (uptime: number, user: number, bootId?: string): void =>
    writeHost(dir, { uptime, processes: [{ pid: 50, comm: 'db', start: 10, user }], ...(bootId && { bootId }) });
  write(1000, 100);
  const probe = openCollector(host);
  probe.collect();
  write(1015, 200);
  probe.collect();
  const saved = probe.save();
  if (!Buffer.isBuffer(saved)) throw new Error('nothing was saved');
  const changed = (change: (bytes: Buffer) => Buffer): Buffer => change(Buffer.from(saved));
  const reworded = (from: string, to: string): Buffer =>
    changed((bytes) => {
      const length = bytes.readUInt32LE();
      const head = Buffer.from(bytes.toString('utf8', 4, 4 + length).replace(from, to));
      const size = Buffer.alloc(4);
      size.writeUInt32LE(head.length);
      return Buffer.concat([size, head, bytes.subarray(4 + length)]);
    });
  write(1030, 300);
  t.equal(cpu(openCollector(host, { saved }).collect(), 'db'), 2, 'the same boot goes on');
  for (const [name, foreign] of [
    ['a number', 7],
    ['nothing', null],
    ['an old version', reworded('"version":3', '"version":2')],
    ['half of it', changed((bytes) => bytes.subarray(0, bytes.length / 2))],
    ['a head without end', changed((bytes) => (bytes.writeUInt32LE(2 ** 31), bytes))],
    ['a negative counter', changed((bytes) => (bytes.writeDoubleLE(-1, bytes.length - 8), bytes))],
    ['more processes than there are', reworded('"processes":1', '"processes":2')],
    ['a name without end', reworded('"db"', `"${'x'.repeat(5000)}"`)],
  ] as const) {
    t.equal(cpu(openCollector(host, { saved: foreign }).collect(), 'db'), 0, name);
  }
  t.equal(cpu(openCollector(host, { saved, processes: { groupBy: 'exe' } }).collect(), 'db'), 0, 'other groups');
  write(20, 5, 'ffffffff-4a5b-4c6d-8e7f-901234567890');
  t.equal(cpu(openCollector(host, { saved }).collect(), 'db'), 0, 'another boot');
});

t.test('groups can be named after the program instead', async (t) => {
  const dir = t.testdir();
  writeHost(dir, {
    uptime: 1000,
    processes: [
      { pid: 50, comm: 'MainThread', start: 10, exe: '/usr/bin/node' },
      { pid: 51, comm: 'worker', start: 10, exe: '/usr/bin/node (deleted)' },
      { pid: 52, comm: 'secret', start: 10 },
    ],
  });
  const samples = openCollector(new HostFiles(dir), { processes: { groupBy: 'exe' } }).collect();
  t.equal(samples.get(series('num_procs', 'node')), 2);
  t.equal(samples.get(series('num_procs', 'secret')), 1, 'the comm stands in for a program that cannot be read');
});

t.test('groups beyond the limit are merged and counted', async (t) => {
  const dir = t.testdir();
  const processes = Array.from({ length: 14 }, (_, i) => ({ pid: 10 + i, comm: `job-${i % 13}`, start: 10 }));
  writeHost(dir, { uptime: 1000, processes });
  const samples = openCollector(new HostFiles(dir), { processes: { maxGroups: 10 } }).collect();
  t.equal(samples.get('jdos_process_groups_dropped'), 3);
  t.equal(samples.get(series('num_procs', 'other')), 3);
  t.equal(samples.get(series('num_procs', 'job-0')), 2);
});

t.test('comms that look the same after decoding are one group', async (t) => {
  const dir = t.testdir();
  const processes = [0xff, 0xfe].map((byte, i) => ({ pid: 10 + i, comm: Buffer.from([0x61, byte]), start: 10 }));
  writeHost(dir, { uptime: 1000, processes });
  t.equal(openCollector(new HostFiles(dir)).collect().get(series('num_procs', 'a\ufffd')), 2);
});

t.test('without /proc the collection fails, says so, and is counted', async (t) => {
  const dir = t.testdir();
  writeHost(dir, { uptime: 1000, processes: [{ pid: 1, comm: 'init', start: 10 }] });
  const probe = openCollector(new HostFiles(dir));
  probe.collect();
  rmSync(join(dir, 'proc/1'), { recursive: true });
  t.throws(() => probe.collect(), { message: 'no process could be read' });
  rmSync(join(dir, 'proc'), { recursive: true });
  t.throws(() => probe.collect(), { code: 'ENOENT' });
  writeHost(dir, { uptime: 1045, processes: [{ pid: 1, comm: 'init', start: 10 }] });
  t.equal(probe.collect().get('namedprocess_scrape_errors'), 2);
});

t.test('the details name the processes that use most', async (t) => {
  const dir = t.testdir();
  const id = 'ab'.repeat(32);
  const crowd = Array.from({ length: 300 }, (_, i) => ({ pid: 1000 + i, start: 10, comm: 'crowd', residentPages: i }));
  const busy = {
    pid: 50,
    comm: 'db',
    ppid: 7,
    start: 4000,
    user: 100,
    system: 50,
    uid: 999,
    threads: 3,
    fds: 9,
    fdLimit: 90,
    cmdline: 'db\0--port\0' + '5'.repeat(400),
    cgroup: `0::/docker/${id}\n`,
  };
  const zombie = { pid: 51, comm: 'sh', start: 10, state: 'Z', ppid: 50 };
  const probe = openCollector(new HostFiles(dir));
  t.equal(probe.details(), null, 'nothing before the first collection');
  writeHost(dir, { uptime: 1000, processes: [busy, zombie, ...crowd] });
  probe.collect();
  writeHost(dir, { uptime: 1010, processes: [{ ...busy, user: 350 }, zombie, ...crowd] });
  probe.collect();
  const details = probe.details() as { processes: { pid: number; cmdline: string }[]; zombies: unknown };
  t.strictSame(details.processes[0], {
    pid: 50,
    ppid: 7,
    comm: 'db',
    group: 'db',
    state: 'S',
    uid: 999,
    startTime: BOOT_TIME + 40,
    cpuSeconds: 4,
    cpuRatio: 0.25,
    rssBytes: 0,
    fds: 9,
    fdLimit: 90,
    threads: 3,
    cmdline: `db --port ${'5'.repeat(190)}`,
    container: id,
  });
  t.ok(details.processes.length <= 150);
  t.ok(
    details.processes.some(({ pid }) => pid === 1299),
    'the largest',
  );
  t.strictSame(details.zombies, [{ pid: 51, comm: 'sh', ppid: 50 }]);
});

t.test('a process that is listed stays while it is nearly among the first', async (t) => {
  const dir = t.testdir();
  const probe = openCollector(new HostFiles(dir));
  const crowd = Array.from({ length: 80 }, (_, i) => ({
    pid: 1000 + i,
    start: 10,
    residentPages: 2000 - 2 * i,
    fds: 1,
  }));
  const listed = (residentPages: number, uptime: number): boolean => {
    const one = { pid: 5000, start: 10, residentPages };
    writeHost(dir, { uptime, processes: [...crowd.map((each) => ({ ...each, user: uptime })), one] });
    probe.collect();
    const { processes } = probe.details() as { processes: { pid: number }[] };
    return processes.some(({ pid }) => pid === 5000);
  };
  t.same(
    [1897, 1903, 1897, 1883, 1879, 1883, 1903].map((pages, i) => listed(pages, 1000 + 15 * i)),
    [false, true, true, true, false, false, true],
  );
});

t.test('files are read as often as their cost allows', async (t) => {
  const dir = t.testdir();
  let read: string[] = [];
  const host = new RefusingHostFiles(dir, (path) => {
    read.push(path);
    return false;
  });
  let user = 1;
  const readsIn = (uptimes: readonly number[], busy: boolean): Record<string, number> => {
    read = [];
    for (const uptime of uptimes) {
      user += busy ? 1 : 0;
      writeHost(dir, { uptime, processes: [{ pid: 50, comm: 'db', start: 10, user }] });
      probe.collect();
    }
    const count = (file: string): number => read.filter((path) => path === `/proc/50/${file}`).length;
    return Object.fromEntries(['stat', 'io', 'status', 'limits', 'smaps_rollup'].map((file) => [file, count(file)]));
  };
  const probe = openCollector(host);
  t.match(readsIn([1000], true), { stat: 1, io: 1, status: 1, limits: 1 }, 'all of a new process');
  const quick = Array.from({ length: 20 }, (_, i) => 1015 + 15 * i);
  t.strictSame(readsIn(quick, true), { stat: 20, io: 10, status: 10, limits: 2, smaps_rollup: 6 });
  const idle = quick.map((uptime) => uptime + 300);
  t.match(readsIn(idle, false), { stat: 20, io: 7, status: 7 }, 'who does nothing is looked at less often');
  const slow = Array.from({ length: 4 }, (_, i) => 2000 + 50 * i);
  t.match(readsIn(slow, false), { stat: 4, io: 4, status: 4 }, 'no value gets older than a minute');
});

/** A host whose kernel counts the fds of a directory in its size. */
class CountingHostFiles extends HostFiles {
  override size(hostPath: string): number {
    return hostPath === '/proc/self/fd' ? 7 : 1234;
  }

  override list(hostPath: string): string[] {
    if (/fd$/.test(hostPath)) return hostPath === '/proc/self/fd' ? Array<string>(8).fill('0') : [];
    return super.list(hostPath);
  }
}

t.test('open files are counted by the kernel where it can, else by listing them', async (t) => {
  const dir = t.testdir();
  writeHost(dir, { uptime: 1000, processes: [{ pid: 50, comm: 'db', start: 10, fds: 3 }] });
  t.equal(openCollector(new CountingHostFiles(dir)).collect().get(series('open_filedesc', 'db')), 1234);
  t.equal(openCollector(new HostFiles(dir)).collect().get(series('open_filedesc', 'db')), 3);
});
