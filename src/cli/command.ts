// What a command is, and the options that all commands which talk to a daemon share.
import type { Command } from 'commander';
import { type Client, openClient, type ServerOptions } from './client.ts';
import type { Io } from './io.ts';

/** Adds one command (or a group) to the program. Returns nothing; the action sets the exit code through `exit`. */
export type CliCommand = (program: Command, context: CliContext) => void;

export interface CliContext {
  readonly io: Io;
  /** Sets the exit code; 0 unless called. */
  exit(code: number): void;
}

/** Documented in docs/cli.md and in `jdos --help`. */
export const EXIT = { ok: 0, failed: 1, usage: 2, warnings: 3, critical: 4 } as const;

export interface ReadOptions extends ServerOptions {
  readonly json?: boolean;
}

export const serverOptions = (command: Command): Command =>
  command
    .option('--server <url>', 'the daemon: URL or unix:PATH (JDOS_SERVER); the local one unless said')
    .option('--token-file <file>', 'file with the token for a daemon reached by URL (JDOS_TOKEN_FILE)')
    .option('--ca-file <file>', 'CA certificate to trust for https')
    .option('--data-dir <dir>', 'data directory of the local daemon (JDOS_DATA_DIR)');

export const readOptions = (command: Command): Command =>
  serverOptions(command).option('--json', 'print JSON for programs');

/** Runs `use` with a client that is closed afterwards. */
export async function withClient<T>(options: ServerOptions, io: Io, use: (client: Client) => Promise<T>): Promise<T> {
  await using client = openClient(options, io);
  return await use(client);
}
