// The calling side of yaRPC: one peer, JSON or bytes, every call with a deadline and a message id.
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { Fault, type FaultKind, systemCode } from '../../base/fault.ts';
import type { Call } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { callerIdentity, type Recorder } from '../ledger/recorder.ts';
import { codeOf } from './codes.ts';
import { type CallerIdentity, openCallerStory, type Outcome } from './caller.ts';
import { readTimes } from './envelope.ts';
import { RPC_BAD_REPLY, RPC_DEADLINE, RPC_UNREACHABLE } from './faults.ts';
import type { Observe } from './metrics.ts';

/** Where a peer is: a Unix socket of this host, or the front door of another with a token for it. */
type RpcAddress =
  | { readonly socketPath: string }
  | {
      /** `https://HOST:9619`; plain http only to this host. */
      readonly url: string;
      readonly token: string;
      /** PEM of the CA to trust besides the system's. */
      readonly ca?: string;
    };

type RpcPeer = RpcAddress & {
  /** The service it answers for. */
  readonly service: string;
  /** The caller's own name, for the peer's records. */
  readonly caller: string;
  /** Where calls are recorded. */
  readonly recorder?: Recorder;
  /** Told of each attempt at its end. */
  readonly observe?: Observe;
  /** Tries in all, within the deadline, while the peer is unavailable; 1 unless said. More only where twice does no harm. */
  readonly attempts?: number;
};

export interface RpcClient extends AsyncDisposable {
  readonly call: Call;
}

const MAX_REPLY = 64 * 1024 * 1024;
const FIRST_PAUSE_MS = 50;

/** What a refusal carries; see `refusal` in server.ts. */
const Refusal = z.object({
  code: z.string().regex(/^JD_[A-Z_]+$/),
  message: z.string(),
  remedy: z.string(),
  status: z.number().int(),
  details: z.array(z.object({ path: z.string(), expected: z.string(), value: z.unknown().optional() })),
});

/** What a front door says that refuses before the procedure is known (RFC 9457). */
const Problem = z.object({
  code: z.string().regex(/^JD_[A-Z_]+$/),
  detail: z.string(),
  remedy: z.string(),
  status: z.number().int(),
});

/** Connects lazily, and again after the peer was restarted. Up to eight calls run side by side, more wait. */
export function openRpcClient(peer: RpcPeer): RpcClient {
  const { service, caller, recorder, observe, attempts = 1 } = peer;
  const pool = openPool(peer);
  const where = 'url' in peer ? peer.url : peer.socketPath;
  const authorization = 'url' in peer ? { authorization: `Bearer ${peer.token}` } : {};
  const identity: CallerIdentity = {
    caller,
    service,
    peer: 'url' in peer ? peer.url : 'unix',
    numbering: recorder ?? callerIdentity(caller),
    recorder,
  };

  /** One exchange; gives the reply, or throws what the caller is told, and says in both cases how it ended. */
  const exchange = async (
    headers: Readonly<Record<string, string>>,
    body: string | Buffer,
    procedure: string,
    signal: AbortSignal,
    ended: (outcome: Outcome) => void,
  ): Promise<unknown> => {
    let replied: Outcome | undefined;
    try {
      const reply = await pool.request({
        method: 'POST',
        path: '/yarpc',
        headers: { ...headers, ...authorization },
        body,
        signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const text = await reply.body.text();
      const success = reply.headers['rpc-status'] === 'success';
      const code = success ? 'ok' : String(reply.headers['rpc-error-code'] ?? codeOf(reply.statusCode));
      replied = { ended: 'replied', code, times: readTimes(reply.headers), replyBytes: Buffer.byteLength(text) };
      if (success) return parseReply(text, procedure);
      throw refused(text, `${procedure} of ${service} was refused with status ${reply.statusCode}`);
    } catch (error) {
      if (error instanceof Fault) throw error;
      replied = failureOf(error, signal);
      if (replied.ended === 'timed_out')
        throw new Fault(RPC_DEADLINE, `${procedure} of ${service} did not answer in time`);
      throw new Fault(
        RPC_UNREACHABLE,
        `${service} cannot be reached at ${where} (${systemCode(error) ?? 'connection lost'})`,
        { cause: error },
      );
    } finally {
      if (replied !== undefined) ended(replied);
    }
  };

  const call: Call = async (procedure, request, deadlineMs) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const raw = Buffer.isBuffer(request);
    const body = raw ? request : JSON.stringify(request ?? {});
    const encoding = raw ? 'raw' : 'json';
    const requestBytes = Buffer.byteLength(body);
    const story = openCallerStory({ ...identity, procedure, encoding, deadlineMs, requestBytes });
    for (let attempt = 0; ; attempt += 1) {
      const { headers, ended } = story.attempt(attempt);
      const began = performance.now();
      const observed = (outcome: Outcome): void => {
        ended(outcome);
        const seconds = (performance.now() - began) / 1000;
        observe?.({ direction: 'outbound', service, procedure, code: outcome.code, seconds });
      };
      try {
        return await exchange(headers, body, procedure, signal, observed);
      } catch (error) {
        const again = error instanceof Fault && error.code === RPC_UNREACHABLE.code && attempt + 1 < attempts;
        if (!again) throw error;
        await sleep(FIRST_PAUSE_MS * 2 ** attempt, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) throw error;
      }
    }
  };
  return { call, [Symbol.asyncDispose]: () => pool.destroy() };
}

function openPool(peer: RpcAddress): Pool {
  const common = { connections: 8, maxResponseSize: MAX_REPLY };
  if ('socketPath' in peer)
    return new Pool('http://localhost', { ...common, socketPath: peer.socketPath, connect: { timeout: 2000 } });
  const ca = peer.ca === undefined ? {} : { ca: peer.ca };
  return new Pool(new URL(peer.url).origin, { ...common, connect: { timeout: 5000, ...ca } });
}

/** How an exchange ended that had no reply. */
function failureOf(error: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { ended: 'timed_out', code: 'deadline-exceeded' };
  const given = ['UND_ERR_DESTROYED', 'UND_ERR_CLOSED', 'UND_ERR_ABORTED'].includes(systemCode(error) ?? '');
  return given ? { ended: 'cancelled', code: 'cancelled' } : { ended: 'failed', code: 'unavailable' };
}

function parseReply(text: string, procedure: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault(RPC_BAD_REPLY, `the reply of ${procedure} is not JSON`, { cause });
  }
}

/** The peer's own fault, as it was thrown there. */
function refused(text: string, otherwise: string): Fault {
  try {
    const raw: unknown = JSON.parse(text);
    const problem = Problem.safeParse(raw);
    if (problem.success)
      return new Fault({ ...problem.data, code: problem.data.code as FaultKind['code'] }, problem.data.detail);
    const { code, message, remedy, status, details } = Refusal.parse(raw);
    return new Fault({ code: code as FaultKind['code'], status, remedy }, message, {
      details: details.map(({ value, ...rest }) => ({ ...rest, value })),
    });
  } catch (cause) {
    return new Fault(RPC_BAD_REPLY, otherwise, { cause });
  }
}
