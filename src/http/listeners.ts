// The three listeners as servers, and the keeper that tries a busy address again while the others work.
import { createServer as createHttp, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { createServer as createHttps, type Server as SecureServer } from 'node:https';
import { chmod, chown, lstat, unlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { backOffMs } from '../base/component.ts';
import { explain, Fault, type FaultKind, systemCode } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Listener } from './access.ts';
import { formatAddress, type Address } from './address.ts';
import type { HttpLimits } from './config.ts';
import { HEADERS_TOO_LARGE, INVALID_REQUEST, LISTEN_BUSY, LISTEN_FAILED, REQUEST_TIMEOUT } from './faults.ts';
import type { TlsMaterial } from './tls.ts';

/** Linux' sun_path without its final zero byte (unix(7)). */
const MAX_SOCKET_PATH = 107;

const serverOptions = (limits: HttpLimits) => ({
  maxHeaderSize: limits.headerBytes,
  headersTimeout: limits.headersSeconds * 1000,
  requestTimeout: Math.max(limits.requestSeconds, limits.headersSeconds) * 1000,
  keepAliveTimeout: limits.keepAliveSeconds * 1000,
  connectionsCheckingInterval: Math.min(5000, limits.headersSeconds * 500),
});

function bounded<S extends Server | SecureServer>(server: S, limits: HttpLimits): S {
  server.maxConnections = limits.maxConnections;
  server.maxRequestsPerSocket = 1000;
  server.timeout = limits.idleSeconds * 1000;
  return server;
}

/** A plain HTTP server within the limits. */
export const plainServer = (limits: HttpLimits): Server => bounded(createHttp(serverOptions(limits)), limits);

/** TLS 1.2 and later, HTTP/1.1 only. */
export const secureContext = ({ cert, key }: TlsMaterial) => ({ cert, key, minVersion: 'TLSv1.2' as const });

/** An HTTPS server within the limits. */
export function secureServer(limits: HttpLimits, material: TlsMaterial): SecureServer {
  const handshakeTimeout = limits.headersSeconds * 1000;
  return bounded(createHttps({ ...serverOptions(limits), ...secureContext(material), handshakeTimeout }), limits);
}

/** Listens on an address. Rejects with a Fault that names it and the key to change. */
export async function listenOn(server: Server, address: Address, key: string): Promise<void> {
  try {
    await listening(server, { host: address.host === 'localhost' ? '127.0.0.1' : address.host, port: address.port });
  } catch (cause) {
    const where = formatAddress(address);
    if (systemCode(cause) !== 'EADDRINUSE') {
      throw new Fault(LISTEN_FAILED, `cannot listen on ${where}`, {
        cause,
        remedy: `change ${key} in the configuration`,
      });
    }
    const remedy = `find who holds it with "ss -ltnp 'sport = :${address.port}'", stop that, or change ${key}`;
    throw new Fault(LISTEN_BUSY, `${where} is in use by another process`, { cause, remedy });
  }
}

/** Listens on a Unix socket of mode 0660. A socket file that nobody answers on is left over, and removed. */
export async function listenOnSocket(server: Server, path: string, gid: number | undefined): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    const remedy = 'choose a data directory with a shorter path';
    throw new Fault(LISTEN_FAILED, `${path} is longer than the ${MAX_SOCKET_PATH} bytes of a socket path`, { remedy });
  }
  await clearStaleSocket(path);
  try {
    await listening(server, { path });
    if (gid !== undefined) await chown(path, -1, gid);
    await chmod(path, 0o660);
  } catch (cause) {
    server.close();
    const remedy = 'give the user of the daemon write access to the directory of the socket';
    throw new Fault(LISTEN_FAILED, `cannot listen on ${path}`, { cause, remedy });
  }
}

async function clearStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new Fault(LISTEN_BUSY, `${path} exists and is no socket`, { remedy: `look at ${path} and move it away` });
  }
  if (await answers(path)) {
    const remedy = `find who holds it with "ss -lxp src ${path}", and stop that`;
    throw new Fault(LISTEN_BUSY, `another process answers on ${path}`, { remedy });
  }
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => settle(true));
    // Only a refusal proves that nobody is there: a full backlog (EAGAIN) or a lacking permission does not.
    socket.once('error', (error) => settle(systemCode(error) !== 'ECONNREFUSED'));
  });
}

