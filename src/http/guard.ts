// What stands before every handler: load, headers, Host, Origin, who calls and whether they may.
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../base/fault.ts';
import type { Caller, Right, Role, Route } from '../base/route.ts';
import { challenge, decide, parseAuthorization, type Credentials, type Listener } from './access.ts';
import type { HttpLimits } from './config.ts';
import {
  BUSY,
  CROSS_SITE,
  FORBIDDEN,
  HEADERS_TOO_LARGE,
  MISDIRECTED,
  TOO_MANY_LOGINS,
  UNAUTHENTICATED,
} from './faults.ts';
import { isCrossSite, isOurs } from './host-check.ts';
import type { LoginLimit } from './login-limit.ts';
import type { Rejection } from './metrics.ts';
import type { TokenBook } from './tokens.ts';

/** What is known of a request while it is answered. */
export interface RequestState {
  readonly listener: Listener;
  /** The route asked for, undefined when there is none. */
  readonly route: Route | undefined;
  caller: Caller;
  /** Whether it brought credentials. */
  presented: boolean;
  /** Whether the guard let it through. */
  admitted: boolean;
  rejection?: Rejection;
}

interface GuardOptions {
  readonly limits: HttpLimits;
  readonly names: () => readonly string[];
  readonly tokens: TokenBook;
  readonly logins: LoginLimit;
  /** Requests being answered on a listener, this one included. */
  readonly inFlight: (listener: Listener) => number;
}

/** The right an unknown path needs: it may be told to everyone who may see the health. */
const RIGHT_WITHOUT_ROUTE: Right = 'health';

export const rightOf = (state: RequestState): Right => state.route?.right ?? RIGHT_WITHOUT_ROUTE;

/** `address:port` of the other side, or `unix`. */
function remoteOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress;
  return address === undefined ? 'unix' : `${address.includes(':') ? `[${address}]` : address}:${socket.remotePort}`;
}

/** A check before the handler. Notes the reason in the state and throws a Fault for a request that is refused. */
export function makeGuard({ limits, names, tokens, logins, inFlight }: GuardOptions) {
  const refuse = (state: RequestState, reason: Rejection, fault: Fault): never => {
    state.rejection = reason;
    throw fault;
  };

  const checkLoad = (state: RequestState, request: IncomingMessage, reply: FastifyReply): void => {
    // Health stays visible under load: killing a busy daemon would not make it less busy.
    if (inFlight(state.listener) > limits.maxConcurrent && state.route?.right !== 'health') {
      reply.header('retry-after', '1');
      refuse(state, 'busy', new Fault(BUSY, `more than ${limits.maxConcurrent} requests are being answered`));
    }
    const count = request.rawHeaders.length / 2;
    if (count > limits.headerCount) {
      refuse(state, 'headers', new Fault(HEADERS_TOO_LARGE, `${count} headers are more than ${limits.headerCount}`));
    }
  };

  const checkBrowser = (state: RequestState, { method = 'GET', headers, socket }: IncomingMessage): void => {
    if (state.listener === 'socket') return;
    const { host, origin } = headers;
    if (!isOurs({ host, localAddress: socket.localAddress, names: names() })) {
      refuse(state, 'host', new Fault(MISDIRECTED, `this daemon is not called ${String(host).slice(0, 100)}`));
    }
    const fetchSite = headers['sec-fetch-site'];
    if (isCrossSite({ method, host, origin, fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined })) {
      refuse(state, 'cross_site', new Fault(CROSS_SITE, 'pages of other sites may change nothing here'));
    }
  };

  const credentialsOf = async ({ headers }: IncomingMessage): Promise<Credentials> => {
    const presented = parseAuthorization(headers.authorization);
    if (presented === undefined) return { kind: 'none' };
    if (presented === 'malformed') return { kind: 'rejected', reason: 'malformed' };
    const found = await tokens.verify(presented.token);
    if ('rejected' in found) return { kind: 'rejected', reason: found.rejected };
    return { kind: 'token', scheme: presented.scheme, ...found };
  };

  const checkLogin = (state: RequestState, request: IncomingMessage, reply: FastifyReply): void => {
    const wait = logins.failed(request.socket.remoteAddress ?? 'unix');
    if (wait === undefined) return;
    reply.header('retry-after', String(wait));
    const fault = new Fault(TOO_MANY_LOGINS, 'too many logins failed from this address');
    refuse(state, 'too_many_logins', fault);
  };

  return async ({ raw }: FastifyRequest, reply: FastifyReply, state: RequestState): Promise<void> => {
    checkLoad(state, raw, reply);
    checkBrowser(state, raw);
    const credentials: Credentials = state.listener === 'socket' ? { kind: 'none' } : await credentialsOf(raw);
    state.presented = credentials.kind !== 'none';
    const method = raw.method ?? 'GET';
    const decision = decide({ listener: state.listener, method, right: rightOf(state), credentials });
    const from = remoteOf(raw);
    if (decision.allow) {
      state.caller = { name: decision.name, role: decision.role, from };
      state.admitted = true;
      return;
    }
    state.caller = { ...callerOf(credentials), from };
    if (decision.status === 403) return refuse(state, 'forbidden', new Fault(FORBIDDEN, decision.because));
    if (credentials.kind === 'rejected') checkLogin(state, raw, reply);
    reply.header('www-authenticate', challenge(method, credentials));
    refuse(state, 'unauthenticated', new Fault(UNAUTHENTICATED, decision.because));
  };
}

/** Who a refused caller claims to be, for the audit. */
const callerOf = (credentials: Credentials): { name: string; role: Role | 'anonymous' } =>
  credentials.kind === 'token'
    ? { name: credentials.name, role: credentials.role }
    : { name: credentials.kind === 'none' ? 'anonymous' : 'unknown', role: 'anonymous' };
