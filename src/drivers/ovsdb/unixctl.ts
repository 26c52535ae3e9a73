// ovs-vswitchd over its control socket: one connection that lasts, nothing asked while an answer is owed, found anew when it is restarted.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, systemCode } from '../../base/fault.ts';
import { isAllowed, parseCommands } from './commands.ts';
import { noAnswer, OVS_COMMAND_BARRED, OVS_DOWN, OVS_GARBLED, OVS_HUNG, OVS_MISSING } from './faults.ts';
import { openWire, type Wire } from './wire.ts';

interface Question {
  readonly command: string;
  readonly args: readonly string[];
}

export interface Unixctl extends Disposable {
  /**
   * The answer as text. Rejects with a Fault: barred, refused, down, or no answer within `deadlineMs`; as long as the answer to an
   * earlier question has not come, nothing more is asked.
   */
  ask(command: string, args?: readonly string[], deadlineMs?: number): Promise<string>;
  /**
   * As {@link ask}, of several at once, which wakes the main thread of ovs-vswitchd once for all of them (unixctl.c takes ten). Resolves with the
   * answers in their order, or with why there is none.
   */
  askTogether(questions: readonly Question[], deadlineMs?: number): Promise<readonly PromiseSettledResult<string>[]>;
  /** The commands that this ovs-vswitchd has. */
  commands(): Promise<ReadonlySet<string>>;
  /** Connections made so far: another one is another process. */
  readonly connections: number;
}

const DAEMON = 'ovs-vswitchd';
/** dpctl/show of thousands of ports is some hundred kilobytes. */
const LIMITS = { bytes: 8 * 1024 * 1024, depth: 16 };
const DEADLINE_MS = 2000;
const CONNECT_MS = 1000;

interface Connection {
  readonly pid: number;
  readonly wire: Wire;
  commands: ReadonlySet<string> | undefined;
}

/** Opens nothing before the first question. `rundir` holds the pid file and the socket. */
export function openUnixctl(rundir: string): Unixctl {
  let connection: Connection | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let disposed = false;
  let connections = 0;

  const connected = async (): Promise<Connection> => {
    const pid = await readPid(join(rundir, `${DAEMON}.pid`));
    if (connection?.pid === pid) return connection;
    connection?.wire[Symbol.dispose]();
    const wire = await openWire({
      socket: join(rundir, `${DAEMON}.${pid}.ctl`),
      who: DAEMON,
      limits: LIMITS,
      connectMs: CONNECT_MS,
      onClose: () => {
        if (connection?.pid === pid) connection = undefined;
      },
    }).catch((error: unknown) => {
      // The pid file outlives a process that was killed; its socket may have been swept away.
      const gone = error instanceof Fault && error.code === OVS_MISSING.code;
      throw gone ? new Fault(OVS_DOWN, `${DAEMON} does not run: ${error.message}`) : error;
    });
    if (disposed) wire[Symbol.dispose]();
    connections += 1;
    return (connection = { pid, wire, commands: undefined });
  };
  const ask = async (wire: Wire, { command, args }: Question, deadlineMs: number): Promise<string> => {
    const result = await wire.call({ method: command, params: args, deadlineMs });
    if (typeof result !== 'string')
      throw new Fault(OVS_GARBLED, `${DAEMON} answered ${command} with something else than text`);
    return result;
  };
  const together = async (
    questions: readonly Question[],
    deadlineMs: number,
  ): Promise<readonly PromiseSettledResult<string>[]> => {
    const { wire } = await connected();
    if (wire.late > 0) throw new Fault(OVS_HUNG, `${DAEMON} has not answered an earlier question yet`);
    return Promise.allSettled(questions.map((question) => ask(wire, question, deadlineMs)));
  };
  const inTurn = (
    questions: readonly Question[],
    deadlineMs: number,
  ): Promise<readonly PromiseSettledResult<string>[]> => {
    const barred = questions.find(({ command, args }) => !isAllowed(command, args));
    if (barred !== undefined)
      return Promise.reject(
        new Fault(OVS_COMMAND_BARRED, `${[barred.command, ...barred.args].join(' ')} is not among what is asked`),
      );
    const mine = turn.then(() => together(questions, deadlineMs));
    turn = mine.catch(() => undefined);
    return mine;
  };
  const alone = async (question: Question, deadlineMs: number): Promise<string> => {
    const [answer] = await inTurn([question], deadlineMs);
    if (answer?.status === 'fulfilled') return answer.value;
    throw answer?.reason;
  };
  return {
    ask: (command, args = [], deadlineMs = DEADLINE_MS) => alone({ command, args }, deadlineMs),
    askTogether: (questions, deadlineMs = DEADLINE_MS) => inTurn(questions, deadlineMs),
    async commands() {
      const known = connection?.commands;
      if (known !== undefined) return known;
      const commands = parseCommands(await alone({ command: 'list-commands', args: [] }, DEADLINE_MS));
      if (connection !== undefined) connection.commands = commands;
      return commands;
    },
    get connections() {
      return connections;
    },
    [Symbol.dispose]() {
      disposed = true;
      connection?.wire[Symbol.dispose]();
    },
  };
}

/** The pid in a pid file. Rejects with a Fault: missing, forbidden, or no pid in it. */
async function readPid(path: string): Promise<number> {
  try {
    // Never a FIFO that somebody put there: it would be waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0);
    const pid = /^(\d{1,10})\s*$/.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
    if (pid === undefined) throw new Fault(OVS_GARBLED, `${path} holds no process id`);
    return Number(pid);
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (systemCode(error) === 'ENOENT') throw new Fault(OVS_MISSING, `there is no ${path}`);
    throw noAnswer(DAEMON, path, error);
  }
}
