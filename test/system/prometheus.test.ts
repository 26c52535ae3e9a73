// The exposition before its real readers: promtool's linter, and a Prometheus that scrapes.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import t from 'tap';
import { eventually, startDaemon } from '../support/daemon.ts';
import { askDashboard, dashboards } from '../support/dashboards.ts';
import { golden } from '../support/golden.ts';
import { HARD_NAMES, startNamed } from '../support/named-process.ts';
import { unpackHosts } from '../support/host-archive.ts';
import { needs } from '../support/needs.ts';
import { startPrometheus } from '../support/prometheus.ts';

/** What Prometheus 2 asks for by itself. */
const PROMETHEUS_ACCEPTS =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

/** Of other programs; in OpenMetrics some of it does not fit its type, or has the family name of another. */
const OF_OTHERS = `# HELP backup_seconds Time that backups took.
# TYPE backup_seconds histogram
backup_seconds_bucket{job="db",le="60"} 1
backup_seconds_count{job="db"} 2
# TYPE backup_rpc_seconds summary
backup_rpc_seconds{quantile="0.5"} 1e-3
# TYPE backup_runs counter
backup_runs 3
# TYPE backup_bytes gauge
backup_bytes NaN
# TYPE backup_bytes_total counter
backup_bytes_total +Inf
# TYPE backup_ok_total gauge
backup_ok_total 1
backup_last_bucket{host="\\"\\n"} 1
`;

/** One finding a line; fails on text that does not parse. */
function lint(text: string): readonly string[] {
  const { status, stderr, error } = spawnSync('/usr/bin/promtool', ['check', 'metrics'], { input: text });
  if (error !== undefined) throw error;
  const findings = stderr.toString().split('\n').filter(Boolean);
  if (status !== 0 && status !== 3) throw new Error(`promtool cannot read it:\n${findings.join('\n')}`); // 3: lint
  return findings;
}

/** What the kernel of a host calls its memory: differs between hosts, so the list holds a recorded host's. */
const isOfMemory = (finding: string): boolean =>
  /^node_memory_\w+ metric names should be written in 'snake_case'/.test(finding);
/** What a host has depends on its containers: the list holds those of a recorded host. */
const isOfContainers = (finding: string): boolean => finding.startsWith('container_');

t.test(
  'promtool finds fault with nothing but the names that compatibility fixes',
  { skip: needs('promtool') },
  async (t) => {
    const hostRoot = join(import.meta.dirname, '../fixtures/host/debian12-6.18');
    const withContainers = unpackHosts(t, 'debian13-6.12-v2');
    const [ofRecorded = [], ofContainers = [], ofThis = []] = await Promise.all(
      [['--host-root', hostRoot], ['--host-root', withContainers], []].map(async (args) => {
        const daemon = startDaemon(t, { args });
        await daemon.until(/first report/);
        return lint(await (await fetch(`${daemon.url()}/metrics`)).text());
      }),
    );
    const found = [
      ...ofContainers.filter(isOfContainers),
      ...ofThis.filter((finding) => !isOfMemory(finding) && !isOfContainers(finding)),
      ...ofRecorded.filter(isOfMemory),
    ];
    await golden(t, 'promlint.txt', `${found.join('\n')}\n`);
    const isOurs = (finding: string): boolean => !/^(node|namedprocess|container|machine|problem)_/.test(finding);
    t.same([...ofRecorded, ...ofContainers, ...ofThis].filter(isOurs), [], 'no name of our own is among them');
  },
);

