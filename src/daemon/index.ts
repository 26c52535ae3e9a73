// The daemon's door for the command line. What weighs is loaded when it is wanted: a command should answer at once.
import type { DaemonArguments } from './agent.ts';
import type { Config } from './config.ts';

export { frontSocket, layout } from './data-dir.ts';
export { defaultDataDir, VERSION } from './version.ts';
export type { DaemonArguments };

/** Runs the daemon in the foreground until a signal ends it. */
export const runDaemon = async (args: DaemonArguments, say: (line: string) => void): Promise<void> =>
  (await import('./agent.ts')).runDaemon(args, say);

/** Reads and checks a configuration file. Rejects with one Fault that names all wrong fields. */
export async function checkConfig(file: string): Promise<Config> {
  const { parseConfig, readConfig, withNamesFile, withRuleFiles } = await import('./config.ts');
  return withRuleFiles(withNamesFile(parseConfig(readConfig(file), file)));
}
