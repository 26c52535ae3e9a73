// `jdos inspect`: what is wrong on the host now; `explain` a check; `--self-test` the checks themselves.
import { z } from '../base/schema.ts';
import { formatSeconds } from '../base/units.ts';
import type { Locale } from '../inspector/index.ts';
import type { Client } from './client.ts';
import { type CliContext, type CliCommand, EXIT, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, type Paint, printable } from './io.ts';
import { localeOption } from './locale.ts';

const Localized = z.object({ 'zh-CN': z.string(), en: z.string() });
const Result = z.object({
  code: z.string(),
  area: z.string(),
  target: z.string(),
  verdict: z.enum(['ok', 'skipped', 'unknown', 'warn', 'crit']),
  evidence: z.array(z.string()),
  line: Localized,
  since: z.number(),
  command: z.string().optional(),
  muted: z.unknown().optional(),
});
type Result = z.output<typeof Result>;
const Run = z.object({
  id: z.string(),
  host: z.string(),
  startedAt: z.number(),
  finishedAt: z.number(),
  state: z.string(),
  missing: z.array(Localized),
  waiting: z.array(z.object({ code: z.string(), until: z.number(), reason: Localized })),
  score: z.number(),
  results: z.array(Result),
});
type Run = z.output<typeof Run>;

interface InspectOptions extends ReadOptions {
  readonly now?: boolean;
  readonly mail?: boolean;
  readonly selfTest?: boolean;
  readonly exitCode?: boolean;
  readonly locale: Locale;
}

const ASK_MS = 60_000;

export const inspectCommand: CliCommand = (program, context) => {
  const { io } = context;
  const command = readOptions(program.command('inspect'))
    .description('what is wrong on this host now, and what to do about it')
    .option('--now', 'inspect now instead of showing the latest inspection')
    .option('--mail', 'inspect now and mail the report')
    .option('--self-test', 'run the checks against their recorded samples, without a daemon')
    .option('--exit-code', 'exit with 3 for warnings and 4 for something critical')
    .addOption(localeOption())
    .action((options: InspectOptions) =>
      options.selfTest === true ? runSelfTest(options, context) : runInspect(options, context),
    );
  readOptions(command.command('explain <code>'))
    .description('what a check means: its limits, where they come from, what to do, how to mute it')
    .addOption(localeOption())
    .action(async (code: string, own: InspectOptions, called: { optsWithGlobals(): InspectOptions }) => {
      const { json, locale } = { ...called.optsWithGlobals(), ...own };
      const path = `/jdos/v1/checks/${encodeURIComponent(code)}`;
      const check = await withClient({ ...called.optsWithGlobals() }, io, (client) => client.get(path));
      if (json) return io.out(JSON.stringify(check));
      for (const line of explainLines(Check.parse(check), locale, io)) io.out(line);
    });
};

async function runInspect(
  { now, mail, json, exitCode, locale, ...server }: InspectOptions,
  { io, exit }: CliContext,
): Promise<void> {
  const reply = await withClient(server, io, (client) =>
    now || mail ? client.send('POST', '/jdos/v1/inspections', { mail: mail ?? false }, ASK_MS) : latest(client),
  );
  const run = Run.parse(reply);
  if (json) io.out(JSON.stringify(reply));
  else for (const line of runLines(run, locale, io)) io.out(line);
  if (mail && !json) io.out('the report is on its way: `jdos report` shows it, `jdos mail list` its delivery');
  if (!exitCode) return;
  const has = (verdict: Result['verdict']): boolean =>
    run.results.some((result) => result.verdict === verdict && result.muted === undefined);
  exit(has('crit') ? EXIT.critical : has('warn') ? EXIT.warnings : EXIT.ok);
}

/** The latest run; where there is none yet, the first one is made. */
async function latest(client: Client): Promise<unknown> {
  const list = z
    .object({ items: z.array(z.object({ id: z.string() })) })
    .parse(await client.get('/jdos/v1/inspections', { limit: 1 }));
  const [run] = list.items;
  return run === undefined
    ? client.send('POST', '/jdos/v1/inspections', {}, ASK_MS)
    : client.get(`/jdos/v1/inspections/${run.id}`);
}

