// What history tells of itself, and the growth of file descriptors, as metrics.
import { Counter, Gauge, type Registry } from '../../base/metrics.ts';
import type { FdsGrowth, HistoryStats } from './messages.ts';

/** Groups with the fastest growth that have a series. */
const GROUPS = 20;

interface HistoryFacts {
  readonly stats: HistoryStats | undefined;
  readonly growth: FdsGrowth | undefined;
}

/** Registers the metrics; values are taken when the registry is read. */
export function historyMetrics(registry: Registry, facts: () => HistoryFacts): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (stats: HistoryStats) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const { stats } = facts();
        if (stats !== undefined) this.set(value(stats));
      },
    });
  };
  gauge('jdos_history_series', 'Series that history takes in now.', ({ series }) => series);
  gauge('jdos_history_bytes', 'Bytes of the files of history.', ({ diskBytes }) => diskBytes);
  new Counter({
    name: 'jdos_history_lost_seconds_total',
    help: 'Time whose rollups could not be written for hours and are lost to history.',
    registers,
    collect() {
      this.reset();
      this.inc((facts().stats?.lostMinutes ?? 0) * 60);
    },
  });
  new Gauge({
    name: 'jdos_processes_fds_growth_per_hour',
    help: 'File descriptors that a group of processes gained per hour over the last day; the 20 groups that grow fastest.',
    labelNames: ['groupname'],
    registers,
    collect() {
      this.reset();
      const groups = [...(facts().growth?.groups ?? [])].filter(([, perHour]) => perHour > 0);
      for (const [groupname, perHour] of groups.sort(([, a], [, b]) => b - a).slice(0, GROUPS))
        this.set({ groupname }, perHour);
    },
  });
}
