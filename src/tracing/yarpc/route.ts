// yaRPC behind the front door: `/yarpc` as a route; each procedure's own right is checked by the handler.
import { route, type Route } from '../../base/route.ts';
import type { RpcHandler } from './server.ts';

export const yarpcRoute = (handler: RpcHandler): Route =>
  route({
    method: 'POST',
    path: '/yarpc',
    right: 'read',
    summary: 'yaRPC calls to this daemon (YARPC over HTTP, unary, JSON)',
    body: 'raw',
    bodyLimit: 64 * 1024 * 1024,
    audited: false,
    async handler({ headers, body, caller, signal }) {
      const reply = await handler(headers, body, caller, signal);
      const { 'content-type': type = 'application/json', ...rest } = reply.headers;
      const settled = reply.settled === undefined ? {} : { settled: reply.settled };
      return { status: reply.status, type, headers: rest, body: reply.body, ...settled };
    },
  });