t.test(
  'Prometheus scrapes everything and each compatible family, in OpenMetrics and gzip, without a complaint',
  { skip: needs('prometheus') },
  async (t) => {
    await Promise.all(HARD_NAMES.map((name) => startNamed(t, name)));
    const textfiles = t.testdir({ 'backup.prom': OF_OTHERS, 'cut.prom': 'cut 1' });
    const daemon = startDaemon(t, {
      config: `probes: { periodSeconds: 1, budget: { cpuRatio: 1 }, textfile: { directory: ${textfiles} } }\n`,
    });
    await daemon.until(/first report/);
    const paths = {
      all: '/metrics',
      node: '/metrics/node',
      process: '/metrics/process',
      container: '/metrics/container',
      cadvisor: '/metrics/cadvisor',
      problem: '/metrics/problem',
    };
    for (const path of Object.values(paths)) {
      const { headers, body } = await scrapeRaw(`${daemon.url()}${path}`);
      t.match(headers['content-type'], /^application\/openmetrics-text; version=1\.0\.0; charset=utf-8$/, path);
      t.equal(headers['content-encoding'], 'gzip', path);
      t.match(gunzipSync(body).toString(), /\n# EOF\n$/, path);
    }
    const prometheus = await startPrometheus(
      t,
      Object.fromEntries(Object.entries(paths).map(([job, path]) => [job, new URL(`${daemon.url()}${path}`)])),
    );
    await eventually('ten scrapes of each', async () => {
      const counted = await prometheus.query('count_over_time(up[1m]) >= 10');
      return counted.length === 6 || undefined;
    });
    t.same(
      (await prometheus.query('min_over_time(up[1m])')).map(({ metric, value }) => [metric['job'], value]).sort(),
      [
        ['all', 1],
        ['cadvisor', 1],
        ['container', 1],
        ['node', 1],
        ['problem', 1],
        ['process', 1],
      ],
    );
    for (const promql of [
      'node_load1{job="all"}',
      'node_load1{job="node"}',
      'rate(node_cpu_seconds_total{job="node",mode="idle",cpu="0"}[10s]) > 0',
      'namedprocess_namegroup_num_procs{job="process",groupname="prometheus"} == 1',
      'rate(namedprocess_namegroup_cpu_seconds_total{job="all",groupname="prometheus",mode="user"}[10s])',
      'jdos_series{job="all"} > 100',
      'backup_seconds_bucket{job="node",exported_job="db",le=~"60(.0)?"} == 1',
      'backup_rpc_seconds{job="all",quantile="0.5"} == 0.001',
      'backup_runs{job="all"} == 3',
      'backup_bytes_total{job="all"} == Inf',
      'backup_last_bucket{job="all",host="\\"\\n"} == 1',
      'node_textfile_scrape_error{job="all"} == 1',
      'node_textfile_mtime_seconds{job="all",file=~".*/backup.prom"} > 0',
      'container_memory_working_set_bytes{job="container",id="/"} > 0',
      'container_memory_working_set_bytes{job="cadvisor",id="/"} > 0',
      'machine_cpu_cores{job="all"} > 0',
      'problem_counter{job="problem",reason="KernelOops"} >= 0',
      'problem_gauge{job="all",type="ReadonlyFilesystem",reason="FilesystemIsReadOnly"} >= 0',
      'node_kernel_hung_tasks{job="node"} == node_kernel_hung_tasks_total',
      'jdos_component_up{component="probes"} == 1',
      ...HARD_NAMES.map(
        (name) => `namedprocess_namegroup_num_procs{job="all",groupname=${promqlString(name.toString())}} == 1`,
      ),
    ]) {
      t.equal((await prometheus.query(promql)).length, 1, promql);
    }
    t.same(
      await prometheus.query('{__name__=~"node_.*",job="process"} or {__name__=~"namedprocess_.*",job="node"}'),
      [],
    );

    const asked = { job: 'all', __rate_interval: '10s', __range: '1m' };
    for (const [file, dashboard] of dashboards()) {
      if (file === 'ovs.json') continue; // asked where there is an Open vSwitch
      const { answered, empty } = await askDashboard(prometheus, dashboard, asked);
      t.ok(answered > 3, `${file}: ${answered} expressions have an answer here`);
      if (file !== 'container.json') t.same(empty, [], `${file}: what is exposed is shown`);
    }

    const targets = await prometheus.get<{ activeTargets: { lastError: string; health: string }[] }>('targets');
    t.same(
      targets.activeTargets.map(({ lastError, health }) => [health, lastError]),
      Object.keys(paths).map(() => ['up', '']),
    );
    const metadata = await prometheus.get<{ metric: string; type: string }[]>(
      `targets/metadata?match_target=${encodeURIComponent('{job="all"}')}`,
    );
    t.match(
      metadata.find(({ metric }) => metric === 'backup_seconds'),
      { type: 'histogram' },
    );
    t.match(
      metadata.find(({ metric }) => metric === 'jdos_process_restarts'),
      { type: 'counter' },
      'it was read as OpenMetrics, where a counter is named without _total',
    );
    t.same(
      prometheus
        .log()
        .split('\n')
        .filter((line) => /level=(warn|error)|scrape failed|duplicate|out[- ]of[- ]order/i.test(line)),
      [],
      'nothing in its log',
    );
  },
);

/** PromQL takes U+FFFD only in escaped form. */
const promqlString = (text: string): string => JSON.stringify(text).replaceAll('\ufffd', '\\ufffd');

/** The answer to a scraper as it crosses the wire, still packed. */
const scrapeRaw = (url: string): Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }> =>
  new Promise((resolve, reject) => {
    const headers = { accept: PROMETHEUS_ACCEPTS, 'accept-encoding': 'gzip' };
    request(url, { headers, agent: false }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => resolve({ headers: reply.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
