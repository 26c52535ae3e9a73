// `jdos events` in the terminal: what happened, whose it was, what is not kept, and foreign text made safe.
import t from 'tap';
import { eventLines } from '../../src/cli/events.ts';
import { golden } from '../support/golden.ts';

const OOM = {
  bootId: 'boot',
  seq: 7,
  at: new Date(2026, 10, 26, 15, 0, 59).getTime(),
  reason: 'OOMKilling',
  severity: 'err',
  message: 'Memory cgroup out of memory: Killed process 29902 (java) total-vm:67804kB',
  fields: { pid: '29902' },
  lines: [
    'java invoked oom-killer: order=0',
    'Memory cgroup out of memory: Killed process 29902 (java) total-vm:67804kB',
  ],
  suppressed: 0,
  cgroup: '/kubepods/pod1/c',
  container: { namespace: 'shop', pod: 'cart-7d9c', container: 'worker', id: '/kubepods/pod1/c', name: 'k8s_worker' },
};

t.test('an event is a line, with whose it is below, and its report where it is wanted', async (t) => {
  const events = [
    { event: OOM, lines: true },
    { event: { ...OOM, container: { id: '/docker/12', name: 'web' } }, lines: false },
    { event: { ...OOM, container: { id: '/docker/12' }, suppressed: 4980 }, lines: false },
    { event: { ...OOM, container: null }, lines: false },
    { event: { ...OOM, container: null, cgroup: null, message: 'red \u001b[31m alert\nforged line' }, lines: false },
  ];
  const text = events.flatMap(({ event, lines }) => eventLines(event, { colour: false }, lines)).join('\n');
  await golden(t, 'cli-events.txt', `${text}\n`);
});
