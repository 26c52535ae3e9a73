// JSON-RPC 1.0 over a Unix socket: calls with deadlines, answers by id, and what the other side says of its own accord.
import { connect, type Socket } from 'node:net';
import { Fault } from '../../base/fault.ts';
import { noAnswer, OVS_GARBLED, OVS_HUNG, OVS_REFUSED } from './faults.ts';
import { openSplitter, type SplitterLimits } from './splitter.ts';

interface WireOptions {
  readonly socket: string;
  /** Who listens there, for messages: `ovsdb-server`. */
  readonly who: string;
  readonly limits: SplitterLimits;
  readonly connectMs: number;
  /** A method that the other side calls or notifies. What it returns is the answer to a call. */
  readonly onCall?: (method: string, params: unknown) => unknown;
  /** The connection is no more. Called once, after it was open. */
  readonly onClose: (why: Fault) => void;
}

export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly deadlineMs: number;
}

export interface Wire extends Disposable {
  /** Resolves with the result. Rejects with a Fault: the other side's error, a deadline, the end of the connection. */
  call(call: Call): Promise<unknown>;
  /** Calls of which the deadline has passed and the answer has not come. */
  readonly late: number;
  /** When something came last, by performance.now(). */
  readonly heardAt: number;
  /** Bytes that came so far. */
  readonly received: number;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (why: Fault) => void;
  readonly timer: NodeJS.Timeout;
}

/** Resolves when connected. Nothing in it blocks: a socket whose queue is full refuses at once. */
export async function openWire(options: WireOptions): Promise<Wire> {
  const { who } = options;
  const socket = await connected(options);
  const splitter = openSplitter(options.limits);
  const waiting = new Map<number, Waiting>();
  const late = new Set<number>();
  let nextId = 0;
  let closed: Fault | undefined;
  let heardAt = performance.now();
  let received = 0;

  const close = (why: Fault): void => {
    if (closed !== undefined) return;
    closed = why;
    socket.destroy();
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(why);
    }
    waiting.clear();
    options.onClose(why);
  };
  const send = (message: object): void => void socket.write(JSON.stringify(message));
  const answered = (id: unknown, { result, error }: Message): void => {
    if (typeof id !== 'number') return;
    late.delete(id);
    const one = waiting.get(id);
    if (one === undefined) return; // too late, or never asked for
    waiting.delete(id);
    clearTimeout(one.timer);
    if (error === null || error === undefined) one.resolve(result);
    else one.reject(new Fault(OVS_REFUSED, `${who} refused: ${errorText(error)}`));
  };
  const take = (bytes: Buffer): void => {
    const message = parse(bytes);
    if (typeof message.method !== 'string') return answered(message.id, message);
    const result = options.onCall?.(message.method, message.params);
    if (message.id === null || message.id === undefined) return;
    send({
      id: message.id,
      ...(result === undefined ? { result: null, error: 'unknown method' } : { result, error: null }),
    });
  };

  socket.on('data', (chunk: Buffer) => {
    heardAt = performance.now();
    received += chunk.length;
    try {
      splitter.push(chunk, take);
    } catch (error) {
      close(error instanceof Fault ? error : new Fault(OVS_GARBLED, `${who} cannot be understood`, { cause: error }));
    }
  });
  socket.on('error', (error) => close(noAnswer(who, options.socket, error)));
  socket.on('close', () => close(noAnswer(who, options.socket, undefined)));

  return {
    call({ method, params, deadlineMs }) {
      if (closed !== undefined) return Promise.reject(closed);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const id = (nextId += 1);
      // An answer that waits in the socket while something else has the thread is not late: it is read before this runs.
      const expire = (): void =>
        void setImmediate(() => {
          if (!waiting.delete(id)) return;
          late.add(id);
          reject(new Fault(OVS_HUNG, `${who} did not answer ${method} within ${deadlineMs / 1000} s`));
        });
      waiting.set(id, { resolve, reject, timer: setTimeout(expire, deadlineMs) });
      send({ method, params, id });
      return promise;
    },
    get late() {
      return late.size;
    },
    get heardAt() {
      return heardAt;
    },
    get received() {
      return received;
    },
    [Symbol.dispose]: () => close(new Fault(OVS_HUNG, `the connection to ${who} was given up`)),
  };
}

function connected({ socket: path, who, connectMs }: WireOptions): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  let socket: Socket;
  try {
    socket = connect({ path });
  } catch (error) {
    return Promise.reject(noAnswer(who, path, error)); // a path that is too long for a socket
  }
  const giveUp = (): void => {
    if (!socket.connecting) return;
    socket.destroy();
    reject(new Fault(OVS_HUNG, `${who} at ${path} does not take connections`));
  };
  const timer = setTimeout(() => setImmediate(giveUp), connectMs); // as for answers, below
  socket.once('error', (error) => {
    clearTimeout(timer);
    reject(noAnswer(who, path, error));
  });
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.removeAllListeners('error');
    resolve(socket);
  });
  return promise;
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

const parse = (bytes: Buffer): Message => JSON.parse(bytes.toString('utf8')) as Message;

const MOST_ERROR_CHARS = 300;

function errorText(error: unknown): string {
  const { error: name, details } = (error ?? {}) as { error?: unknown; details?: unknown };
  const text =
    typeof error === 'string'
      ? error
      : typeof name === 'string'
        ? `${name}${details ? `: ${String(details)}` : ''}`
        : JSON.stringify(error);
  return text.trim().slice(0, MOST_ERROR_CHARS);
}
