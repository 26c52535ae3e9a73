// `jdos daemon`: runs the daemon in the foreground.
import { runDaemon, type DaemonArguments } from '../daemon/index.ts';
import type { CliCommand } from './command.ts';

export const daemonCommand: CliCommand = (program, { io }) => {
  program
    .command('daemon')
    .description('run the daemon in the foreground')
    .option('--config <file>', 'configuration file (/etc/jdos/jdos.yaml where it exists)')
    .option('--data-dir <dir>', 'where state lives (/var/lib/jdos as root, else $XDG_STATE_HOME/jdos)')
    .option('--listen <host:port>', 'plain HTTP, loopback only (127.0.0.1:9618)')
    .option('--listen-tls <host:port>', 'HTTPS for everything that crosses a host, or off (0.0.0.0:9619)')
    .option('--host-root <dir>', "where the host's / is mounted, when this runs in a container")
    .addHelpText(
      'after',
      `
Signals: SIGHUP reads the configuration again; SIGTERM and SIGINT stop within ten seconds; a second one kills.
Every key of the configuration is explained in templates/jdos.example.yaml.`,
    )
    .action((options: DaemonArguments) => runDaemon(options, io.out));
};
