// The Grafana dashboards: importable, about metrics and labels that the daemon exposes, in PromQL that Prometheus takes.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { documentedMetrics } from '../docs/documented-metrics.ts';
import { type Dashboard, dashboards, expressionsOf, type Panel, substitute } from '../support/dashboards.ts';
import { privateDirectory } from '../support/daemon.ts';
import { needs } from '../support/needs.ts';
import { partsOf, unknownNames } from '../support/promql.ts';

const LABELS = new Map(documentedMetrics().map(({ name, labels }) => [name, labels]));
const PANELS = ['row', 'stat', 'timeseries', 'table', 'bargauge'];
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

const all = dashboards();

const faultsOf = (promql: string, legend = ''): readonly string[] =>
  unknownNames(substitute(promql, {}), LABELS, legend);

t.test('what an expression speaks of is found in it, whatever its form', async (t) => {
  const parts = partsOf(
    'sum by (instance, le) (rate(a_total{x="} b{y=\\"",z!~"c"}[5m])) / ignoring (cpu) (b > 0) or c:d offset 1h and on (k) topk(3, e @ end()) unless 1e3',
  );
  t.same(parts.selectors, [
    { metric: 'a_total', labels: ['x', 'z'] },
    { metric: 'b', labels: [] },
    { metric: 'c:d', labels: [] },
    { metric: 'e', labels: [] },
  ]);
  t.same(
    parts.groupings.map(({ keyword, labels }) => `${keyword} ${labels.join()}`),
    ['by instance,le', 'ignoring cpu', 'on k'],
  );
  t.same(faultsOf('sum by (mode) (rate(node_cpu_seconds_total{cpu="0",job="x"}[5m]))', '{{mode}}'), []);
  t.same(faultsOf('sum by (cpi) (rate(node_cpu_seconds_total{mod="user"}[5m])) / node_load2', '{{device}}'), [
    'no label mod on node_cpu_seconds_total',
    'no metric node_load2',
    'no label cpi on any of them',
    'no label device on any of them',
  ]);
  t.same(faultsOf('node_load1 + sum({__name__=~"node_load(1|7)"})'), ['no metric like node_load7']);
});

t.test('each metric and each label of the dashboards is one that the daemon exposes', async (t) => {
  t.same([...all.keys()], ['container.json', 'host.json', 'kernel.json', 'ovs.json', 'process.json']);
  for (const [file, dashboard] of all) {
    const expressions = expressionsOf(dashboard);
    t.ok(expressions.length > 15, `${file} has ${expressions.length} expressions`);
    for (const { where, promql, legend } of expressions) t.same(faultsOf(promql, legend), [], `${file}, ${where}`);
  }
});

t.test('the PromQL is valid', { skip: needs('promtool') }, async (t) => {
  const file = join(privateDirectory(t), 'rules.yml');
  const check = (expressions: readonly string[]): string => {
    const rules = expressions.map((promql, i) => ({ record: `dashboard:${i}`, expr: substitute(promql, {}) }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboards', rules }] })); // JSON is YAML
    const { status, stderr } = spawnSync('/usr/bin/promtool', ['check', 'rules', file]);
    return status === 0 ? '' : stderr.toString() || `status ${status}`;
  };
  for (const [name, dashboard] of all)
    t.equal(check(expressionsOf(dashboard).map(({ promql }) => promql)), '', `${name} is valid`);
  t.match(check(['sum by (x) (rate(node_load1))']), /expected type range vector/, 'and what is not is found');
});

t.test('each dashboard is importable into any Grafana', async (t) => {
  for (const [file, dashboard] of all) {
    const { uid, schemaVersion, templating, annotations, panels } = dashboard;
    t.equal(`${uid}.json`, `jdos-${file}`);
    t.ok(schemaVersion >= 39);
    t.equal((dashboard as { id?: unknown }).id, undefined, 'the number is given by the Grafana that imports it');
    const [first, ...variables] = templating.list;
    t.match(first, { name: 'datasource', type: 'datasource', query: 'prometheus' });
    for (const { name, type, datasource, definition, query } of variables.filter(({ type }) => type === 'query')) {
      t.same(datasource, DATASOURCE, `${type} $${name}`);
      t.match(query, { query: definition });
    }
    for (const { name, builtIn, datasource } of annotations.list)
      if (builtIn === undefined) t.same(datasource, DATASOURCE, name);
    const names = new Set([...templating.list.map(({ name }) => name), '__range', '__rate_interval']);
    for (const { where, promql } of expressionsOf(dashboard))
      for (const [, name = ''] of promql.matchAll(/\$\{?(\w+)/g)) t.ok(names.has(name), `${where} uses $${name}`);
    checkPanels(t, panels);
  }
});

function checkPanels(t: Test, panels: readonly Panel[]): void {
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'no id twice');
  const taken = new Set<string>();
  for (const { type, title, description = '', datasource, gridPos, targets = [] } of panels) {
    t.ok(PANELS.includes(type), `${title} is a ${type}`);
    t.ok(gridPos.x + gridPos.w <= 24, `${title} is within the grid`);
    const cells = Array.from({ length: gridPos.w * gridPos.h }, (_, i) => {
      return `${gridPos.x + (i % gridPos.w)} ${gridPos.y + Math.floor(i / gridPos.w)}`;
    });
    t.notOk(
      cells.some((cell) => taken.has(cell)),
      `${title} covers no other panel`,
    );
    for (const cell of cells) taken.add(cell);
    if (type === 'row') continue;
    t.match(description, /\S.*\.$/, `${title} is described`);
    t.ok(targets.length > 0, `${title} asks for something`);
    for (const one of [datasource, ...targets.map((target) => target.datasource)])
      t.same(one, DATASOURCE, `${title} asks the chosen data source`);
  }
}

t.test('each leads to the others, and the documentation names each', async (t) => {
  const isLinked = ({ tags, links }: Dashboard): boolean =>
    tags.includes('jdos') && links.some((link) => link.type === 'dashboards' && link.tags.includes('jdos'));
  const document = await readFile(join(import.meta.dirname, '../../docs/prometheus.md'), 'utf8');
  for (const [file, dashboard] of all) {
    t.ok(isLinked(dashboard), `${file} is among the linked, and links to them`);
    t.ok(document.includes(`deploy/grafana/${file}`), `${file} is documented`);
  }
});
