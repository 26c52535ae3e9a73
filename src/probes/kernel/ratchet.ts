// Keeps the kernel's per-CPU time from running backwards, as idle and iowait do by a few ticks, and after hot-plugging.
import { parseWith, z } from '../../base/schema.ts';

/** A step back of more than this, to less than half, is a counter that began again: 3 s at USER_HZ 100. */
const RESTART_TICKS = 300;

const Saved = z.record(z.string(), z.object({ last: z.array(z.number()), base: z.array(z.number()).optional() }));
type Saved = z.output<typeof Saved>;

interface Ratchet {
  /** The columns of one CPU, never smaller than those given for it before. */
  advance(cpu: string, raw: readonly number[]): readonly number[];
  /** For the process after this one: what {@link openRatchet} takes. */
  state(): Saved;
}

/** Opens with what an earlier ratchet's `state()` gave; anything else starts anew. */
export function openRatchet(saved: unknown): Ratchet {
  const parsed = parseWith(Saved, saved);
  const cpus = new Map<string, { last: number[]; base: number[] }>();
  if ('value' in parsed) {
    for (const [cpu, { last, base }] of Object.entries(parsed.value)) cpus.set(cpu, { last, base: base ?? [] });
  }
  return {
    advance(cpu, raw) {
      let seen = cpus.get(cpu);
      if (seen === undefined) cpus.set(cpu, (seen = { last: [], base: [] }));
      const { last, base } = seen;
      return raw.map((value, column) => {
        const before = last[column] ?? 0;
        const restarted = before - value > RESTART_TICKS && value < before / 2;
        if (restarted) base[column] = (base[column] ?? 0) + before;
        const now = restarted ? value : Math.max(value, before);
        last[column] = now;
        return (base[column] ?? 0) + now;
      });
    },
    state: () =>
      Object.fromEntries(
        [...cpus].map(([cpu, { last, base }]) => [
          cpu,
          base.length === 0 ? { last } : { last, base: last.map((_, column) => base[column] ?? 0) },
        ]),
      ),
  };
}
