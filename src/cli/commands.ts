// Every command, in the order of the help.
import type { CliCommand } from './command.ts';
import { configCommand } from './config.ts';
import { daemonCommand } from './daemon.ts';
import { eventsCommand } from './events.ts';
import { fdsCommand } from './fds.ts';
import { historyCommand } from './history.ts';
import { inspectCommand } from './inspect.ts';
import { kubeconfigCommand } from './kubeconfig.ts';
import { mailCommand } from './mail.ts';
import { messageCommand } from './message.ts';
import { messagesCommand } from './messages.ts';
import { planCommand } from './plan.ts';
import { reportCommand } from './report.ts';
import { statusCommand } from './status.ts';
import { tokenCommand } from './token.ts';
import { topCommand } from './top.ts';
import { traceCommand } from './trace.ts';
import { tracesCommand } from './traces.ts';
import { whyCommand } from './why.ts';

export const commands: readonly CliCommand[] = [
  daemonCommand,
  statusCommand,
  topCommand,
  eventsCommand,
  fdsCommand,
  historyCommand,
  inspectCommand,
  reportCommand,
  messageCommand,
  messagesCommand,
  mailCommand,
  traceCommand,
  tracesCommand,
  planCommand,
  whyCommand,
  kubeconfigCommand,
  tokenCommand,
  configCommand,
];
