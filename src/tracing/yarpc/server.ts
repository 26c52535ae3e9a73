// The receiving side of yaRPC: unary procedures over YARPC's HTTP transport, in the encodings json and raw.
import { explain, Fault } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import type { Caller, Procedure, Right } from '../../base/route.ts';
import { parseWith, z } from '../../base/schema.ts';
import { withinTrace } from '../context.ts';
import type { Recorder } from '../ledger/recorder.ts';
import { type CalleeStory, openStory } from './callee.ts';
import { CODES, codeOf } from './codes.ts';
import type { Headers } from './envelope.ts';
import type { Observe } from './metrics.ts';
import { RPC_BAD_REQUEST, RPC_DEADLINE, RPC_FORBIDDEN, RPC_INTERNAL, RPC_NO_PROCEDURE } from './faults.ts';

export interface RpcReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** To be told whether the connection took the reply whole. */
  readonly settled?: (written: boolean) => void;
}

/** Answers one request. Never rejects: every failure is an answer. */
export type RpcHandler = (headers: Headers, body: Buffer, caller: Caller, signal: AbortSignal) => Promise<RpcReply>;

interface RpcServerOptions {
  /** The service this process answers for. */
  readonly service: string;
  readonly procedures: readonly Procedure[];
  /** Whether a caller has a right. */
  readonly may: (caller: Caller, right: Right) => boolean;
  readonly log: Logger;
  /** Where calls are recorded; a reply goes out when its row is committed. */
  readonly recorder?: Recorder;
  /** Told of each call at its end. */
  readonly observe?: Observe;
}

const MAX_TTL_MS = 600_000;

/** Headers of one request: YARPC's four are required, the TTL is optional (yarpc-go: transport/http/handler.go, ttl.go). */
function readHeaders(headers: Headers): {
  caller: string;
  service: string;
  procedure: string;
  encoding: string;
  ttlMs: number | undefined;
} {
  const need = (name: string): string => {
    const value = headers[name];
    if (typeof value !== 'string' || value === '') throw new Fault(RPC_BAD_REQUEST, `missing header ${name}`);
    return value;
  };
  const [caller, service, procedure, encoding] = ['rpc-caller', 'rpc-service', 'rpc-procedure', 'rpc-encoding'].map(
    need,
  );
  const ttl = headers['context-ttl-ms'];
  if (ttl !== undefined && (typeof ttl !== 'string' || !/^\d{1,9}$/.test(ttl)))
    throw new Fault(RPC_BAD_REQUEST, `invalid TTL ${String(ttl)}`);
  return {
    caller: caller ?? '',
    service: service ?? '',
    procedure: procedure ?? '',
    encoding: encoding ?? '',
    ttlMs: ttl === undefined ? undefined : Number(ttl),
  };
}

const encodingOf = ({ request }: Procedure): 'json' | 'raw' => (request === 'raw' ? 'raw' : 'json');

/** The request in the encoding of its procedure. Throws a Fault for another one and for what the procedure does not take. */
function readRequest(procedure: Procedure, encoding: string, body: Buffer): unknown {
  const { name, request } = procedure;
  const wanted = encodingOf(procedure);
  if (encoding !== wanted)
    throw new Fault(RPC_BAD_REQUEST, `unsupported encoding ${encoding}: ${name} takes ${wanted} only`);
  if (request === 'raw') return body;
  const parsed = parseWith(request, parseJson(body));
  if ('errors' in parsed)
    throw new Fault(RPC_BAD_REQUEST, `the request of ${name} is not valid`, { details: parsed.errors });
  return parsed.value;
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new Fault(RPC_BAD_REQUEST, 'the body is not JSON', { cause });
  }
}

/** The procedures that every service has: is it there, and what can it do. */
const meta = (procedures: () => readonly Procedure[]): readonly Procedure[] => [
  { name: 'Meta::health', right: 'health', request: z.unknown(), handler: () => ({ ok: true }) },
  {
    name: 'Meta::procedures',
    right: 'health',
    request: z.unknown(),
    handler: () => ({
      procedures: procedures().map((each) => ({ name: each.name, right: each.right, encoding: encodingOf(each) })),
    }),
  },
];

