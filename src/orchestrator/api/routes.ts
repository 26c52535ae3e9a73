// The routes of every kind: one set of verbs over the registry.
import { type Route, route, type RouteReply } from '../../base/route.ts';
import type { ApiContext } from './context.ts';
import { create, MAX_OBJECT } from './create.ts';
import { get, listOrWatch } from './read.ts';
import { remove, removeAll } from './remove.ts';
import type { KubeRequest } from './request.ts';
import type { Resource } from './resource.ts';
import { resources } from './resources.ts';
import { statusBody } from './status.ts';
import { patch, update } from './update.ts';

/** Longer than the longest watch. */
const WATCH_DEADLINE_MS = 3_700_000;

type Verb = (context: ApiContext, resource: Resource, request: KubeRequest) => Promise<RouteReply>;

export const resourceRoutes = (context: ApiContext): readonly Route[] =>
  resources.flatMap((resource) => routesOf(context, resource));

function routesOf(context: ApiContext, resource: Resource): readonly Route[] {
  const { plural, kind, namespaced, write, status } = resource;
  const all = `/api/v1/${namespaced ? 'namespaces/:namespace/' : ''}${plural}`;
  const one = `${all}/:name`;
  const audited = resource.audited === false ? { audited: false } : {};
  const define = (
    method: Route['method'],
    path: string,
    summary: string,
    verb: Verb,
    more: Pick<Route, 'right'> & Partial<Route>,
  ): Route =>
    route({
      method,
      path,
      summary,
      problem: statusBody,
      ...(method === 'GET' ? {} : { body: 'raw', bodyLimit: MAX_OBJECT }),
      ...more,
      handler: (request) =>
        verb(context, resource, { ...request, body: bodyOf(request.body) } as unknown as KubeRequest),
    });
  const read = { right: 'read' } as const;
  const change = { right: write, ...audited } as const;
  const list = { ...read, deadlineMs: WATCH_DEADLINE_MS } as const;
  return [
    define('GET', all, `List or watch ${plural}`, listOrWatch, list),
    ...(namespaced
      ? [define('GET', `/api/v1/${plural}`, `List or watch ${plural} of all namespaces`, listOrWatch, list)]
      : []),
    define('POST', all, `Create a ${kind}`, create, change),
    ...(resource.collection === false
      ? []
      : [define('DELETE', all, `Delete the ${plural} that selectors match`, removeAll, change)]),
    define('GET', one, `Read a ${kind}`, get, read),
    define('PUT', one, `Replace a ${kind}`, (...args) => update(...args, 'whole'), change),
    define('PATCH', one, `Change fields of a ${kind}`, (...args) => patch(...args, 'whole'), change),
    define('DELETE', one, `Delete a ${kind}`, remove, change),
    ...(status === undefined ? [] : statusRoutes(define, `${one}/status`, kind, status)),
  ];
}

type Define = (
  method: Route['method'],
  path: string,
  summary: string,
  verb: Verb,
  more: Pick<Route, 'right'> & Partial<Route>,
) => Route;

function statusRoutes(define: Define, path: string, kind: string, right: Route['right']): readonly Route[] {
  // The node agent writes them all the time, and who may is admin anyway.
  const change = { right, audited: false } as const;
  return [
    define('GET', path, `Read a ${kind} with its status`, get, { right: 'read' }),
    define('PUT', path, `Replace the status of a ${kind}`, (...args) => update(...args, 'status'), change),
    define('PATCH', path, `Change fields of the status of a ${kind}`, (...args) => patch(...args, 'status'), change),
  ];
}

const bodyOf = (body: unknown): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));
