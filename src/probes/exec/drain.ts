// Takes what a trace has, in the order in which it happened over all CPUs, a bounded part at a time.
import type { TraceEvent } from './events.ts';
import { eachRecord } from './page.ts';
import type { Trace } from './tracefs.ts';

/** Pages of all CPUs in one turn: two megabytes, some ten milliseconds of work. */
const PAGES = 512;
/** Another CPU may be about to commit an event that is so much older, in nanoseconds. */
const SETTLED_NS = 1e6;
/** So many are not held back: in a time namespace of its own, this process has another clock than the trace. */
const MOST_HELD = 100_000;

interface Drain {
  /**
   * Gives what happened until `now`, nanoseconds of CLOCK_MONOTONIC, in order. True when there is more to read. What a CPU
   * has not been asked for yet may be older than what another gave: the younger waits for the next turn.
   */
  turn(now: number, visit: (event: TraceEvent) => void): boolean;
}

export function openDrain(trace: Pick<Trace, 'page' | 'decode' | 'cpus' | 'read'>, mostHeld = MOST_HELD): Drain {
  const page = Buffer.alloc(trace.page.bytes);
  const most = Math.max(4, Math.floor(PAGES / Math.max(1, trace.cpus)));
  let held: TraceEvent[] = [];

  const take = (at: number, start: number, end: number): void => {
    const event = trace.decode(page, at, start, end);
    if (event !== undefined) held.push(event);
  };
  /** The time until which everything of a CPU is read; undefined: all there is. */
  const read = (cpu: number): number | undefined => {
    let last = 0;
    for (let pages = 0; pages < most; pages += 1) {
      if (!trace.read(cpu, page)) return undefined;
      last = eachRecord(page, trace.page, take) ?? last;
    }
    return last;
  };
  return {
    turn(now, visit) {
      let until = now - SETTLED_NS;
      let more = false;
      for (let cpu = 0; cpu < trace.cpus; cpu += 1) {
        const last = read(cpu);
        if (last === undefined) continue;
        more = true;
        until = Math.min(until, last);
      }
      held.sort((a, b) => a.at - b.at);
      if (held.length > mostHeld) until = Infinity;
      const split = held.findIndex(({ at }) => at > until);
      const ready = split === -1 ? held : held.slice(0, split);
      held = split === -1 ? [] : held.slice(split);
      for (const event of ready) visit(event);
      return more;
    },
  };
}
