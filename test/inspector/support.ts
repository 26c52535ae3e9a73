// A host view, a clock and a ticker in the hands of the tests; results without the words nobody compares.
import { join } from 'node:path';
import type { Test } from 'tap';
import { openStateStore, type StateStore } from '../../src/drivers/sqlite/index.ts';
import { factsOf, NO_HISTORY, type History } from '../../src/inspector/facts.ts';
import { inspectorMigrations } from '../../src/inspector/index.ts';
import type { Check } from '../../src/inspector/check.ts';
import { checks } from '../../src/inspector/checks/index.ts';
import type { Area, Result, Run, Verdict } from '../../src/inspector/model.ts';
import { inspect, type Memories, type RunOutcome } from '../../src/inspector/run.ts';
import type { CollectorStatus, HostView, MetricSample } from '../../src/probes/index.ts';

export const NOW = Date.UTC(2026, 10, 23, 8);

export interface FakeView extends HostView {
  metrics: Record<string, readonly MetricSample[]>;
  statuses: CollectorStatus[];
}

export const one = (value: number): readonly MetricSample[] => [{ labels: {}, value }];

/** Knows what it is given; every metric belongs to the collector `all`. */
export function fakeView(metrics: Record<string, readonly MetricSample[]>): FakeView {
  const view: FakeView = {
    metrics,
    statuses: [status('all')],
    samples: (metric) => view.metrics[metric],
    collectorOf: () => 'all',
    collectors: () => view.statuses,
    details: (collector) => (collector === 'kmsg' ? { day: [], lasting: [] } : undefined),
  };
  return view;
}

export const status = (name: string, more: Partial<CollectorStatus> = {}): CollectorStatus => ({
  name,
  state: 'ok',
  lastSuccessAt: undefined,
  error: undefined,
  quarantined: [],
  series: 1,
  durationSeconds: 0,
  periodSeconds: 15,
  stretched: undefined,
  leftOut: [],
  ...more,
});

/** What there is of Open vSwitch on a host without it. */
const NO_SWITCH: Record<string, readonly MetricSample[]> = {
  jdos_ovs_present: one(0),
  ...Object.fromEntries(
    checks
      .filter(({ code }) => code.startsWith('OVS_'))
      .flatMap(({ needs }) => needs.filter((metric) => metric !== 'jdos_ovs_present').map((metric) => [metric, []])),
  ),
};

/** Disks of a virtual machine. */
const NO_SMART: Record<string, readonly MetricSample[]> = {
  ...Object.fromEntries((checks.find(({ code }) => code === 'DISK_SMART')?.needs ?? []).map((metric) => [metric, []])),
  jdos_disk_smart_info: [{ labels: { device: 'vda', state: 'virtual' }, value: 1 }],
};

/** A host on which nothing is wrong. */
export const healthy = (): Record<string, readonly MetricSample[]> => {
  const root = { device: '/dev/vda1', fstype: 'ext4', mountpoint: '/' };
  return {
    node_filesystem_size_bytes: [{ labels: root, value: 100e9 }],
    node_filesystem_free_bytes: [{ labels: root, value: 60e9 }],
    node_filesystem_avail_bytes: [{ labels: root, value: 55e9 }],
    node_filesystem_files: [{ labels: root, value: 1000 }],
    node_filesystem_files_free: [{ labels: root, value: 900 }],
    node_filesystem_readonly: [{ labels: root, value: 0 }],
    node_filesystem_device_error: [{ labels: root, value: 0 }],
    node_memory_MemAvailable_bytes: one(8e9),
    node_memory_MemTotal_bytes: one(16e9),
    node_pressure_memory_waiting_seconds_total: one(10),
    node_pressure_memory_stalled_seconds_total: one(5),
    node_pressure_io_waiting_seconds_total: one(10),
    node_pressure_io_stalled_seconds_total: one(5),
    node_load1: one(1),
    node_load5: one(1),
    node_load15: one(1),
    node_cpu_seconds_total: ['0', '1'].map((cpu) => ({ labels: { cpu, mode: 'idle' }, value: 1 })),
    node_vmstat_oom_kill: one(0),
    jdos_last_reboot_info: [],
    node_boot_time_seconds: one(NOW / 1000 - 30 * 86_400),
    node_filefd_allocated: one(1000),
    node_filefd_maximum: one(100_000),
    namedprocess_namegroup_worst_fd_ratio: [{ labels: { groupname: 'nginx' }, value: 0.1 }],
    jdos_processes: [{ labels: { state: 'Waiting' }, value: 0 }],
    jdos_process_dstate_oldest_seconds: one(0),
    jdos_clock_synchronized: [{ labels: { source: 'systemd-timesyncd' }, value: 1 }],
    jdos_clock_last_synchronized_timestamp_seconds: [],
    node_nf_conntrack_entries: one(1000),
    node_nf_conntrack_entries_limit: one(262_144),
    jdos_kmsg_reading: [{ labels: { reason: '' }, value: 1 }],
    jdos_kmsg_lost_total: one(0),
    jdos_neighbour_entries: ['ipv4', 'ipv6'].map((family) => ({ labels: { family }, value: 12 })),
    jdos_neighbour_entries_limit: ['ipv4', 'ipv6'].map((family) => ({
      labels: { family, threshold: 'gc_thresh3' },
      value: 1024,
    })),
    ...NO_SMART,
    ...NO_SWITCH,
    node_uname_info: [{ labels: { nodename: 'h1', release: '6.1.0' }, value: 1 }],
    node_os_info: [{ labels: { pretty_name: 'Debian GNU/Linux 12' }, value: 1 }],
  };
};

/** One run of some checks over a view. */
export function runOver(
  checks: readonly Check[],
  view: HostView,
  options: { now?: number; memories?: Memories; history?: History; clock?: () => number } = {},
): RunOutcome {
  const { now = NOW, memories = new Map(), history = historyFor(checks), clock = () => now } = options;
  return inspect({
    id: 'r1',
    host: 'h1',
    startedAt: now,
    checks,
    facts: factsOf({ view, parts: () => new Map(), history, now }),
    memories,
    limits: {},
    mutes: [],
    missing: [],
    deadline: now + 1000,
    clock,
  });
}

/** A history without values for the ages that the checks ask for. */
export const historyFor = (checks: readonly Check[]): History => ({
  ...NO_HISTORY,
  byAge: new Map(checks.flatMap((check) => (check.lookBack ?? []).map((age) => [age, new Map()]))),
});

export const openStore = (t: Test, dir = t.testdir()): Promise<StateStore> =>
  openStateStore(join(dir, 'state.db'), [inspectorMigrations]);

export const result = (code: string, target: string, verdict: Verdict, area: Area = 'storage'): Result => ({
  code,
  target,
  verdict,
  area,
  value: 1,
  unit: 'count',
  limit: 1,
  evidence: [],
  line: { 'zh-CN': `${code} ${target}`, en: `${code} ${target}` },
  since: NOW,
  streak: 0,
});

export const runWith = (results: readonly Result[], more: Partial<Run> = {}): Run => ({
  id: 'r1',
  host: 'h1',
  startedAt: NOW,
  finishedAt: NOW,
  state: 'complete',
  missing: [],
  results,
  waiting: [],
  score: 100,
  deductions: [],
  ...more,
});
