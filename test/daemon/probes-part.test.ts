// What the status says of the probes: what is missing, why, and which key of the configuration decides.
import t from 'tap';
import { probesHealth } from '../../src/daemon/probes-part.ts';
import type { CollectorStatus, HostView } from '../../src/probes/index.ts';
import { status } from '../inspector/support.ts';

const NOW = Date.UTC(2026, 10, 26);
const MIB = 1024 * 1024;
const ALL_WELL = { root: true, budget: { cpuRatio: 0.02, maxRssBytes: 512 * MIB }, residentBytes: 1, now: NOW };

const viewOf = (...collectors: readonly CollectorStatus[]): HostView => ({
  samples: () => [],
  collectorOf: () => undefined,
  collectors: () => collectors,
  details: () => undefined,
});

t.test('when nothing is left out, it is available', async (t) => {
  t.same(probesHealth(viewOf(status('a'), status('b')), ALL_WELL), {
    state: 'available',
    summary: '2 collectors, 2 series',
  });
  t.equal(probesHealth(viewOf(status('a', { state: 'waiting' })), ALL_WELL).state, 'starting');
});

t.test('a stretched period is told with what it would cost and what is allowed', async (t) => {
  const process = status('process', { periodSeconds: 60, stretched: { fromSeconds: 15, cpuRatio: 0.0312 } });
  const exec = status('exec', { periodSeconds: 30, stretched: { fromSeconds: 15, cpuRatio: 0.00051 } });
  t.same(probesHealth(viewOf(process, exec, status('stat')), ALL_WELL), {
    state: 'limited',
    summary: '3 collectors, 3 series',
    reason:
      'process runs every 60 s instead of 15 s, at which it would cost 3.1 % of a core, ' +
      'exec runs every 30 s instead of 15 s, at which it would cost 0.051 % of a core: probes.budget.cpuRatio allows 2 % for all',
    costs: 'how new their series are',
    remedy: 'raise probes.budget.cpuRatio, or leave them out with probes.disable',
  });
});

t.test('what is beyond a limit is told with the key that raises it', async (t) => {
  const process = status('process', { leftOut: [{ reason: 'groups', count: 12 }] });
  const container = status('container', {
    leftOut: [
      { reason: 'containers', count: 3 },
      { reason: 'budget', count: 70 },
      { reason: 'label', count: 2 },
    ],
  });
  const other = status('other', { leftOut: [{ reason: 'budget', count: 30 }] });
  const health = probesHealth(viewOf(process, container, other), ALL_WELL);
  t.match(health, { state: 'limited', summary: '3 collectors, 3 series, 2 label values cut to probes.maxLabelLength' });
  t.equal(
    health.reason,
    '100 series are beyond probes.maxSeries; 12 process groups (counted as "other") are beyond probes.processes.maxGroups; 3 containers and pods are beyond probes.containers.max',
  );
  t.equal(health.remedy, 'raise probes.maxSeries; raise probes.processes.maxGroups; raise probes.containers.max');
  const cut = status('container', { leftOut: [{ reason: 'label', count: 2 }] });
  t.equal(probesHealth(viewOf(cut), ALL_WELL).state, 'available', 'a label that is cut is no lack');
});

t.test('memory beyond the budget is told, and for an hour that a process was ended for it', async (t) => {
  const view = viewOf(status('a'));
  t.match(probesHealth(view, { ...ALL_WELL, residentBytes: 600 * MIB }), {
    state: 'limited',
    reason: 'the probe process holds 600 MiB of memory, probes.budget.maxRssBytes allows 512 MiB',
  });
  const ends = [{ reason: 'memory', count: 2, at: NOW - 120_000 }] as const;
  t.match(probesHealth(view, { ...ALL_WELL, ends }), {
    state: 'limited',
    reason: 'the probe process was started again for its memory 2 m ago, probes.budget.maxRssBytes allows 512 MiB',
  });
  t.equal(probesHealth(view, { ...ALL_WELL, ends, now: NOW + 3_600_000 }).state, 'available');
  const hung = [{ reason: 'hung', count: 2, at: NOW - 120_000 }] as const;
  t.equal(probesHealth(view, { ...ALL_WELL, ends: hung }).state, 'available');
});

t.test('several lacks are told together', async (t) => {
  const failed = status('disk', { state: 'failed', error: { reason: 'failed', message: 'no' } });
  const hung = status('fs', { quarantined: [{ target: 'mount /nfs', since: 0, until: 1 }] });
  const { reason, costs } = probesHealth(viewOf(failed, hung), { ...ALL_WELL, root: false });
  t.equal(reason, 'fails: disk (failed); hung and left alone for a while: mount /nfs; not started as root');
  t.equal(costs, 'their series; open fds, I/O and memory maps of processes of other users');
});
