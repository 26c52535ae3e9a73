// Finds the rules that a line matches: literals of all rules in one pass, then the patterns of those that had one.
import { RE2JS } from 're2js';
import { openPrefilter } from './prefilter.ts';
import type { Rule } from './rule.ts';

export type Fields = Readonly<Record<string, string>>;

interface Match {
  readonly rule: Rule;
  readonly fields: Fields;
}

/** A line as it is in a buffer, and as text where somebody asks. */
interface Line {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly severity: number;
  readonly text: () => string;
}

interface Matcher {
  /** The rules that a line matches, in their order; none for nearly every line, and then its text was not asked for. */
  match(line: Line): readonly Match[];
}

const NONE: readonly Match[] = [];
const MOST_FIELD = 256;

interface Compiled {
  readonly rule: Rule;
  readonly patterns: readonly { readonly pattern: RE2JS; readonly groups: readonly (readonly [string, number])[] }[];
}

const compile = (rule: Rule): Compiled => ({
  rule,
  patterns: rule.patterns.map((text) => {
    const pattern = RE2JS.compile(text);
    return { pattern, groups: Object.entries(pattern.namedGroups()) };
  }),
});

const spansLines = (rule: Rule): number => ('lines' in rule ? (rule.lines ?? 1) : 1);

/** Patterns are compiled when a line has a literal of theirs for the first time. Throws for literals that are too short. */
export function openMatcher(rules: readonly Rule[]): Matcher {
  const single = rules.filter((rule) => spansLines(rule) === 1);
  const prefiltered = single.filter(({ literals }) => literals.length > 0);
  const always = [...single.filter(({ literals }) => literals.length === 0)];
  const across = rules.filter((rule) => spansLines(rule) > 1);
  const depth = Math.max(1, ...across.map(spansLines));
  const prefilter = openPrefilter(prefiltered.map(({ literals }) => literals));
  const compiled = new Map<Rule, Compiled>();
  const before: string[] = [];

  const test = (rule: Rule, severity: number, text: string): Match | undefined => {
    if ('severity' in rule && severity > (rule.severity ?? 7)) return undefined;
    let known = compiled.get(rule);
    if (known === undefined) compiled.set(rule, (known = compile(rule)));
    for (const { pattern, groups } of known.patterns) {
      const matcher = pattern.matcher(text);
      if (!matcher.find()) continue;
      const fields: Record<string, string> = {};
      for (const [name, group] of groups) {
        const value = matcher.group(group);
        if (value !== null && value !== undefined) fields[name] = value.slice(0, MOST_FIELD).trim();
      }
      return { rule, fields };
    }
    return undefined;
  };
  const acrossLines = (severity: number, text: string): readonly Match[] => {
    before.push(text);
    if (before.length > depth) before.shift();
    return across.flatMap((rule) => {
      const joined = before.slice(-spansLines(rule)).join('\n');
      const { literals } = rule;
      if (literals.length > 0 && !literals.some((literal) => joined.includes(literal))) return [];
      return test(rule, severity, joined) ?? [];
    });
  };
  return {
    match({ bytes, from, to, severity, text }) {
      const found = prefilter.scan(bytes, from, to);
      if (found.length === 0 && always.length === 0 && across.length === 0) return NONE;
      const line = text();
      const candidates = [...found.map((at) => prefiltered[at] as Rule), ...always];
      const matches = candidates.flatMap((rule) => test(rule, severity, line) ?? []);
      return across.length === 0 ? matches : [...matches, ...acrossLines(severity, line)];
    },
  };
}
