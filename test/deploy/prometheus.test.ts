// The rules for Prometheus: valid, about what the daemon exposes, and firing on what they are about.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { gravityOf } from '../../src/inspector/checks/kernel-reasons.ts';
import { isNote } from '../../src/probes/kmsg/rule.ts';
import { RULES } from '../../src/probes/kmsg/rules/index.ts';
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
  for (const { record, expr, labels: own = {} } of rules) {
    t.same(unknownNames(expr, known), [], expr);
    if (record === undefined) continue;
    const labels = [...known].filter(([name]) => expr.includes(name)).flatMap(([, list]) => list);
    known.set(record, [...(known.get(record) ?? []), ...labels, ...Object.keys(own)]);
  }
});

t.test('each alert says how bad it is, and where, in a sentence whose labels exist', async (t) => {
  const alerts = rules.filter(({ alert }) => alert !== undefined);
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'no name twice');
  for (const { alert = '', labels = {}, annotations = {} } of alerts) {
    t.match(labels['severity'], /^(critical|warning|info)$/, alert);
    t.match(annotations['summary'], /\{\{ \$labels\.instance \}\}/, alert);
    if (/^(Kernel|Ovs)/.test(alert)) t.match(annotations['description'], /`[a-z][\w-]* [^`]+`/, `${alert}: a command`);
  }
});

t.test('each label that a sentence shows is one that the alert has', async (t) => {
  const known = new Map(documentedMetrics().map(({ name, labels }) => [name, labels]));
  for (const { record, expr, labels = {} } of rules)
    if (record !== undefined)
      known.set(record, [
        ...Object.keys(labels),
        ...[...known].filter(([name]) => expr.includes(name)).flatMap(([, own]) => own),
      ]);
  for (const { alert, expr, annotations = {} } of rules) {
    if (alert === undefined) continue;
    const shown = Object.values(annotations).flatMap((text) => [...text.matchAll(/\$labels\.(\w+)/g)]);
    const legend = shown.map(([, label = '']) => `{{${label}}}`).join(' ');
    t.same(unknownNames(expr, known, legend), [], alert);
  }
});

t.test('each reason of the kernel is told by one alert, which is as bad as the inspection says', async (t) => {
  const events = RULES.flatMap((rule) => (isNote(rule) ? [] : [rule]));
  const lasting = new Set(events.flatMap(({ reason, raises }) => (raises === undefined ? [] : [reason])));
  /** Whether an event with this reason is among those that the alert selects. */
  const tells = (name: string, reason: string): boolean =>
    [...(rules.find(({ alert }) => alert === name)?.expr ?? '').matchAll(/reason([=!])~"([^"]*)"/g)].every(
      ([, is, list = '']) => (is === '=') === list.split('|').includes(reason),
    );
  const told = ['KernelProblemCritical', 'KernelProblem', 'KernelProblemMinor'] as const;
  const by = { grave: told[0], serious: told[1], minor: told[2] };
  for (const reason of [...new Set(events.map((event) => event.reason)), 'MyDriverBroke']) {
    const gravity = lasting.has(reason) ? undefined : gravityOf(reason);
    const expected = gravity === undefined ? [] : [by[gravity]];
    t.same(
      told.filter((name) => tells(name, reason)),
      expected,
      reason,
    );
  }
  const [, types = ''] =
    /type=~"([^"]*)"/.exec(rules.find(({ alert }) => alert === 'KernelConditionCritical')?.expr ?? '') ?? [];
  const known = new Set(events.flatMap(({ raises }) => raises?.type ?? []));
  for (const type of types.split('|')) t.ok(known.has(type), type);
});

t.test('each alert is seen to fire', async (t) => {
  const tests = read('jdos.rules.test.yaml');
  for (const { alert } of rules) if (alert !== undefined) t.match(tests, `alertname="${alert}"`, alert);
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
