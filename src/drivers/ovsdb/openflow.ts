// One question over OpenFlow: how many flows a bridge has. It is asked by table, of which there are 254 at most whatever is in them; any
// other way to ask has ovs-vswitchd look at every flow.
import { connect, type Socket } from 'node:net';
import { Fault } from '../../base/fault.ts';
import { noAnswer, OVS_GARBLED, OVS_HUNG, OVS_REFUSED } from './faults.ts';

const HELLO = 0;
const ERROR = 1;
const HEADER_BYTES = 8;
const VERSION_BITMAP = 1;
const TABLES = 3;
const MORE = 1;

/** How a version asks for the statistics of tables, and where the number of flows stands in what is told of each (OpenFlow §A.3.5). */
interface Dialect {
  readonly request: number;
  readonly reply: number;
  readonly bodyBytes: number;
  readonly tableBytes: number;
  readonly flowsAt: number;
}
const OLD: Dialect = { request: 16, reply: 17, bodyBytes: 4, tableBytes: 64, flowsAt: 44 };
const NEW: Dialect = { request: 18, reply: 19, bodyBytes: 8, tableBytes: 24, flowsAt: 4 };
/** By the number in the header: 1.0, 1.3, 1.4, 1.5. What 1.1 and 1.2 tell is different, and no bridge speaks these alone. */
const DIALECTS: ReadonlyMap<number, Dialect> = new Map([
  [1, OLD],
  [4, NEW],
  [5, NEW],
  [6, NEW],
]);
const NEWEST = 6;

/** 254 tables in the old form are 16 KiB. */
const MOST_BYTES = 256 * 1024;

const OURS = [...DIALECTS.keys()].reduce((bits, version) => bits | (1 << version), 0);

const message = (version: number, type: number, body: readonly number[]): Buffer =>
  Buffer.from([version, type, 0, HEADER_BYTES + body.length, 0, 0, 0, 1, ...body]);

/** The versions that a hello offers, as bits: those it lists, or all up to its own. */
function offered(version: number, body: Buffer): number {
  for (let at = 0; at + 4 <= body.length;) {
    const length = body.readUInt16BE(at + 2);
    if (length < 4) break;
    if (body.readUInt16BE(at) === VERSION_BITMAP && length >= 8 && at + 8 <= body.length)
      return body.readUInt32BE(at + 4);
    at += Math.ceil(length / 8) * 8;
  }
  return 2 ** (Math.min(version, 30) + 1) - 1;
}

/** The flows of the tables that one part of a reply tells of. */
function flowsIn(part: Buffer, { tableBytes, flowsAt }: Dialect): number {
  let flows = 0;
  for (let at = 0; at + tableBytes <= part.length; at += tableBytes) flows += part.readUInt32BE(at + flowsAt);
  return flows;
}

interface FlowQuestion {
  /** Takes bytes as they come; what it returns is to be sent. Throws a Fault for what is no answer. */
  take(chunk: Buffer): Buffer | undefined;
  /** Once all tables were told of. */
  readonly flows: number | undefined;
}

export const HELLO_MESSAGE = message(NEWEST, HELLO, [0, VERSION_BITMAP, 0, 8, 0, 0, 0, OURS]);

/** The conversation, without the socket: both say hello, then we ask, then the bridge answers in one part or several. */
export function askFlows(who: string): FlowQuestion {
  let rest: Buffer = Buffer.alloc(0);
  let received = 0;
  let spoken: { readonly version: number; readonly dialect: Dialect } | undefined;
  let sum = 0;
  let flows: number | undefined;
  const garbled = (what: string): Fault => new Fault(OVS_GARBLED, `${who} ${what}`);

  const hear = (one: Buffer): Buffer | undefined => {
    const [version = 0, type] = one;
    const body = one.subarray(HEADER_BYTES);
    if (type === ERROR) throw new Fault(OVS_REFUSED, `${who} refused to tell how many flows it has`);
    if (type === HELLO && spoken === undefined) {
      const common = offered(version, body) & OURS;
      const best = Math.max(...[...DIALECTS.keys()].filter((one) => (common & (1 << one)) !== 0));
      const dialect = DIALECTS.get(best);
      if (dialect === undefined)
        throw new Fault(OVS_REFUSED, `${who} speaks no version of OpenFlow that is known here`);
      spoken = { version: best, dialect };
      return message(best, dialect.request, [0, TABLES, ...Array<number>(dialect.bodyBytes - 2).fill(0)]);
    }
    if (spoken === undefined || type !== spoken.dialect.reply) return undefined;
    const { dialect } = spoken;
    if (body.length < dialect.bodyBytes || body.readUInt16BE(0) !== TABLES) throw garbled('answers another question');
    sum += flowsIn(body.subarray(dialect.bodyBytes), dialect);
    if ((body.readUInt16BE(2) & MORE) === 0) flows = sum;
    return undefined;
  };
  return {
    take(chunk) {
      received += chunk.length;
      if (received > MOST_BYTES) throw garbled('says far more than it should');
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const replies: Buffer[] = [];
      while (flows === undefined && rest.length >= HEADER_BYTES) {
        const length = rest.readUInt16BE(2);
        if (length < HEADER_BYTES) throw garbled('does not speak OpenFlow');
        if (rest.length < length) break;
        const reply = hear(rest.subarray(0, length));
        if (reply !== undefined) replies.push(reply);
        rest = rest.subarray(length);
      }
      return replies.length === 0 ? undefined : Buffer.concat(replies);
    },
    get flows() {
      return flows;
    },
  };
}

/**
 * The OpenFlow rules of a bridge, by its management socket (`BRIDGE.mgmt`). Rejects with a Fault: missing, down, refused, garbled, or no answer
 * within `deadlineMs`.
 */
export function countFlows(path: string, deadlineMs = 1000): Promise<number> {
  const who = 'ovs-vswitchd';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let socket: Socket;
  try {
    socket = connect({ path });
  } catch (error) {
    return Promise.reject(noAnswer(who, path, error)); // a path that is too long for a socket
  }
  const question = askFlows(who);
  const expire = (): void => reject(new Fault(OVS_HUNG, `${who} did not tell the flows within ${deadlineMs / 1000} s`));
  const timer = setTimeout(() => setImmediate(expire), deadlineMs); // what has come is read before
  socket.once('connect', () => socket.write(HELLO_MESSAGE));
  socket.on('data', (chunk: Buffer) => {
    try {
      const reply = question.take(chunk);
      if (reply !== undefined) socket.write(reply);
      if (question.flows !== undefined) resolve(question.flows);
    } catch (error) {
      reject(error instanceof Fault ? error : new Fault(OVS_GARBLED, `${who} cannot be understood`, { cause: error }));
    }
  });
  socket.on('error', (error) => reject(noAnswer(who, path, error)));
  socket.on('close', () => reject(noAnswer(who, path, undefined)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