export function rpcHandler(options: RpcServerOptions): RpcHandler {
  const { service, procedures, may, log, recorder, observe } = options;
  const all: readonly Procedure[] = [...procedures, ...meta(() => all)];
  const byName = new Map(all.map((procedure) => [procedure.name, procedure]));

  const run = async (
    headers: Headers,
    body: Buffer,
    caller: Caller,
    outer: AbortSignal,
    story: CalleeStory,
  ): Promise<unknown> => {
    const head = readHeaders(headers);
    if (head.service !== service)
      throw new Fault(RPC_NO_PROCEDURE, `no service ${head.service} here, this is ${service}`);
    const procedure = byName.get(head.procedure);
    if (procedure === undefined) throw new Fault(RPC_NO_PROCEDURE, `no procedure ${head.procedure}`);
    if (!may(caller, procedure.right))
      throw new Fault(RPC_FORBIDDEN, `${procedure.name} needs the right ${procedure.right}`);
    const request = readRequest(procedure, head.encoding, body);
    // Processes of one host share a clock: a call that waited in a socket beyond its time is not begun.
    if (caller.from === 'unix' && story.isOver(head.ttlMs)) throw late(procedure);
    const signal =
      head.ttlMs === undefined
        ? outer
        : AbortSignal.any([outer, AbortSignal.timeout(Math.min(head.ttlMs, MAX_TTL_MS))]);
    return withDeadline(procedure, request, { caller: head.caller, signal }, story);
  };

  const respond = async (headers: Headers, work: () => Promise<unknown>): Promise<RpcReply & { code: string }> => {
    try {
      const result = await work();
      return {
        code: 'ok',
        status: 200,
        headers: { 'rpc-status': 'success', 'rpc-service': service, 'content-type': 'application/json' },
        body: JSON.stringify(result ?? {}),
      };
    } catch (error) {
      if (error instanceof Fault) return refusal(service, error);
      log.error({ err: error, procedure: headers['rpc-procedure'] }, 'procedure failed');
      return refusal(service, new Fault(RPC_INTERNAL, `${String(headers['rpc-procedure'])} failed: ${explain(error)}`));
    }
  };

  return async (headers, body, caller, signal) => {
    const name = byName.get(String(headers['rpc-procedure']))?.name;
    const recorded = name === undefined || byName.get(name)?.recorded !== false;
    const story = openStory({ headers, caller, requestBytes: body.length, recorder: recorded ? recorder : undefined });
    const { code, ...reply } = await respond(headers, () =>
      withinTrace(story.trace, () => run(headers, body, caller, signal, story)),
    );
    observe?.({ direction: 'inbound', service, procedure: name ?? 'unknown', code, seconds: story.seconds() });
    return { ...reply, ...(await story.close(reply, code, signal)) };
  };
}

const late = ({ name }: Procedure): Fault => new Fault(RPC_DEADLINE, `${name} did not answer within its deadline`);

async function withDeadline(
  procedure: Procedure,
  request: unknown,
  context: { caller: string; signal: AbortSignal },
  story: CalleeStory,
): Promise<unknown> {
  const { signal } = context;
  if (signal.aborted) throw late(procedure);
  let onAbort = (): void => {};
  const expired = new Promise<never>((_, reject) => {
    onAbort = () => reject(late(procedure));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  story.begin();
  const running = (async () => procedure.handler(request, context))();
  // Also when nobody waits for it any more: whether it was executed is what the ledger is asked.
  running.then(story.end, story.end);
  try {
    return await Promise.race([running, expired]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const headerSafe = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500);

function refusal(service: string, fault: Fault): RpcReply & { code: string } {
  const code = codeOf(fault.status);
  return {
    code,
    status: CODES[code].status,
    headers: {
      'rpc-status': 'error',
      'rpc-service': headerSafe(service),
      'rpc-error-code': code,
      'rpc-error-name': fault.code,
      'rpc-error-message': headerSafe(fault.message),
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      code: fault.code,
      message: fault.message,
      remedy: fault.remedy,
      status: fault.status,
      details: fault.details,
    }),
  };
}
