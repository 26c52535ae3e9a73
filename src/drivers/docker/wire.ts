// One request to the Docker Engine over its Unix socket: with a deadline, in the API version both know, failing in our words.
import { access, constants } from 'node:fs/promises';
import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { explain, Fault, systemCode } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import { DOCKER_DOWN, DOCKER_FORBIDDEN, DOCKER_HUNG, DOCKER_MISSING, DOCKER_TOO_OLD } from './faults.ts';

export interface Call {
  /** For messages: `start container abc`. */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: object;
  readonly deadlineMs: number;
}

/** `body` is JSON, parsed; without JSON it is of no use. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export interface Wire extends Disposable {
  /** Resolves with whatever status it was; rejects with a Fault where there was no answer. */
  send(call: Call): Promise<Reply>;
  /** The body as it comes; the deadline is for its beginning. The caller destroys it. */
  stream(call: Call, signal: AbortSignal): Promise<Reply | Readable>;
  /** The same, with one deadline over all calls together. */
  within(ms: number): Wire;
  /** The engine, asked anew. */
  version(): Promise<Engine>;
}

const Engine = z.object({ Version: z.string(), ApiVersion: z.string(), MinAPIVersion: z.string().optional() });
export type Engine = z.output<typeof Engine>;

/** What we were written for, and what we can do with. */
const NEWEST = '1.47';
const OLDEST = '1.40';
const VERSION_DEADLINE_MS = 5000;

/** docker-modem, as far as it is used: its types say `any`. */
interface Modem {
  version?: string | undefined;
  dial(
    options: {
      readonly path: string;
      readonly method: string;
      readonly options: { readonly _query: object; readonly _body?: object };
      readonly abortSignal: AbortSignal;
      readonly isStream: boolean;
      readonly statusCodes: Readonly<Record<number, true>>;
    },
    done: (error: unknown, data: unknown) => void,
  ): void;
}

const GOOD: Readonly<Record<number, true>> = { 200: true, 201: true, 204: true };

/** Nothing is opened, and no code for Docker loaded, before the first call finds a socket. */
export function openWire(socket: string): Wire {
  const agent = new Agent({ keepAlive: false });
  let opened: Promise<{ readonly modem: Modem; readonly engine: Engine }> | undefined;

  const open = async (): Promise<{ readonly modem: Modem; readonly engine: Engine }> => {
    await access(socket, constants.R_OK | constants.W_OK).catch((error: unknown) => {
      throw noAnswer(socket, error);
    });
    const { default: Docker } = await import('dockerode');
    // What the environment says (DOCKER_HOST and its kin) is for people at a terminal.
    const own = {
      host: undefined,
      port: undefined,
      ca: undefined,
      cert: undefined,
      key: undefined,
      timeout: undefined,
    };
    const options = { ...own, protocol: 'http', socketPath: socket, agent } as object;
    const modem = new Docker(options).modem as Modem;
    const call = { what: 'version', method: 'GET', path: '/version', deadlineMs: VERSION_DEADLINE_MS } as const;
    const engine = Engine.parse((await dial(modem, socket, call)).body);
    modem.version = `v${agreed(engine)}`;
    return { modem, engine };
  };
  const ready = (): Promise<{ readonly modem: Modem; readonly engine: Engine }> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));

  const over = (outer: AbortSignal | undefined): Wire => {
    /** Another engine may answer the next time. */
    const reached = async <T>(call: (modem: Modem) => Promise<T>): Promise<T> => {
      const { modem } = await ready();
      return call(modem).catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    };
    return {
      send: (call) => reached((modem) => dial(modem, socket, call, { outer })),
      stream: (call, signal) =>
        reached((modem) => dial(modem, socket, call, { outer: signal, stream: true })).then((reply) =>
          reply.status === 200 ? (reply.body as Readable) : reply,
        ),
      within: (ms) => over(AbortSignal.timeout(ms)),
      async version() {
        opened = undefined;
        return (await ready()).engine;
      },
      [Symbol.dispose]: () => agent.destroy(),
    };
  };
  return over(undefined);
}

interface DialOptions {
  readonly outer?: AbortSignal | undefined;
  readonly stream?: boolean;
}

function dial(
  modem: Modem,
  socket: string,
  { what, method, path, query = {}, body, deadlineMs }: Call,
  { outer, stream = false }: DialOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    const abortSignal = outer === undefined ? deadline.signal : AbortSignal.any([deadline.signal, outer]);
    const hung = (): void => {
      clearTimeout(timer);
      reject(new Fault(DOCKER_HUNG, `Docker at ${socket} did not answer within its deadline: ${what}`));
    };
    if (abortSignal.aborted) return hung();
    abortSignal.addEventListener('abort', hung, { once: true });
    const options = { _query: query, _body: body ?? {} };
    modem.dial(
      // The question mark is what makes docker-modem send the query.
      { path: `${path}?`, method, options, abortSignal, isStream: stream, statusCodes: GOOD },
      (error, data) => {
        clearTimeout(timer);
        abortSignal.removeEventListener('abort', hung);
        const { statusCode, json } = (error ?? {}) as { statusCode?: unknown; json?: unknown };
        if (error === null || error === undefined) resolve({ status: 200, body: data });
        else if (typeof statusCode === 'number')
          resolve({ status: statusCode, body: json ?? { message: explain(error) } });
        else reject(noAnswer(socket, error));
      },
    );
  });
}

function noAnswer(socket: string, error: unknown): Fault {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Fault(DOCKER_MISSING, `there is no Docker socket ${socket}`);
    case 'EACCES':
    case 'EPERM':
      return new Fault(DOCKER_FORBIDDEN, `the Docker socket ${socket} may not be opened by this user`);
    case 'EAGAIN':
      return new Fault(DOCKER_HUNG, `Docker at ${socket} does not take connections`);
    case 'ECONNREFUSED':
      return new Fault(DOCKER_DOWN, `Docker does not run: nobody answers at ${socket}`);
    default:
      return new Fault(DOCKER_DOWN, `Docker at ${socket} broke off the connection`, { cause: error });
  }
}

const isBefore = (a: string, b: string): boolean => {
  const [[aMajor = 0, aMinor = 0], [bMajor = 0, bMinor = 0]] = [a, b].map((text) => text.split('.').map(Number)) as [
    number[],
    number[],
  ];
  return aMajor === bMajor ? aMinor < bMinor : aMajor < bMajor;
};

/** The newest API version that both know. An engine that has given up all of ours gets its own oldest, and may refuse. */
function agreed({ Version, ApiVersion, MinAPIVersion = OLDEST }: Engine): string {
  if (isBefore(ApiVersion, OLDEST)) {
    throw new Fault(DOCKER_TOO_OLD, `Docker ${Version} speaks API ${ApiVersion}; at least ${OLDEST} is needed`);
  }
  if (isBefore(NEWEST, MinAPIVersion)) return MinAPIVersion;
  return isBefore(ApiVersion, NEWEST) ? ApiVersion : NEWEST;
}
