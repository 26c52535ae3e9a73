// What the kernel told of within a day: by the hour, exactly, over floods, boots and clocks that are set.
import t from 'tap';
import type { KernelEvent } from '../../../src/probes/kmsg/event.ts';
import { countRecent, dayOf, forget, keepLast, type Recents } from '../../../src/probes/kmsg/recent.ts';

const HOUR = 3_600_000;
const NOW = 500_000 * HOUR;
const day = (recents: Recents, reason: string): number | undefined => {
  const recent = recents.get(reason);
  return recent && dayOf(recent);
};
const event = (about: Partial<KernelEvent>): KernelEvent => ({
  bootId: 'boot',
  seq: 1,
  usec: 0,
  at: NOW,
  reason: 'IOError',
  severity: 3,
  message: 'Buffer I/O error on dev sda',
  fields: {},
  lines: [],
  suppressed: 0,
  cgroup: null,
  container: null,
  ...about,
});

t.test('a flood counts exactly, and what is older than a day is forgotten', async (t) => {
  const recents: Recents = new Map();
  for (let i = 0; i < 100_000; i += 1) countRecent(recents, 'IOError', NOW - 26 * HOUR);
  for (let i = 0; i < 70; i += 1) countRecent(recents, 'IOError', NOW - 23 * HOUR + i);
  countRecent(recents, 'IOError', NOW);
  countRecent(recents, 'KernelOops', NOW - 30 * HOUR);
  t.equal(day(recents, 'IOError'), 100_071);
  forget(recents, NOW);
  t.equal(day(recents, 'IOError'), 71);
  t.notOk(recents.has('KernelOops'));
});

t.test('a week of hours keeps no more than a day, and a clock that is set back loses none', async (t) => {
  const recents: Recents = new Map();
  for (let hour = 168; hour >= 0; hour -= 1) countRecent(recents, 'IOError', NOW - hour * HOUR);
  t.equal(recents.get('IOError')?.hours.length, 25);
  countRecent(recents, 'IOError', NOW - 100 * HOUR);
  t.equal(day(recents, 'IOError'), 26);
  t.equal(recents.get('IOError')?.hours.length, 25);
});

t.test('the last of each is kept with whose it was', async (t) => {
  const recents: Recents = new Map();
  keepLast(recents, event({}));
  t.equal(recents.size, 0, 'what was not counted is not kept');
  countRecent(recents, 'IOError', NOW);
  for (const [about, of] of [
    [{}, undefined],
    [{ cgroup: '/system.slice/a.service' }, '/system.slice/a.service'],
    [{ cgroup: '/docker/ab', container: { id: 'ab' } }, 'ab'],
    [{ cgroup: '/x', container: { namespace: 'shop', pod: 'cart', container: 'web', id: 'ab' } }, 'shop/cart/web'],
  ] as const) {
    keepLast(recents, event({ ...about, message: 'x'.repeat(1000) }));
    t.same(recents.get('IOError')?.last, { at: NOW, message: 'x'.repeat(300), ...(of && { of }) });
  }
});

t.test('reasons are bounded', async (t) => {
  const recents: Recents = new Map();
  for (let i = 0; i < 5000; i += 1) countRecent(recents, `Reason${i}`, NOW);
  t.equal(recents.size, 1000);
});
