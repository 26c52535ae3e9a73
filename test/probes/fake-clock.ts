// A clock that stands still until a test moves it.
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/probes/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time on, calling back what falls due and letting promises settle before each. */
  advance(ms: number): Promise<void>;
  /** Uses CPU time, in no time. */
  spend(seconds: number): void;
  /** Moves the wall clock alone. */
  set(now: number): void;
  readonly timers: number;
}

export function fakeClock(now = Date.UTC(2026, 10, 22)): FakeClock {
  let wall = now;
  let uptime = 1000;
  let cpuSeconds = 1;
  const timers = new Set<{ at: number; callback: () => void }>();
  const move = (to: number): void => {
    wall += to - uptime;
    uptime = to;
  };
  return {
    now: () => wall,
    uptime: () => uptime,
    cpuSeconds: () => cpuSeconds,
    after(ms, callback) {
      const timer = { at: uptime + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = uptime + ms;
      for (;;) {
        await setImmediate();
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        move(Math.max(uptime, next.at));
        next.callback();
      }
      move(until);
      await setImmediate();
    },
    spend(seconds) {
      cpuSeconds += seconds;
    },
    set(to) {
      wall = to;
    },
    get timers() {
      return timers.size;
    },
  };
}
