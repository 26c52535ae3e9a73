// One request of one route: body, validation, handler within its time, reply.
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault, type FieldError } from '../base/fault.ts';
import type { Caller, Route, RouteReply } from '../base/route.ts';
import { parseWith, type z } from '../base/schema.ts';
import { parseJson, readBody } from './body.ts';
import type { HttpLimits } from './config.ts';
import { CLIENT_GONE, DEADLINE, INVALID_REQUEST } from './faults.ts';

interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** Runs the route's handler on a request that may call it. Rejects with a Fault for everything that is wrong with it. */
export async function answer(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  context: { readonly caller: Caller; readonly limits: HttpLimits },
): Promise<RouteReply> {
  const input = await readInput(route, request, reply, context.limits);
  const { signal, untilDeadline } = lifeOf(route, reply, context.limits);
  const { headers } = request.raw;
  const handled = (async () => route.handler({ ...input, headers, caller: context.caller, signal }))();
  return untilDeadline(handled);
}

async function readInput(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  limits: HttpLimits,
): Promise<Input> {
  const { raw } = request;
  const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0;
  if (hasBody && raw.headers.expect !== undefined) reply.raw.writeContinue();
  const bytes =
    hasBody && raw.method !== 'GET' && raw.method !== 'HEAD'
      ? await readBody(raw, route.bodyLimit ?? limits.bodyBytes)
      : Buffer.alloc(0);
  if (route.body === 'raw') return { ...validated(route, request, undefined), body: bytes };
  return validated(
    route,
    request,
    route.body === undefined ? undefined : parseJson(bytes, raw.headers['content-type']),
  );
}

/** Params, query and body by their schemas. Throws one Fault with every wrong field of all three. */
function validated({ params, query, body }: Route, request: FastifyRequest, json: unknown): Input {
  const errors: FieldError[] = [];
  const check = (schema: z.ZodType | 'raw' | undefined, value: unknown, where: string): unknown => {
    if (schema === undefined || schema === 'raw') return where === 'body' ? undefined : value;
    const result = parseWith(schema, value);
    if ('value' in result) return result.value;
    for (const error of result.errors) {
      const dot = error.path === '' || error.path.startsWith('[') ? '' : '.';
      errors.push({ ...error, path: `${where}${dot}${error.path}` });
    }
    return undefined;
  };
  const input = {
    params: check(params, request.params, 'path'),
    query: check(query, { ...(request.query as object) }, 'query'),
    body: check(body, json, 'body'),
  };
  if (errors.length === 0) return input;
  const places = errors.map(({ path }) => path);
  const text = places.length > 5 ? `${places.slice(0, 5).join(', ')} and ${places.length - 5} more` : places.join(', ');
  throw new Fault(INVALID_REQUEST, `wrong in the request: ${text}`, { details: errors });
}

interface Life {
  /** Aborts when the client goes away or the time is up. */
  readonly signal: AbortSignal;
  /** The reply, or a Fault when the time is up first; a stream still running then is cut off. */
  readonly untilDeadline: (handled: Promise<RouteReply>) => Promise<RouteReply>;
}

function lifeOf(route: Route, reply: FastifyReply, limits: HttpLimits): Life {
  const ms = route.deadlineMs ?? limits.deadlineSeconds * 1000;
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new Fault(DEADLINE, `no answer within ${ms} ms`)), ms);
  const { signal } = ending;
  const ended = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  ended.catch(() => undefined);
  const onClose = (): void => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) ending.abort(new Fault(CLIENT_GONE, 'the client closed the connection'));
  };
  if (reply.raw.destroyed) onClose();
  else reply.raw.once('close', onClose);
  return {
    signal,
    async untilDeadline(handled) {
      void handled.then((late) => destroyWith(late, signal)).catch(() => undefined);
      if (signal.aborted) return ended;
      return Promise.race([handled, ended]);
    },
  };
}

/** Ends the reply's stream with the request: at its deadline, or when the client goes away. */
function destroyWith({ body }: RouteReply, signal: AbortSignal): void {
  if (!(body instanceof Readable)) return;
  if (signal.aborted) body.destroy();
  else signal.addEventListener('abort', () => body.destroy(signal.reason as Error), { once: true });
}
