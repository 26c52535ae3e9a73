// What to say about a path without a route: the methods it has, or the path that was probably meant.
import { nearest } from '../base/schema.ts';
import type { Route } from '../base/route.ts';

const MAX_COMPARED = 120;

/** The methods that routes have on a path, HEAD beside GET; empty when there is none. */
export function methodsOf(routes: readonly Route[], path: string): readonly string[] {
  const methods = routes.filter((route) => matches(route.path, path)).map((route) => route.method);
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.at(-1) === '*' ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, at) => part === '*' || (part.startsWith(':') ? given[at] !== '' : part === given[at]));
}

/** The path nearest to a misspelt one, if one is near. */
export const nearPath = (routes: readonly Route[], path: string): string | undefined =>
  path.length > MAX_COMPARED
    ? undefined
    : nearest(
        path,
        routes.map((route) => route.path),
      );
