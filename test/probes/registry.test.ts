import { execFileSync } from 'node:child_process';
import t from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { Registry } from '../../src/base/metrics.ts';
import { SILENT } from '../../src/probes/announcements.ts';
import { systemClock } from '../../src/probes/clock.ts';
import { ProbesConfig } from '../../src/probes/config.ts';
import { openMetricsFamily } from '../../src/probes/exposition.ts';
import { decodePublications, encodePublications } from '../../src/probes/publication.ts';
import { collectors, enabledCollectors, unknownCollectors } from '../../src/probes/registry.ts';
import { probeRoutes } from '../../src/probes/routes.ts';
import { openRunner } from '../../src/probes/runner.ts';
import { NODE_SELF_METRICS, SELF_METRICS } from '../../src/probes/self-metrics.ts';
import { openSnapshots } from '../../src/probes/snapshots.ts';

const metrics = [...collectors.flatMap((collector) => collector.metrics), ...SELF_METRICS, ...NODE_SELF_METRICS];
const twice = (names: readonly string[]): readonly string[] => names.filter((name, i) => names.indexOf(name) !== i);

t.test('every name stands for one thing', async (t) => {
  t.same(twice(collectors.map(({ name }) => name)), [], 'collectors');
  t.same(twice(metrics.map(({ name }) => name)), [], 'metrics');
  t.same(twice(metrics.map(({ name, type }) => openMetricsFamily(name, type).name)), [], 'OpenMetrics families');
});

t.test('names, labels and help are as Prometheus wants them', async (t) => {
  for (const { name, help, labels = [] } of metrics) {
    t.match(name, /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
    t.match(help, /^\S/, `${name} says what it is`);
    for (const label of labels) t.match(label, /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/, `label of ${name}`);
    t.same(twice(labels), [], `labels of ${name}`);
  }
  for (const { name } of collectors) t.match(name, /^[a-z][a-z0-9_]*$/);
});

t.test('collectors are switched off and on by name, and a name that none has is told', async (t) => {
  const usual = enabledCollectors(ProbesConfig.parse({})).map(({ name }) => name);
  t.same(
    collectors.map(({ name }) => name).filter((name) => !usual.includes(name)),
    ['interrupts', 'softirqs'],
    'off unless asked for',
  );
  const config = ProbesConfig.parse({ disable: ['vmstat', 'vmsat'], enable: ['interrupts', 'intrrupts'] });
  t.same(
    enabledCollectors(config).map(({ name }) => name),
    [...usual.filter((name) => name !== 'vmstat'), 'interrupts'],
    'what was asked for has the room that the others leave',
  );
  t.same(unknownCollectors(config), ['vmsat', 'intrrupts']);
  const both = ProbesConfig.parse({ disable: ['softirqs'], enable: ['softirqs'] });
  t.same(
    enabledCollectors(both).map(({ name }) => name),
    usual,
  );
});

t.test('all collectors read this very host in two rounds, and promtool parses what they say', async (t) => {
  const log = openLog('test', 'silent');
  const config = ProbesConfig.parse({});
  const snapshots = openSnapshots({ collectors, log, now: Date.now });
  const routes = probeRoutes({
    snapshots,
    own: new Registry(),
    refresh: async () => {},
    fdsGrowth: { process: () => undefined },
    version: '0.0.0',
    log,
    now: Date.now,
  });
  const runner = openRunner({
    collectors,
    hostRoot: '/',
    config,
    resumption: snapshots.resumption(),
    quarantine: [],
    announcements: SILENT,
    log,
    clock: systemClock,
    handOver: async () => {},
    publish: async (publication) => {
      for (const sent of decodePublications(encodePublications([publication], Buffer.alloc))) snapshots.accept(sent);
    },
  });
  t.teardown(() => runner.stop());
  await runner.start(new AbortController().signal);
  await runner.collectNow('all');
  await runner.collectNow('fast');
  for (const { name, state, error } of snapshots.collectors()) {
    const lacking = error?.reason === 'absent' || error?.reason === 'permission';
    t.ok(state === 'ok' || lacking, `${name} is ${state} ${error?.message ?? ''}`);
  }
  const reply = await routes[0]?.handler({
    params: {},
    query: {},
    body: undefined,
    headers: {},
    caller: { name: 'anonymous', role: 'anonymous', from: 'test' },
    signal: new AbortController().signal,
  });
  const text = String(reply?.body);
  t.match(text, /^node_memory_MemTotal_bytes \d+$/m);
  t.doesNotThrow(() => promtool(text));
});

/** Throws when promtool finds a parse error (1); lint warnings are 3. */
function promtool(text: string): void {
  try {
    execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
  } catch (error) {
    const { code, status, stderr } = error as { code?: string; status?: number; stderr?: Buffer };
    if (code !== 'ENOENT' && status !== 3) throw new Error(String(stderr), { cause: error });
  }
}
