// GET: one object, or a list with selectors, pages and forms.
import type { RouteReply } from '../../base/route.ts';
import type { AnyObject } from '../objects/meta.ts';
import { type ApiContext, namespaceOf, prefixOf, read, targetOf } from './context.ts';
import { badRequest } from './faults.ts';
import { checkRevision, listOptions } from './list-options.ts';
import { isTrue, type KubeRequest, parameter, wholeNumber } from './request.ts';
import type { Resource } from './resource.ts';
import { type Matches, parseSelectors } from './selectors.ts';
import { showList, showOne } from './table.ts';
import { watch } from './watch.ts';

export async function get(context: ApiContext, resource: Resource, request: KubeRequest): Promise<RouteReply> {
  const object = await read(context, resource, targetOf(resource, request));
  return { type: 'application/json', body: showOne(resource, request, object, context.now()) };
}

export async function listOrWatch(context: ApiContext, resource: Resource, request: KubeRequest): Promise<RouteReply> {
  const namespace = namespaceOf(resource, request);
  const prefix = prefixOf(resource, namespace);
  const matches = parseSelectors(
    resource,
    parameter(request, 'labelSelector') ?? '',
    parameter(request, 'fieldSelector') ?? '',
  );
  const watching = isTrue(parameter(request, 'watch'));
  const options = listOptions(request, watching);
  if (watching) return watch(context, resource, request, { prefix, matches, options });
  const limit = wholeNumber(request, 'limit') ?? 0;
  const token = parameter(request, 'continue') ?? '';
  const from = token === '' ? undefined : parseToken(token, prefix);
  // From one page to the next objects may change: what is read is as new as it was when its page was read.
  const page = await collect(context, { prefix, matches, limit: limit === 0 ? undefined : limit, after: from?.after });
  // The whole list belongs to the state in which it was begun: a watch from there brings what changed meanwhile.
  const revision = from?.revision ?? page.revision;
  if (from === undefined) checkRevision(options, page.revision);
  const metadata = {
    resourceVersion: String(revision),
    ...(page.next === undefined ? {} : { continue: tokenOf({ revision, after: page.next }) }),
  };
  return {
    type: 'application/json',
    body: showList(resource, request, { metadata, items: page.items }, context.now()),
  };
}

const SCAN = 500;

interface Wanted {
  readonly prefix: string;
  readonly matches: Matches | undefined;
  readonly limit: number | undefined;
  readonly after: string | undefined;
}

interface Page {
  readonly items: readonly AnyObject[];
  readonly revision: number;
  readonly next?: string;
}

/** Up to `limit` objects that match; everything where there is no limit. */
async function collect({ objects }: ApiContext, { prefix, matches, limit, after }: Wanted): Promise<Page> {
  const from = after === undefined ? {} : { after };
  if (limit === undefined) {
    const page = await objects.list(prefix, from);
    return matches === undefined ? page : { ...page, items: page.items.filter(matches) };
  }
  if (matches === undefined) return objects.list(prefix, { ...from, limit });
  const found: AnyObject[] = [];
  let revision: number | undefined;
  for (let at = after; ;) {
    const size = Math.min(SCAN, limit - found.length);
    const page = await objects.list(prefix, { limit: size, ...(at === undefined ? {} : { after: at }) });
    revision ??= page.revision;
    found.push(...page.items.filter(matches));
    if (page.next === undefined) return { items: found, revision };
    if (found.length >= limit) return { items: found, revision, next: page.next };
    at = page.next;
  }
}

interface Token {
  readonly revision: number;
  readonly after: string;
}

const tokenOf = ({ revision, after }: Token): string => Buffer.from(`${revision} ${after}`).toString('base64url');

function parseToken(text: string, prefix: string): Token {
  const [, revision, after = ''] = /^(\d{1,15}) (.+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (revision === undefined || !after.startsWith(prefix)) throw badRequest('continue key is not valid');
  return { revision: Number(revision), after };
}
