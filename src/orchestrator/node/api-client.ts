// The Kubernetes API over the front door's Unix socket: JSON requests with a deadline, and watches as lines.
import { Pool } from 'undici';
import { Fault, faultKind, systemCode } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';

const API_UNREACHABLE = faultKind(
  'JD_NODE_API_UNREACHABLE',
  503,
  'see `jdos status`: the serve process is being started again, or its socket is gone; what runs goes on meanwhile',
);
export const API_REFUSED = faultKind(
  'JD_NODE_API_REFUSED',
  502,
  'see the log of the serve process for this request; both processes must run the same version of jdos',
);

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Query = Readonly<Record<string, string | number | boolean>>;

export interface ApiReply {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiClient extends AsyncDisposable {
  /** Any status below 500 that `accept` names is an answer, everything else a Fault. */
  send(
    method: Method,
    path: string,
    options?: { query?: Query; body?: unknown; accept?: readonly number[] },
  ): Promise<ApiReply>;
  /** Lines of a watch until the server or `signal` ends it. Rejects with a Fault when it is refused. */
  lines(path: string, query: Query, signal: AbortSignal): AsyncIterable<string>;
}

const DEADLINE_MS = 15_000;
const MAX_BODY = 256 * 1024 * 1024;
const MAX_LINE = 4 * 1024 * 1024;
const Status = z.object({ message: z.string(), reason: z.string().optional() });

export function openApiClient(socketPath: string): ApiClient {
  const pool = new Pool('http://localhost', {
    socketPath,
    connections: 8,
    maxResponseSize: MAX_BODY,
    connect: { timeout: 2000 },
  });
  // A watch holds its connection: it has a pool of its own, so that it cannot keep requests waiting.
  const watches = new Pool('http://localhost', { socketPath, connections: 2, connect: { timeout: 2000 } });

  const send: ApiClient['send'] = async (method, path, { query = {}, body, accept = [] } = {}) => {
    try {
      const reply = await pool.request({
        method,
        path: path + queryText(query),
        headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType(method) }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const text = await reply.body.text();
      if (reply.statusCode >= 400 && !accept.includes(reply.statusCode))
        throw refused(method, path, reply.statusCode, text);
      return { status: reply.statusCode, body: text === '' ? {} : JSON.parse(text) };
    } catch (error) {
      throw asFault(error, socketPath);
    }
  };

  async function* lines(path: string, query: Query, signal: AbortSignal): AsyncGenerator<string> {
    try {
      const reply = await watches.request({
        method: 'GET',
        path: path + queryText(query),
        headers: { accept: 'application/json' },
        signal,
        headersTimeout: DEADLINE_MS,
        bodyTimeout: 0,
      });
      if (reply.statusCode >= 400) throw refused('GET', path, reply.statusCode, await reply.body.text());
      let rest = '';
      reply.body.setEncoding('utf8');
      for await (const chunk of reply.body as AsyncIterable<string>) {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        if (rest.length > MAX_LINE) throw new Fault(API_REFUSED, `an event of ${path} has more than ${MAX_LINE} bytes`);
        yield* parts.filter((line) => line !== '');
      }
    } catch (error) {
      if (!signal.aborted) throw asFault(error, socketPath);
    }
  }

  return {
    send,
    lines,
    async [Symbol.asyncDispose]() {
      await Promise.all([pool.destroy(), watches.destroy()]);
    },
  };
}

const contentType = (method: Method): string =>
  method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';

const queryText = (query: Query): string => {
  const pairs = Object.entries(query).map(([key, value]) => [key, String(value)]);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
};

const asFault = (error: unknown, socketPath: string): Fault =>
  error instanceof Fault
    ? error
    : new Fault(
        API_UNREACHABLE,
        `no answer from the API at ${socketPath} (${systemCode(error) ?? 'connection lost'})`,
        {
          cause: error,
        },
      );

function refused(method: Method, path: string, status: number, text: string): Fault {
  let message = text.slice(0, 200);
  try {
    message = Status.parse(JSON.parse(text)).message;
  } catch {
    // not a Status object: the text itself is all that is known
  }
  return new Fault({ ...API_REFUSED, status }, `${method} ${path} was refused with status ${status}: ${message}`);
}
