// The program for tests: what it prints is kept, and every command can be walked.
import type { Command } from 'commander';
import { buildProgram, runCli } from '../../src/cli/index.ts';
import type { Io } from '../../src/cli/io.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const COLUMNS = 100;

const recording = (said: { out: string; err: string }, env: Io['env'] = {}): Io => ({
  out: (line) => void (said.out += `${line}\n`),
  err: (line) => void (said.err += `${line}\n`),
  colour: false,
  columns: COLUMNS,
  env,
});

/** Runs a command line in this process. */
export async function run(argv: readonly string[], env: Io['env'] = {}): Promise<Said> {
  const said = { out: '', err: '' };
  const code = await runCli(argv, recording(said, env));
  return { code, ...said };
}

export interface CommandPath {
  /** Without the program itself: `mail test`. */
  readonly path: readonly string[];
  readonly command: Command;
}

/** Every command and group, in the order of the help. */
export function everyCommand(): readonly CommandPath[] {
  const walk = (command: Command, path: readonly string[]): readonly CommandPath[] =>
    command.commands.flatMap((sub) => {
      const here = [...path, sub.name()];
      return [{ path: here, command: sub }, ...walk(sub, here)];
    });
  return walk(buildProgram({ io: recording({ out: '', err: '' }), exit: () => undefined }), []);
}
