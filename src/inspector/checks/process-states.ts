// PROCESS_STATES: tasks stuck in uninterruptible sleep (D), and zombies nobody reaps (Z).
import { formatSeconds } from '../../base/units.ts';
import { above, scalar, type Check, type Facts } from '../check.ts';
import type { Observation } from '../model.ts';
import { absent, both } from '../wording.ts';
import { stuckTasks, zombies } from './process-details.ts';

const STATES = 'jdos_processes';
const OLDEST = 'jdos_process_dstate_oldest_seconds';
/** A task passes through D all the time; only one that stays is stuck. */
const STUCK_SECONDS = 60;

const inState = (facts: Facts, state: string): number | undefined => {
  const states = facts.samples(STATES);
  if (states === undefined || states.length === 0) return undefined;
  return states.find(({ labels }) => labels['state'] === state)?.value ?? 0;
};

function stuck(facts: Facts): Observation {
  const waiting = inState(facts, 'Waiting');
  if (waiting === undefined) return absent(facts, STATES, 'D');
  const oldest = scalar(facts, OLDEST);
  if (oldest === undefined && facts.samples(OLDEST) === undefined) return absent(facts, OLDEST, 'D');
  const tasks = stuckTasks(facts);
  const long = tasks.filter((task) => task.seconds > STUCK_SECONDS).length;
  // The details list a bounded number of tasks and may be older than the sample: one is stuck if the sample says so.
  const value = (oldest ?? 0) <= STUCK_SECONDS ? 0 : Math.max(1, long);
  return {
    target: 'D',
    value,
    evidence: [
      `waiting=${waiting}`,
      `oldest=${formatSeconds(oldest ?? 0)}`,
      ...tasks.slice(0, 5).map((task) => task.text),
    ],
    variant: 'D',
    facts: { oldest: formatSeconds(oldest ?? 0) },
  };
}

function dead(facts: Facts): Observation {
  const count = inState(facts, 'Zombie');
  if (count === undefined) return absent(facts, STATES, 'Z');
  return { target: 'Z', value: count, evidence: zombies(facts), variant: 'Z' };
}

export const processStates: Check = {
  code: 'PROCESS_STATES',
  area: 'processes',
  unit: 'count',
  needs: [STATES, OLDEST],
  limits: above(1, 11, 1, 10),
  variants: { D: { limits: above(1, 11, 1, 10) }, Z: { limits: above(6, 101, 5, 90) } },
  source: 'awesome-prometheus-alerts, BlueKing bcs-cluster-reporter (more than 10 in D, more than 100 zombies)',
  text: {
    title: both('D 状态与僵尸进程', 'tasks in state D and zombies'),
    meaning: both(
      'D:超过 60 s 不可中断睡眠的任务,多为存储或 NFS 无响应,杀不掉。Z:已退出而父进程不回收。',
      'D: tasks in uninterruptible sleep for over 60 s, mostly storage or NFS that does not answer; they cannot be killed. Z: exited, not reaped by the parent.',
    ),
    remedy: both(
      'D:看任务的内核栈 (/proc/PID/stack) 指向哪个设备或挂载,恢复它。Z:修复或重启不回收的父进程。',
      'D: the task’s kernel stack (/proc/PID/stack) names the device or mount; bring that back. Z: fix or restart the parent that does not reap.',
    ),
  },
  evaluate: (facts) => ({ observations: [stuck(facts), dead(facts)] }),
  line({ target, facts }, value, _verdict, limit) {
    if (target === 'Z') {
      return both(`僵尸进程 ${value} 个(限 ${limit})`, `zombies: ${value} (limit ${limit})`);
    }
    const oldest = facts?.['oldest'] ?? '?';
    return both(
      value === 0
        ? `无超过 ${STUCK_SECONDS} s 的 D 状态任务(限 ${limit})`
        : `D 状态任务 ${value} 个超过 ${STUCK_SECONDS} s(限 ${limit}),最久 ${oldest}`,
      `tasks in state D for over ${STUCK_SECONDS} s: ${value} (limit ${limit})${value === 0 ? '' : `, longest ${oldest}`}`,
    );
  },
  command: ({ target }) => `ps -eo state,pid,ppid,wchan:32,comm | grep "^${target === 'Z' ? 'Z' : 'D'}"`,
  samples: [
    written('none', { Waiting: 1, Zombie: 0 }, 5, { D: 'ok', Z: 'ok' }),
    written('one stuck, ten zombies', { Waiting: 1, Zombie: 10 }, 300, { D: 'warn', Z: 'warn' }),
    written('twelve stuck, 200 zombies', { Waiting: 12, Zombie: 200 }, 4000, { D: 'crit', Z: 'crit' }),
  ],
};

function written(
  name: string,
  states: Readonly<Record<string, number>>,
  oldest: number,
  expect: Check['samples'][number]['expect'],
): Check['samples'][number] {
  return {
    name: `written: ${name}`,
    metrics: {
      [STATES]: Object.entries(states).map(([state, value]) => ({ labels: { state }, value })),
      [OLDEST]: [{ labels: {}, value: oldest }],
    },
    details: {
      process: {
        processes: [],
        dstate: Array.from({ length: states['Waiting'] ?? 0 }, (_, i) => ({
          pid: 100 + i,
          comm: 'dd',
          sinceSeconds: oldest,
          wchan: 'rpc_wait_bit_killable',
        })),
        zombies: [],
      },
    },
    expect,
  };
}