const listening = (server: Server, where: { host: string; port: number } | { path: string }): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });

/** How a listener is opened: makes a server that listens, or rejects with a Fault. */
interface ListenerPlan {
  readonly listener: Listener;
  readonly open: () => Promise<Server>;
}

export interface KeptListener {
  readonly listener: Listener;
  readonly server: () => Server | undefined;
  /** Why it does not listen. */
  readonly fault: () => unknown;
  /** Tries once, then in the background until it works or `signal` aborts. */
  start(signal: AbortSignal): Promise<void>;
  /** Takes no more connections, gives those in work `graceMs`, then closes them. */
  stop(graceMs: number): Promise<void>;
}

/** Keeps one listener: tried again with growing pauses while it cannot listen. */
export function keepListening({ listener, open }: ListenerPlan, log: Logger): KeptListener {
  let server: Server | undefined;
  let fault: unknown;
  // Node's own list leaves out connections within their TLS handshake.
  const sockets = new Set<Socket>();
  const attempt = async (): Promise<boolean> => {
    try {
      server = await open();
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      if (fault !== undefined) log.info({ listener }, 'listener works now');
      fault = undefined;
    } catch (error) {
      if (explain(fault) !== explain(error)) log.error({ listener, err: error }, 'listener cannot be opened');
      fault = error;
    }
    return fault === undefined;
  };
  const retry = async (signal: AbortSignal): Promise<void> => {
    for (let tries = 0; !signal.aborted; tries += 1) {
      await sleep(backOffMs(tries), undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted || (await attempt())) return;
    }
  };
  const stopping = new AbortController();
  let retrying: Promise<void> = Promise.resolve();
  return {
    listener,
    server: () => server,
    fault: () => fault,
    async start(signal) {
      if (!(await attempt())) retrying = retry(AbortSignal.any([signal, stopping.signal]));
    },
    async stop(graceMs) {
      stopping.abort();
      await retrying;
      if (server !== undefined) await closeServer(server, sockets, graceMs);
      server = undefined;
    },
  };
}

async function closeServer(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const timer = new AbortController();
  const late = sleep(graceMs, 'late', { signal: timer.signal }).catch(() => undefined);
  if ((await Promise.race([closed, late])) === 'late') for (const socket of sockets) socket.destroy();
  timer.abort();
  await closed;
}

interface ConnectionEvents {
  readonly onRequest: RequestListener;
  readonly onMalformed: (code: string | undefined) => void;
}

/** Bytes that are no request: answered where nothing of another answer is on its way, then closed. */
const MALFORMED: Readonly<Record<string, FaultKind>> = {
  HPE_HEADER_OVERFLOW: HEADERS_TOO_LARGE,
  ERR_HTTP_REQUEST_TIMEOUT: REQUEST_TIMEOUT,
};

/** Connects a server to the router. */
export function serve(server: Server | SecureServer, { onRequest, onMalformed }: ConnectionEvents): void {
  const begun = new WeakMap<object, Set<{ readonly headersSent: boolean }>>();
  const track: RequestListener = (request, response) => {
    const answers = begun.get(request.socket) ?? new Set();
    begun.set(request.socket, answers.add(response));
    response.once('close', () => answers.delete(response));
    onRequest(request, response);
  };
  server.on('request', track);
  // The client waits for a word before it sends the body; it gets one when the body is wanted.
  server.on('checkContinue', track);
  server.on('clientError', (error: Error, socket: Socket) => {
    const name = systemCode(error);
    if (name !== 'ECONNRESET') onMalformed(name);
    const answering = [...(begun.get(socket) ?? [])].some((response) => response.headersSent);
    const isHttp = name?.startsWith('HPE_') === true || name === 'ERR_HTTP_REQUEST_TIMEOUT';
    // A failed TLS handshake comes here too, and there is nobody to answer.
    if (!isHttp || !socket.writable || answering) return void socket.destroy();
    const { code, status, remedy } = MALFORMED[name ?? ''] ?? INVALID_REQUEST;
    const title = STATUS_CODES[status];
    const body = JSON.stringify({ type: `urn:jdos:error:${code}`, title, status, code, remedy });
    socket.end(
      `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  });
  server.on('drop', () => onMalformed('DROPPED'));
}
