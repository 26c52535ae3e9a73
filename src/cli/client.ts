// Talks to a daemon over HTTP: by its Unix socket, or by URL with a token. Problems come back as faults with a remedy.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { Fault, faultKind, type FaultKind, systemCode } from '../base/fault.ts';
import { z } from '../base/schema.ts';
import { defaultDataDir, frontSocket, layout } from '../daemon/index.ts';
import type { Io } from './io.ts';

const DAEMON_UNREACHABLE = faultKind(
  'JD_DAEMON_UNREACHABLE',
  503,
  'start it with `jdos daemon`, or say where it is with --server URL, --server unix:PATH or --data-dir',
);
const TOKEN_FILE_UNREADABLE = faultKind(
  'JD_TOKEN_FILE_UNREADABLE',
  400,
  'give --token-file (or JDOS_TOKEN_FILE) a file that this user may read; the admin token is in <data-dir>/admin.token',
);
const ANSWER_NOT_UNDERSTOOD = faultKind(
  'JD_ANSWER_NOT_UNDERSTOOD',
  502,
  'check that --server is the address of a jdos daemon of the same version',
);

export interface ServerOptions {
  readonly server?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly dataDir?: string | undefined;
}

export interface Client extends AsyncDisposable {
  readonly address: string;
  get(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<unknown>;
  /** The body as it came, for formats other than JSON. */
  getText(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<string>;
  /** A body that is a text is sent as YAML, as it is; anything else as JSON. */
  send(method: 'POST' | 'DELETE', path: string, body?: unknown, timeoutMs?: number): Promise<unknown>;
}

const TIMEOUT_MS = 30_000;
const Problem = z.object({
  code: z.string().regex(/^JD_[A-Z0-9_]+$/),
  detail: z.string(),
  remedy: z.string(),
  errors: z.array(z.object({ path: z.string(), expected: z.string() })).optional(),
});

interface Target {
  readonly origin: string;
  readonly socketPath: string | undefined;
  readonly dataDir: string;
}

/** Where to: `--server`, else JDOS_SERVER, else the socket in the data directory, else the loopback listener. */
export function target(options: ServerOptions, io: Io): Target {
  const dataDir = options.dataDir ?? io.env['JDOS_DATA_DIR'] ?? defaultDataDir();
  const server = options.server ?? io.env['JDOS_SERVER'];
  if (server?.startsWith('unix:'))
    return { origin: 'http://localhost', socketPath: server.slice('unix:'.length), dataDir };
  if (server !== undefined) return { origin: server.replace(/\/+$/, ''), socketPath: undefined, dataDir };
  const socketPath = frontSocket(layout(dataDir));
  if (existsSync(socketPath)) return { origin: 'http://localhost', socketPath, dataDir };
  return { origin: 'http://127.0.0.1:9618', socketPath: undefined, dataDir };
}

function readToken(file: string | undefined, required: boolean): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (!required) return undefined;
    throw new Fault(TOKEN_FILE_UNREADABLE, `cannot read the token file ${file} (${systemCode(error) ?? 'unknown'})`, {
      cause: error,
    });
  }
}

/** The token to use: a file that was named must be readable; the data directory's own is used where it can be read. */
export function findToken(options: ServerOptions, dataDir: string, io: Io): string | undefined {
  const named = options.tokenFile ?? io.env['JDOS_TOKEN_FILE'];
  return named === undefined ? readToken(layout(dataDir).adminTokenFile, false) : readToken(named, true);
}

/** The CA to trust besides the system's: named, else the data directory's own where it can be read. */
export function findCa(options: ServerOptions, dataDir: string): string | undefined {
  return readToken(options.caFile ?? join(layout(dataDir).state, 'tls', 'ca.crt'), options.caFile !== undefined);
}

export function openClient(options: ServerOptions, io: Io): Client {
  const { origin, socketPath, dataDir } = target(options, io);
  const address = socketPath === undefined ? origin : `unix:${socketPath}`;
  const token = socketPath === undefined ? findToken(options, dataDir, io) : undefined;
  const ca = origin.startsWith('https:') ? findCa(options, dataDir) : undefined;
  const dispatcher: Dispatcher = new Agent({
    connect: {
      timeout: 5000,
      ...(socketPath === undefined ? {} : { socketPath }),
      ...(ca === undefined ? {} : { ca }),
    },
  });

  const exchange = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: unknown,
    timeoutMs: number,
  ): Promise<string> => {
    try {
      const reply = await request(origin + path, {
        method,
        dispatcher,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': typeof body === 'string' ? 'application/yaml' : 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await reply.body.text();
      if (reply.statusCode >= 400) throw problem(reply.statusCode, text, address);
      return text;
    } catch (error) {
      if (error instanceof Fault) throw error;
      const why = systemCode(error) ?? (error instanceof Error ? error.message : String(error));
      throw new Fault(DAEMON_UNREACHABLE, `no answer from a daemon at ${address} (${why})`, { cause: error });
    }
  };
  const getText: Client['getText'] = (path, query = {}) =>
    exchange('GET', path + queryText(query), undefined, TIMEOUT_MS);
  return {
    address,
    getText,
    get: async (path, query) => parse(await getText(path, query), address),
    send: async (method, path, body, timeoutMs = TIMEOUT_MS) =>
      parse(await exchange(method, path, body, timeoutMs), address),
    [Symbol.asyncDispose]: () => dispatcher.close(),
  };
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

function parse(text: string, address: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault(ANSWER_NOT_UNDERSTOOD, `the answer of ${address} is not JSON`, { cause });
  }
}

function problem(status: number, text: string, address: string): Fault {
  try {
    const { code, detail, remedy, errors = [] } = Problem.parse(JSON.parse(text));
    return new Fault({ code: code as FaultKind['code'], status, remedy }, detail, { details: errors });
  } catch (cause) {
    return new Fault(ANSWER_NOT_UNDERSTOOD, `${address} answered with status ${status}`, { cause });
  }
}
