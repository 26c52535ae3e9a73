// The templates that name groups of processes: text with fields, of the form that process-exporter takes.

const FIELDS = ['Comm', 'ExeBase', 'ExeFull', 'Username', 'PID', 'StartTime', 'Cgroups'] as const;
export type Field = (typeof FIELDS)[number];

/** Text, a field of the process, or what a named group of a pattern captured. */
export type TemplatePart = string | { readonly field: Field } | { readonly field: 'Matches'; readonly match: string };

type Template = { readonly parts: readonly TemplatePart[] } | { readonly error: string };

const ACTION = /\{\{-?\s*(.*?)\s*-?\}\}/g;
const MATCH = /^(?:\.Matches\.(\w+)|index\s+\.Matches\s+"([^"]+)")$/;

/** Parses a template of Go's text/template that uses fields only. */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (const found of text.matchAll(ACTION)) {
    if (found.index > at) parts.push(text.slice(at, found.index));
    at = found.index + found[0].length;
    const action = found[1] ?? '';
    const field = FIELDS.find((name) => action === `.${name}`);
    const match = MATCH.exec(action);
    if (field !== undefined) parts.push({ field });
    else if (match !== null) parts.push({ field: 'Matches', match: match[1] ?? match[2] ?? '' });
    else
      return {
        error: `a template of fields: ${FIELDS.map((name) => `{{.${name}}}`).join(', ')} or {{.Matches.NAME}}, not ${found[0]}`,
      };
  }
  const rest = text.slice(at);
  if (rest.includes('{{')) return { error: 'a template whose {{ are closed by }}' };
  return { parts: rest === '' ? parts : [...parts, rest] };
}
