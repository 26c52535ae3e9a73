// `jdos kubeconfig`: what kubectl needs to reach this daemon: address, CA and token in one file.
import { hostname } from 'node:os';
import { Fault, faultKind } from '../base/fault.ts';
import { type CliCommand, serverOptions } from './command.ts';
import { findCa, findToken, type ServerOptions, target } from './client.ts';

const NO_CREDENTIALS = faultKind(
  'JD_NO_CREDENTIALS',
  400,
  'run this as the user of the daemon, or name the files with --token-file and --ca-file',
);

interface KubeconfigOptions extends ServerOptions {
  readonly address: string;
}

/** A kubeconfig as JSON, which is YAML (client-go: tools/clientcmd/api/v1). */
export const kubeconfig = (server: string, ca: string, token: string, cluster: string): string =>
  JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: cluster, cluster: { server, 'certificate-authority-data': Buffer.from(`${ca}\n`).toString('base64') } },
      ],
      users: [{ name: 'jdos', user: { token } }],
      contexts: [{ name: cluster, context: { cluster, user: 'jdos' } }],
      'current-context': cluster,
    },
    undefined,
    2,
  );

export const kubeconfigCommand: CliCommand = (program, { io }) => {
  serverOptions(program.command('kubeconfig'))
    .description('print a kubeconfig for this daemon: jdos kubeconfig > k; kubectl --kubeconfig k get nodes')
    .option('--address <url>', 'the HTTPS address to write into it', 'https://127.0.0.1:9619')
    .addHelpText(
      'after',
      '\nIt holds the admin token unless --token-file names another; keep the file to yourself (umask 077).',
    )
    .action((options: KubeconfigOptions) => {
      const { dataDir } = target(options, io);
      const ca = findCa(options, dataDir);
      const token = findToken(options, dataDir, io);
      if (ca === undefined || token === undefined) {
        throw new Fault(
          NO_CREDENTIALS,
          `no ${ca === undefined ? 'CA certificate' : 'token'} of a daemon can be read in ${dataDir}`,
        );
      }
      io.out(kubeconfig(options.address, ca, token, `jdos-${hostname()}`));
    });
};
