// Processes and threads of the whole host: counted by others, and absent where those have not counted.
import t from 'tap';
import type { Census } from '../../../src/probes/collector.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { cgroups, parseCgroups } from '../../../src/probes/kernel/cgroups.ts';
import { parseThreads, processCounts } from '../../../src/probes/kernel/processes.ts';
import { time } from '../../../src/probes/kernel/time.ts';
import { processes } from '../../../src/probes/process/collector.ts';
import { collectOnce, config } from './written.ts';

const proc = {
  loadavg: '0.10 0.20 0.30 2/815 4711\n',
  sys: { kernel: { 'threads-max': '63704\n', pid_max: '4194304\n' } },
};

t.test('the kernel says how many threads there are, who reads all processes how many of those', async (t) => {
  const host = new HostFiles(t.testdir({ proc }));
  const census: Census = {
    states: new Map([
      ['S', 90],
      ['R', 1],
      ['I', 60],
    ]),
  };
  const known = `node_processes_threads 815
node_processes_max_threads 63704
node_processes_max_processes 4194304
`;
  t.equal(
    (await collectOnce(processCounts, host, config(), census)).text,
    `${known}node_processes_state{state="S"} 90
node_processes_state{state="R"} 1
node_processes_state{state="I"} 60
node_processes_pids 151
`,
  );
  t.equal(
    (await collectOnce(processCounts, host, config(), { states: undefined })).text,
    known,
    'not counted is not 0',
  );
});

t.test('the collector of processes counts them, and takes the count back when it fails', async (t) => {
  const census: Census = { states: undefined };
  await collectOnce(processes, new HostFiles('/'), config(), census);
  t.ok((census.states?.get('S') ?? 0) > 0, 'some sleep on this host');
  await t.rejects(collectOnce(processes, new HostFiles(t.testdir({})), config(), census));
  t.equal(census.states, undefined);
});

t.test('a line without threads is refused', async (t) => {
  t.equal(parseThreads('0.1 0.2 0.3 1/2 3\n'), 2);
  for (const text of ['', '0.1 0.2 0.3\n', '0.1 0.2 0.3 1/x 3\n', '0.1 0.2 0.3 1/2\n', '0.1 0.2 0.3 1/-2 3\n'])
    t.throws(() => parseThreads(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
});

t.test('cgroups are counted by controller', async (t) => {
  const text = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t2\t1\nmemory\t0\t138\t0\n';
  t.same(parseCgroups(text), [
    { name: 'cpuset', cgroups: 2, enabled: 1 },
    { name: 'memory', cgroups: 138, enabled: 0 },
  ]);
  for (const wrong of ['cpu 1 2\n', 'cpu 1 x 1\n', 'cpu\n'])
    t.throws(() => parseCgroups(wrong), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(wrong));
  t.equal((await collectOnce(cgroups, new HostFiles(t.testdir({})))).text, '', 'a kernel without them');
});

t.test('clock sources are told by device, and none where the kernel shows none', async (t) => {
  const clocksource0 = { available_clocksource: 'tsc kvm-clock acpi_pm \n', current_clocksource: 'kvm-clock\n' };
  const sys = { devices: { system: { clocksource: { clocksource0, power: {}, uevent: '' } } } };
  const of = async (tree: object): Promise<string> =>
    (await collectOnce(time, new HostFiles(t.testdir(tree as Parameters<typeof t.testdir>[0])))).text.replace(
      /.*\n/,
      '',
    );
  t.equal(
    await of({ sys }),
    ['available_info{device="0",clocksource="tsc"', 'available_info{device="0",clocksource="kvm-clock"']
      .concat('available_info{device="0",clocksource="acpi_pm"', 'current_info{device="0",clocksource="kvm-clock"')
      .map((series) => `node_time_clocksource_${series}} 1\n`)
      .join(''),
  );
  t.equal(await of({}), '');
});
