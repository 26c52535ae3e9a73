// LOAD: how many tasks per processor want to run or wait in state D.
import { above, HOST, scalar, type Check } from '../check.ts';
import { absent, both, decimal } from '../wording.ts';

const LOADS = ['node_load1', 'node_load5', 'node_load15'] as const;
const CPUS = 'node_cpu_seconds_total';

export const load: Check = {
  code: 'LOAD',
  area: 'cpu',
  unit: 'load',
  needs: [...LOADS, CPUS],
  limits: above(2, 4, 1.75, 3.5),
  source: 'netdata load_average_15 (200 % of the cores, clears at 175 %), node-mixin NodeSystemSaturation',
  text: {
    title: both('每核负载', 'load per processor'),
    meaning: both(
      '15 分钟平均负载除以在线核数;5 分钟负载达到严重限时以它为准。负载计入可运行和 D 状态的任务。',
      'The load average of 15 minutes per processor, or that of 5 minutes once it reaches the critical limit. It counts tasks that run, want to run, or are in state D.',
    ),
    remedy: both(
      '先分清是 CPU 还是 D 状态:看运行队列与 PROCESS_STATES;再迁走容器或限制占用最大的进程组。',
      'First tell CPU from state D: look at the run queue and PROCESS_STATES; then move containers or limit the heaviest group.',
    ),
  },
  evaluate(facts) {
    const [one, five, fifteen] = LOADS.map((metric) => scalar(facts, metric));
    if (five === undefined || fifteen === undefined) return { observations: [absent(facts, 'node_load15', HOST)] };
    if (facts.cpus === undefined || facts.cpus === 0) return { observations: [absent(facts, CPUS, HOST)] };
    const cpus = facts.cpus;
    const short = five / cpus >= load.limits.crit;
    return {
      observations: [
        {
          target: HOST,
          value: (short ? five : fifteen) / cpus,
          evidence: [`load1=${one ?? '?'}`, `load5=${five}`, `load15=${fifteen}`, `cpus=${cpus}`],
          facts: { minutes: short ? 5 : 15, load: short ? five : fifteen, cpus },
        },
      ],
    };
  },
  line({ facts }, value, verdict, limit) {
    const minutes = facts?.['minutes'] ?? '?';
    const detail = `${facts?.['load'] ?? '?'} / ${facts?.['cpus'] ?? '?'}`;
    return both(
      `${verdict === 'ok' ? '每核负载' : '负载过高,每核'} ${decimal(value)}(限 ${decimal(limit)}),${minutes} 分钟平均 ${detail} 核`,
      `${verdict === 'ok' ? 'load' : 'high load'} ${decimal(value)} per processor (limit ${decimal(limit)}), ${minutes} minute average ${detail} processors`,
    );
  },
  command: () => 'ps -eo state,pid,comm,wchan:32 | grep "^[RD]" | sort | uniq -c | sort -n | tail -20',
  samples: [
    written('4 processors at ease', 4, [1, 1, 1], 'ok'),
    written('4 processors, 15 minutes at 9', 4, [9, 9, 9], 'warn'),
    written('4 processors, 5 minutes at 20', 4, [30, 20, 6], 'crit'),
    { name: 'written: processors not known', metrics: loads([1, 1, 1]), expect: { host: 'skipped' } },
  ],
};

function loads(values: readonly [number, number, number]): NonNullable<Check['samples'][number]['metrics']> {
  return Object.fromEntries(LOADS.map((metric, i) => [metric, [{ labels: {}, value: values[i] ?? 0 }]]));
}

function written(
  name: string,
  cpus: number,
  values: readonly [number, number, number],
  verdict: 'ok' | 'warn' | 'crit',
): Check['samples'][number] {
  return { name: `written: ${name}`, metrics: loads(values), cpus, expect: { host: verdict } };
}
