// `jdos config check`: checks a configuration file without starting anything.
import { Fault } from '../base/fault.ts';
import { describeField } from '../base/schema.ts';
import { checkConfig } from '../daemon/index.ts';
import { type CliCommand, EXIT } from './command.ts';
import { paint } from './io.ts';

export const configCommand: CliCommand = (program, { io, exit }) => {
  const group = program.command('config').description('the configuration file');
  group
    .command('check <file>')
    .description('check a configuration file; names every wrong field')
    .option('--json', 'print JSON for programs')
    .action(async (file: string, { json }: { json?: boolean }) => {
      try {
        const config = await checkConfig(file);
        io.out(json ? JSON.stringify({ valid: true, config }) : `${paint(io, 'green', 'ok')}  ${file} is valid`);
      } catch (error) {
        if (!json || !(error instanceof Fault)) throw error;
        io.out(
          JSON.stringify({
            valid: false,
            code: error.code,
            message: error.message,
            errors: error.details.map((detail) => ({ ...detail, text: describeField(detail) })),
          }),
        );
        exit(EXIT.failed);
      }
    });
};
