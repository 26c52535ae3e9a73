// The command line: builds the program from its commands, runs one, and turns faults into messages with a remedy.
import { Command, CommanderError } from 'commander';
import { explain, Fault } from '../base/fault.ts';
import { describeField } from '../base/schema.ts';
import { VERSION } from '../daemon/index.ts';
import { type CliContext, EXIT } from './command.ts';
import { commands } from './commands.ts';
import { type Io, paint, processIo } from './io.ts';

const AFTER_HELP = `
Exit codes: 0 done; 1 failed, the message says why; 2 wrong usage;
with \`inspect --exit-code\`: 3 warnings, 4 something critical.

The first five minutes:
  jdos daemon                     run the daemon in the foreground
  jdos status                     its parts, their health and cost
  jdos inspect                    what is wrong on this host now
  jdos top --by fds               who holds the most open files
  jdos report                     the last health report`;

/** The program with all its commands; what it parses it runs. */
export function buildProgram(context: CliContext): Command {
  const { io } = context;
  const program = new Command('jdos')
    .description(
      'Runs your containers, watches the host beneath them, follows every message, and mails you each morning what needs attention.',
    )
    .version(VERSION)
    .addHelpText('after', AFTER_HELP)
    .showHelpAfterError('(add --help for usage)')
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
    })
    .exitOverride();
  for (const command of commands) command(program, context);
  settings(program);
  return program;
}

/** Runs one command line and gives its exit code. */
export async function runCli(argv: readonly string[], io: Io = processIo()): Promise<number> {
  let code: number = EXIT.ok;
  try {
    const program = buildProgram({ io, exit: (wanted) => void (code = wanted) });
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    for (const line of errorLines(error, io)) io.err(line);
    return EXIT.failed;
  }
}

/** Subcommands do not inherit these from the program. */
function settings(command: Command): void {
  for (const sub of command.commands) {
    sub.copyInheritedSettings(command);
    settings(sub);
  }
}

/** What happened, why, and what to do next. */
function errorLines(error: unknown, io: Io): string[] {
  const lines = [`${paint(io, 'red', 'error:')} ${explain(error)}`];
  if (!(error instanceof Fault)) return lines;
  if (!error.message.includes('\n')) lines.push(...error.details.map((detail) => `  ${describeField(detail)}`));
  return [...lines, `Try: ${error.remedy}  [${error.code}]`];
}
