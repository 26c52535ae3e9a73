// The Fastify application: routes mounted with guard, audit, metrics and problem answers around each.
import { randomUUID } from 'node:crypto';
import { parse } from 'node:querystring';
import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { explain, Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { RIGHTS, type Route } from '../base/route.ts';
import type { Listener } from './access.ts';
import { answer } from './answer.ts';
import type { Audit } from './audit.ts';
import type { HttpLimits } from './config.ts';
import { BODY_TOO_LARGE, DEADLINE, METHOD_NOT_ALLOWED, NOT_FOUND, UNSUPPORTED_MEDIA } from './faults.ts';
import { rightOf, type makeGuard, type RequestState } from './guard.ts';
import type { HttpMetrics, Rejection } from './metrics.ts';
import { methodsOf, nearPath } from './paths.ts';
import { faultOf, problem, PROBLEM_TYPE } from './problem.ts';
import { encode, send, setHeaders } from './reply.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    jdosRoute?: Route;
  }
}

interface RouterOptions {
  readonly routes: readonly Route[];
  readonly limits: HttpLimits;
  readonly guard: ReturnType<typeof makeGuard>;
  readonly audit: Audit;
  readonly metrics: HttpMetrics;
  readonly log: Logger;
  readonly now: () => number;
  /** The listener a request came in on. */
  readonly listenerOf: (request: IncomingMessage) => Listener;
}

const REJECTIONS: Readonly<Record<string, Rejection>> = {
  [BODY_TOO_LARGE.code]: 'body',
  [UNSUPPORTED_MEDIA.code]: 'body',
  [DEADLINE.code]: 'deadline',
};

/** Throws for a route without a right: it would be open to everyone. */
export function checkRoutes(routes: readonly Route[]): void {
  for (const { method, path, right } of routes) {
    if (!RIGHTS.includes(right)) throw new TypeError(`the route ${method} ${path} names no right`);
  }
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? url;

/** `?a=1&a=2` and every key that ends in `[]` become arrays. */
export function parseQuery(text: string): Record<string, unknown> {
  const entries = Object.entries(parse(text, '&', '=', { maxKeys: 200 }));
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key.endsWith('[]') && !Array.isArray(value) ? [value] : value]),
  );
}

type StateOf = (request: FastifyRequest) => RequestState;

/** What is known of each request, made at the first question. */
function requestStates(listenerOf: RouterOptions['listenerOf']): StateOf {
  const states = new WeakMap<FastifyRequest, RequestState>();
  return (request) => {
    const known = states.get(request);
    if (known !== undefined) return known;
    const made: RequestState = {
      listener: listenerOf(request.raw),
      route: request.routeOptions.config?.jdosRoute,
      caller: { name: 'anonymous', role: 'anonymous', from: '' },
      presented: false,
      admitted: false,
    };
    states.set(request, made);
    return made;
  };
}

/** The application, ready to be given requests by `app.routing`. */
export async function openRouter(options: RouterOptions): Promise<FastifyInstance> {
  const { routes } = options;
  checkRoutes(routes);
  const stateOf = requestStates(options.listenerOf);
  const failed = fail(options, stateOf);
  const app = Fastify({
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: true,
    routerOptions: { querystringParser: parseQuery, maxParamLength: 500 },
    // Fastify runs no hooks for what is no URL.
    frameworkErrors(error, request, reply) {
      setHeaders(request as FastifyRequest, reply as FastifyReply);
      failed(error, request as FastifyRequest, reply as FastifyReply);
    },
  });
  app.removeAllContentTypeParsers();
  // Bodies are read by the route's own limit and schema, after this.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  addHooks(app, options, stateOf);
  app.setErrorHandler(failed);
  app.setNotFoundHandler((request, reply) => failed(unknownPath(routes, request, reply), request, reply));
  for (const route of routes) mount(app, route, options, stateOf);
  await app.ready();
  return app;
}

function addHooks(app: FastifyInstance, options: RouterOptions, stateOf: StateOf): void {
  const { metrics, guard, routes, audit } = options;
  app.addHook('onRequest', async (request, reply) => {
    const state = stateOf(request);
    metrics.inFlight.inc();
    reply.raw.once('close', () => count(metrics, state, request, reply));
    await guard(request, reply, state);
    if (state.route === undefined) throw unknownPath(routes, request, reply);
    if (isAudited(state)) await audit.ready();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    setHeaders(request, reply);
    await writeAudit(options, stateOf(request), request, reply);
    return encode(request, reply, payload);
  });
}

/** Counts one request at its end. */
function count(metrics: HttpMetrics, state: RequestState, { method }: FastifyRequest, reply: FastifyReply): void {
  const route = state.route?.path ?? 'none';
  metrics.inFlight.dec();
  metrics.requests.inc({ route, method, status: reply.raw.headersSent ? reply.raw.statusCode : 499 });
  metrics.duration.observe({ route }, reply.elapsedTime / 1000);
  if (state.rejection !== undefined) metrics.rejected.inc({ reason: state.rejection });
}

function mount(app: FastifyInstance, route: Route, { limits }: RouterOptions, stateOf: StateOf): void {
  app.route({
    method: route.method,
    url: route.path,
    config: { jdosRoute: route },
    async handler(request, reply) {
      const { caller } = stateOf(request);
      return send(reply, await answer(route, request, reply, { caller, limits }));
    },
  });
}

/** Whether a call of the route is written to the audit. */
const isAudited = ({ route }: RequestState): boolean =>
  route !== undefined && route.method !== 'GET' && route.audited !== false;

async function writeAudit(
  { audit, now }: RouterOptions,
  state: RequestState,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const refused = state.rejection === 'unauthenticated' || state.rejection === 'forbidden';
  // Refusals without credentials are anyone's noise, and those beyond the login limit are a flood.
  if (!(state.admitted && isAudited(state)) && !(refused && state.presented)) return;
  await audit.record({
    at: now(),
    request: request.id,
    caller: state.caller,
    listener: state.listener,
    method: request.method,
    path: pathOf(request.url),
    right: rightOf(state),
    status: reply.statusCode,
  });
}

/** Turns what was thrown into a problem answer; what is the daemon's own fault is logged, once, with the request id. */
function fail({ log, metrics }: RouterOptions, stateOf: StateOf) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const fault = faultOf(error, reply.raw.destroyed);
    const state = stateOf(request);
    const reason = REJECTIONS[fault.code];
    if (reason !== undefined) state.rejection ??= reason;
    if (request.routeOptions?.config === undefined) metrics.rejected.inc({ reason: 'malformed' });
    if (fault.status >= 500 && state.rejection === undefined) {
      log.error(
        { err: error, request: request.id, method: request.method, path: pathOf(request.url), why: explain(error) },
        'request failed',
      );
    }
    const own = state.route?.problem?.(fault, request.raw.headers);
    return reply
      .code(fault.status)
      .type(own?.type ?? PROBLEM_TYPE)
      .send(own?.body ?? JSON.stringify(problem(fault, request.id)));
  };
}

/** 405 with the methods there are, or 404 with the path that was probably meant. */
function unknownPath(routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): Fault {
  const path = pathOf(request.url);
  const shown = path.slice(0, 200);
  const methods = methodsOf(routes, path);
  if (methods.length > 0) {
    reply.header('allow', methods.join(', '));
    return new Fault(METHOD_NOT_ALLOWED, `${shown} takes ${methods.join(', ')}, not ${request.method}`);
  }
  const near = nearPath(routes, path);
  return new Fault(NOT_FOUND, `there is no ${shown} here${near === undefined ? '' : `; did you mean ${near}?`}`);
}
