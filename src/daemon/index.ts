// The daemon's door for the command line.
export { type DaemonArguments, runDaemon } from './agent.ts';
export { parseConfig, readConfig } from './config.ts';
export { frontSocket, layout } from './data-dir.ts';
export { defaultDataDir, VERSION } from './version.ts';
