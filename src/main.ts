// The entry: hands the arguments to the command line and ends with its exit code.
import { runCli } from './cli/index.ts';

process.exit(await runCli(process.argv.slice(2)));
