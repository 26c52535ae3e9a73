// Measures the CPU time of each collection, and of what goes on between them, for the decision how often each may run.
import type { Clock } from './clock.ts';
import { afterOne, shareOf, timesFor, type Spending } from './governor.ts';

/** What a collection cost, and what follows from it. */
export interface Spent {
  readonly cpuSeconds: number;
  /** The next one is due after so many of the collector's periods. */
  readonly times: number;
  /** Share of a core that the collector would take at its configured period. */
  readonly cpuRatio: number;
}

interface Meter {
  /** Begins a collection; they do not overlap. */
  begin(): void;
  /** Ends the collection of a collector. */
  end(name: string): Spent;
}

type Metered = Pick<Spending, 'name' | 'periodSeconds' | 'steady'>;

/** What happened so long ago counts a third. */
const MEMORY_MS = 300_000;

export function openMeter(collectors: readonly Metered[], cpuRatio: number, clock: Clock): Meter {
  const accounts = new Map<string, Spending>(collectors.map((one) => [one.name, { ...one, recent: [], times: 1 }]));
  const begun = new Set<string>();
  let cpuAt = clock.cpuSeconds();
  let at = clock.uptime();
  // As if nothing had been done before: a process that starts is busy for a moment, which says nothing.
  let idleMs = MEMORY_MS;
  let betweenSeconds = 0;

  return {
    begin() {
      const [cpu, now] = [clock.cpuSeconds(), clock.uptime()];
      const fade = Math.exp(-(now - at) / MEMORY_MS);
      idleMs = idleMs * fade + (now - at);
      betweenSeconds = betweenSeconds * fade + Math.max(0, cpu - cpuAt);
      [cpuAt, at] = [cpu, now];
    },
    end(name) {
      const cpu = clock.cpuSeconds();
      const cpuSeconds = Math.max(0, cpu - cpuAt);
      cpuAt = cpu;
      const account = accounts.get(name);
      // The first one reads what is kept afterwards, and says little of those that follow.
      if (account === undefined || !begun.has(name)) {
        begun.add(name);
        return { cpuSeconds, times: 1, cpuRatio: 0 };
      }
      const now = { ...account, recent: afterOne(account.recent, cpuSeconds) };
      accounts.set(name, now);
      const elsewhere = (betweenSeconds * 1000) / idleMs;
      const times = timesFor(name, [...accounts.values()], { cpuRatio, elsewhere });
      accounts.set(name, { ...now, times });
      return { cpuSeconds, times, cpuRatio: shareOf(now, 1) };
    },
  };
}
