// The Grafana dashboards of deploy/grafana: every PromQL expression in them, as Grafana asks it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prometheus } from './prometheus.ts';
import { partsOf } from './promql.ts';

const DIR = join(import.meta.dirname, '../../deploy/grafana');

export interface Target {
  readonly expr: string;
  readonly legendFormat?: string;
  readonly datasource?: unknown;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly Target[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly datasource?: unknown;
  readonly definition?: string;
  readonly query: string | { readonly query: string };
}

interface Annotation {
  readonly name: string;
  readonly builtIn?: number;
  readonly datasource: unknown;
  readonly expr?: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly annotations: { readonly list: readonly Annotation[] };
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
}

/** By file name. */
export const dashboards = (): ReadonlyMap<string, Dashboard> =>
  new Map(
    readdirSync(DIR)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map((file) => [file, JSON.parse(readFileSync(join(DIR, file), 'utf8')) as Dashboard]),
  );

export interface Expression {
  /** For messages: the panel, annotation or variable. */
  readonly where: string;
  readonly promql: string;
  readonly legend: string;
}

const LABEL_VALUES = /^label_values\((.+), (\w+)\)$/s;

/** Of panels, annotations and variables; of a variable the selector, with the label in its legend. */
export function expressionsOf({ panels, annotations, templating }: Dashboard): readonly Expression[] {
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat = '' }) => ({ where: title, promql: expr, legend: legendFormat })),
  );
  const ofAnnotations = annotations.list
    .filter(({ builtIn }) => builtIn === undefined)
    .map(({ name, expr = '' }) => ({ where: name, promql: expr, legend: '' }));
  const ofVariables = templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => {
      const text = typeof query === 'string' ? query : query.query;
      const [, promql = '', label = ''] = LABEL_VALUES.exec(text) ?? [];
      return { where: `$${name}`, promql, legend: `{{${label}}}` };
    });
  return [...ofPanels, ...ofAnnotations, ...ofVariables];
}

/** The expression with values for Grafana's variables and the dashboard's; all hosts, groups and containers unless said. */
export function substitute(promql: string, values: Readonly<Record<string, string>>): string {
  const all = { __rate_interval: '1m', __range: '6h', job: 'jdos', top: '10', ...values };
  return promql.replaceAll(/\$(\w+)/g, (_, name: string) => (all as Record<string, string>)[name] ?? '.*');
}

/** What is shown only when something is wrong, or of hours ago. */
const isFiltered = (promql: string): boolean => / > [\d.]+\b/.test(promql) || promql.includes(' offset ');

/** Asks every expression; rejects when one is refused. `empty` are those without an answer though all their metrics are there. */
export async function askDashboard(
  prometheus: Prometheus,
  dashboard: Dashboard,
  values: Readonly<Record<string, string>>,
): Promise<{ readonly answered: number; readonly empty: readonly string[] }> {
  const exposed = new Set(await prometheus.get<string[]>('label/__name__/values'));
  const empty: string[] = [];
  let answered = 0;
  for (const { where, promql: template } of expressionsOf(dashboard)) {
    const promql = substitute(template, values);
    const samples = await prometheus.query(promql);
    if (samples.length > 0) answered += 1;
    else if (!isFiltered(promql) && partsOf(promql).selectors.every(({ metric }) => exposed.has(metric)))
      empty.push(`${where}: ${promql}`);
  }
  return { answered, empty };
}
