// The commands of a document, as they stand in it, so that a test can run what a reader would type.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DocumentedCommands {
  /** For the terminal that stays open. */
  readonly daemon: readonly string[];
  readonly commands: readonly string[];
}

/** Indented where it belongs to an item of a list. */
const FENCE = /^ *```sh( terminal-1)?\n([\s\S]*?)^ *```$/gm;

/** All commands of the fenced `sh` blocks, a line each. */
export function documentedCommands(file: string): DocumentedCommands {
  const daemon: string[] = [];
  const commands: string[] = [];
  for (const [, terminal, body = ''] of readFileSync(join(import.meta.dirname, '../..', file), 'utf8').matchAll(FENCE))
    (terminal === undefined ? commands : daemon).push(...body.trim().split(/\n */));
  return { daemon, commands };
}
