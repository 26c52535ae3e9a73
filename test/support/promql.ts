// Which metrics and labels a PromQL expression speaks of: enough of its grammar to find them, not to check it.

interface Selector {
  readonly metric: string;
  /** Labels of its matchers. */
  readonly labels: readonly string[];
}

interface Grouping {
  /** `by`, `on`, `ignoring` and so on. */
  readonly keyword: string;
  readonly labels: readonly string[];
}

export interface Parts {
  readonly selectors: readonly Selector[];
  readonly groupings: readonly Grouping[];
}

const STRING = /"(?:[^"\\]|\\.)*"/g;
const GROUPING = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
/** A name with its matchers, if any; no function, aggregation or number. */
const SELECTOR = /(?<![\w:.@])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\(|[\w:])/g;
/** Matchers that choose metrics by themselves. */
const NAMELESS = /(?<![\w:]\s*)\{[^}]*\}/g;
const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'by', 'without', 'on', 'ignoring']);

const names = (list: string): readonly string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

/** Strings are emptied and groupings and ranges taken out before names are looked for. */
export function partsOf(promql: string): Parts {
  const plain = promql.replaceAll(STRING, '""');
  const groupings = [...plain.matchAll(GROUPING)].map(([, keyword = '', labels = '']) => ({
    keyword,
    labels: names(labels),
  }));
  const rest = plain
    .replaceAll(GROUPING, ' (')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(NAMELESS, '')
    .replaceAll(/\boffset\s+\w+/g, '');
  const selectors = [...rest.matchAll(SELECTOR)]
    .filter(([, name = '']) => !WORDS.has(name))
    .map(([, metric = '', matchers = '']) => ({
      metric,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }));
  return { selectors, groupings };
}

const BY_NAME = /__name__\s*=~\s*"([^"]*)"/g;

/** The patterns by which an expression chooses metrics, one for each word of the list in parentheses that a pattern may have. */
const namePatterns = (promql: string): readonly string[] =>
  [...promql.matchAll(BY_NAME)].flatMap(([, pattern = '']) => {
    const [list, words] = /\(([^()]*)\)/.exec(pattern) ?? [];
    return list === undefined || words === undefined
      ? [pattern]
      : words.split('|').map((one) => pattern.replace(list, one));
  });

/** What Prometheus adds to each series it scrapes. */
const OF_TARGETS = ['job', 'instance'];

/** The metrics and labels of an expression, and of its legend, that are not among `known`, in words; empty for none. */
export function unknownNames(
  promql: string,
  known: ReadonlyMap<string, readonly string[]>,
  legend = '',
): readonly string[] {
  const { selectors, groupings } = partsOf(promql);
  const there = new Set([...OF_TARGETS, ...selectors.flatMap(({ metric }) => known.get(metric) ?? [])]);
  const shown = [...legend.matchAll(/\{\{(\w*)\}\}/g)].map(([, label = '']) => label);
  return [
    ...(selectors.length === 0 ? ['no metric'] : []),
    ...namePatterns(promql)
      .filter((pattern) => ![...known.keys()].some((name) => new RegExp(`^(?:${pattern})$`).test(name)))
      .map((pattern) => `no metric like ${pattern}`),
    ...selectors.flatMap(({ metric, labels }) => {
      const has = known.get(metric);
      if (has === undefined) return [`no metric ${metric}`];
      return labels
        .filter((label) => !has.includes(label) && !OF_TARGETS.includes(label))
        .map((label) => `no label ${label} on ${metric}`);
    }),
    ...[...groupings.flatMap(({ labels }) => labels), ...shown]
      .filter((label) => !there.has(label))
      .map((label) => `no label ${label} on any of them`),
  ];
}
