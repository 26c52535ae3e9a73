// `jdos plan -f FILE`: what the daemon would do for these manifests, and which of them it would refuse and why.
import { readFileSync } from 'node:fs';
import { Fault, faultKind, systemCode } from '../base/fault.ts';
import { z } from '../base/schema.ts';
import { type CliCommand, EXIT, readOptions, type ReadOptions, withClient } from './command.ts';
import { type Io, paint, printable } from './io.ts';

const MANIFEST_UNREADABLE = faultKind(
  'JD_MANIFEST_UNREADABLE',
  400,
  'give -f a file with manifests in YAML or JSON, or - for standard input',
);

const Plan = z.object({
  steps: z.array(z.object({ kind: z.string(), target: z.string(), because: z.string() })),
  text: z.string(),
  refused: z.array(
    z.object({
      object: z.string(),
      message: z.string(),
      causes: z.array(z.object({ field: z.string().optional(), message: z.string() })),
    }),
  ),
  warnings: z.array(z.object({ object: z.string(), message: z.string() })),
});
type Plan = z.output<typeof Plan>;

interface PlanOptions extends ReadOptions {
  readonly filename: string;
}

const HELP = `
Nothing is changed. A manifest that would be refused is shown with every wrong field, and the exit code is then 1.`;

export const planCommand: CliCommand = (program, { io, exit }) => {
  readOptions(program.command('plan'))
    .requiredOption('-f, --filename <file>', 'manifests in YAML or JSON; - for standard input')
    .description('what would be done for these manifests, and what would be refused and why')
    .addHelpText('after', HELP)
    .action(async ({ filename, json, ...server }: PlanOptions) => {
      const text = readManifests(filename);
      const reply = await withClient(server, io, (client) => client.send('POST', '/jdos/v1/plan', text));
      const plan = Plan.parse(reply);
      if (plan.refused.length > 0) exit(EXIT.failed);
      if (json) return io.out(JSON.stringify(reply));
      for (const line of planLines(plan, io)) io.out(line);
    });
};

function readManifests(file: string): string {
  try {
    // 0 is standard input.
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new Fault(MANIFEST_UNREADABLE, `cannot read ${file} (${systemCode(cause) ?? 'unknown'})`, { cause });
  }
}

function planLines({ steps, text, refused, warnings }: Plan, io: Io): readonly string[] {
  return [
    ...refused.flatMap(({ object, message, causes }) => {
      const details = causes.map((cause) => [cause.field, cause.message].filter(Boolean).join(': '));
      const lines = details.length === 0 ? [message] : details;
      return [
        `${paint(io, 'red', '✖')} ${printable(object)} would be refused`,
        ...lines.map((one) => `    ${printable(one)}`),
      ];
    }),
    ...warnings.map(({ object, message }) => `${paint(io, 'yellow', '▲')} ${printable(object)}: ${printable(message)}`),
    ...(steps.length > 0 ? text.split('\n').map(printable) : refused.length > 0 ? [] : ['nothing to do']),
  ];
}
