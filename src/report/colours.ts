// The colours of the HTML report by what they mean: dark ink on a light tint, so that both survive forced inversion.

const COLOURS = {
  crit: { ink: '#b42318', tint: '#fef3f2', fill: '#d92d20' },
  warn: { ink: '#93370d', tint: '#fffaeb', fill: '#dc6803' },
  unknown: { ink: '#3538cd', tint: '#eef4ff', fill: '#6172f3' },
  ok: { ink: '#067647', tint: '#ecfdf3', fill: '#17b26a' },
  none: { ink: '#475467', tint: '#f2f4f7', fill: '#d0d5dd' },
} as const;
type Shade = 'ink' | 'tint' | 'fill';

const ALIASES: Readonly<Record<string, keyof typeof COLOURS>> = { abnormal: 'warn', skipped: 'none' };

/** `#rrggbb` of a kind (`crit`, `warn`, `unknown`, `ok`, `none`, `abnormal`, `skipped`); what has no colour is grey. */
export function colour(kind: unknown, shade: unknown): string {
  const name = ALIASES[String(kind)] ?? String(kind);
  const colours = Object.hasOwn(COLOURS, name) ? COLOURS[name as keyof typeof COLOURS] : COLOURS.none;
  return colours[shade === 'tint' || shade === 'fill' ? shade : ('ink' satisfies Shade)];
}
