// The calling side of yaRPC: one peer, JSON, every call with a deadline.
import { Pool } from 'undici';
import { Fault, type FaultKind, systemCode } from '../../base/fault.ts';
import type { Call } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { RPC_BAD_REPLY, RPC_DEADLINE, RPC_UNREACHABLE } from './faults.ts';

export interface RpcPeer {
  /** Unix socket of the peer. */
  readonly socketPath: string;
  /** The service it answers for. */
  readonly service: string;
  /** The caller's own name, for the peer's records. */
  readonly caller: string;
}

export interface RpcClient extends AsyncDisposable {
  readonly call: Call;
}

const MAX_REPLY = 64 * 1024 * 1024;

/** What a refusal carries; see `refusal` in server.ts. */
const Refusal = z.object({
  code: z.string().regex(/^JD_[A-Z_]+$/),
  message: z.string(),
  remedy: z.string(),
  status: z.number().int(),
  details: z.array(z.object({ path: z.string(), expected: z.string(), value: z.unknown().optional() })),
});

/** Connects lazily, and again after the peer was restarted. Up to eight calls run side by side, more wait. */
export function openRpcClient({ socketPath, service, caller }: RpcPeer): RpcClient {
  const client = new Pool('http://localhost', {
    socketPath,
    connections: 8,
    maxResponseSize: MAX_REPLY,
    connect: { timeout: 2000 },
  });
  const call: Call = async (procedure, request, deadlineMs) => {
    const signal = AbortSignal.timeout(deadlineMs);
    try {
      const reply = await client.request({
        method: 'POST',
        path: '/yarpc',
        headers: {
          'rpc-caller': caller,
          'rpc-service': service,
          'rpc-procedure': procedure,
          'rpc-encoding': 'json',
          'context-ttl-ms': String(Math.max(1, Math.ceil(deadlineMs))),
          'content-type': 'application/json',
        },
        body: JSON.stringify(request ?? {}),
        signal,
        headersTimeout: deadlineMs + 1000,
        bodyTimeout: deadlineMs + 1000,
      });
      const text = await reply.body.text();
      if (reply.headers['rpc-status'] === 'success') return parseReply(text, procedure);
      throw refused(text, `${procedure} of ${service} was refused with status ${reply.statusCode}`);
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (signal.aborted)
        throw new Fault(RPC_DEADLINE, `${procedure} of ${service} did not answer within ${deadlineMs} ms`);
      throw new Fault(
        RPC_UNREACHABLE,
        `${service} cannot be reached at ${socketPath} (${systemCode(error) ?? 'connection lost'})`,
        { cause: error },
      );
    }
  };
  return { call, [Symbol.asyncDispose]: () => client.destroy() };
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
    const { code, message, remedy, status, details } = Refusal.parse(JSON.parse(text));
    return new Fault({ code: code as FaultKind['code'], status, remedy }, message, {
      details: details.map(({ value, ...rest }) => ({ ...rest, value })),
    });
  } catch (cause) {
    return new Fault(RPC_BAD_REPLY, otherwise, { cause });
  }
}
