// The rules for Prometheus: valid, about what the daemon exposes, and firing on what they are about.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { documentedMetrics } from '../docs/documented-metrics.ts';
import { needs } from '../support/needs.ts';
import { unknownNames } from '../support/promql.ts';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const DIRECTORY = join(import.meta.dirname, '../../deploy/prometheus');
const read = (file: string): string => readFileSync(join(DIRECTORY, file), 'utf8');
const { groups } = parse(read('jdos.rules.yaml')) as { groups: readonly { name: string; rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

t.test('each metric and each label of the rules is one that the daemon exposes, or that a rule records', async (t) => {
  const known = new Map(documentedMetrics().map(({ name, labels }) => [name, labels]));
  for (const { record, expr } of rules) {
    t.same(unknownNames(expr, known), [], expr);
    if (record === undefined) continue;
    const labels = [...known].filter(([name]) => expr.includes(name)).flatMap(([, list]) => list);
    known.set(record, labels);
  }
});

t.test('each alert says how bad it is, and where, in a sentence whose labels exist', async (t) => {
  const alerts = rules.filter(({ alert }) => alert !== undefined);
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'no name twice');
  for (const { alert = '', labels = {}, annotations = {} } of alerts) {
    t.match(labels['severity'], /^(critical|warning|info)$/, alert);
    t.match(annotations['summary'], /\{\{ \$labels\.instance \}\}/, alert);
  }
});

t.test(
  'promtool accepts the rules, and they fire in its tests as they should',
  { skip: needs('promtool') },
  async (t) => {
    for (const args of [
      ['check', 'rules', 'jdos.rules.yaml'],
      ['test', 'rules', 'jdos.rules.test.yaml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('/usr/bin/promtool', args, { cwd: DIRECTORY });
      t.equal(status, 0, `${args.join(' ')}: ${String(stdout)}${String(stderr)}`);
    }
  },
);