const LOOK = {
  crit: { symbol: '✖', colour: 'red' },
  warn: { symbol: '▲', colour: 'yellow' },
  unknown: { symbol: '?', colour: 'yellow' },
} as const satisfies Record<string, { symbol: string; colour: Paint }>;

function runLines(run: Run, locale: Locale, io: Io): string[] {
  const found = (['crit', 'warn', 'unknown'] as const).flatMap((verdict) =>
    run.results
      .filter((result) => result.verdict === verdict && result.muted === undefined)
      .flatMap((result) => [
        `${paint(io, LOOK[verdict].colour, LOOK[verdict].symbol)} ${printable(result.line[locale])}  ${paint(io, 'dim', result.code)}`,
        ...result.evidence.map((fact) => `    ${paint(io, 'dim', printable(fact))}`),
        ...(result.command === undefined ? [] : [`    $ ${printable(result.command)}`]),
      ]),
  );
  const ok = run.results.filter(({ verdict }) => verdict === 'ok').length;
  const ago = formatSeconds(Math.max(0, Date.now() - run.finishedAt) / 1000);
  return [
    `${printable(run.host)}: score ${run.score}, ${ok} ok of ${run.results.length}, ${ago} ago${run.state === 'partial' ? ', partial' : ''}`,
    ...found,
    ...(found.length === 0 ? [`${paint(io, 'green', '●')} nothing is wrong`] : []),
    ...run.missing.map((reason) => `? ${printable(reason[locale])}`),
    ...run.waiting.map(
      ({ code, reason, until }) =>
        `… ${code}: ${printable(reason[locale])} (${new Date(until).toISOString().slice(0, 16).replace('T', ' ')}Z)`,
    ),
  ];
}

async function runSelfTest({ json }: InspectOptions, { io, exit }: CliContext): Promise<void> {
  const { selfTest } = await import('../inspector/index.ts');
  const outcomes = selfTest();
  if (json) io.out(JSON.stringify({ items: outcomes }));
  else
    for (const { code, ok, why } of outcomes)
      io.out(`${ok ? paint(io, 'green', '●') : paint(io, 'red', '✖')} ${code}${ok ? '' : `: ${why}`}`);
  if (outcomes.some(({ ok }) => !ok)) exit(EXIT.failed);
}

const LimitsOf = z.object({
  bad: z.string(),
  warn: z.number(),
  crit: z.number(),
  clearWarn: z.number(),
  clearCrit: z.number(),
});
const Check = z.object({
  code: z.string(),
  unit: z.string(),
  title: Localized,
  meaning: Localized,
  remedy: Localized,
  limits: LimitsOf,
  variants: z.array(z.object({ name: z.string(), unit: z.string(), limits: LimitsOf })).optional(),
  source: z.string(),
  needs: z.array(z.string()),
  howToMute: z.string(),
  howToChange: z.string(),
});

function explainLines(check: z.output<typeof Check>, locale: Locale, io: Io): string[] {
  const limits = ({ bad, warn, crit, clearWarn, clearCrit }: z.output<typeof LimitsOf>, unit: string): string =>
    `${bad} ${warn} warning (clears at ${clearWarn}), ${bad} ${crit} critical (clears at ${clearCrit}), unit ${unit}`;
  const row = (name: string, text: string): string => `${name.padEnd(9)}${text}`;
  return [
    `${paint(io, 'bold', check.code)}  ${check.title[locale]}`,
    '',
    row('means', check.meaning[locale]),
    row('limits', limits(check.limits, check.unit)),
    ...(check.variants ?? []).map((variant) => row('', `${variant.name}: ${limits(variant.limits, variant.unit)}`)),
    row('source', check.source),
    row('reads', check.needs.join(', ')),
    row('remedy', check.remedy[locale]),
    row('change', check.howToChange),
    row('mute', check.howToMute),
  ];
}
