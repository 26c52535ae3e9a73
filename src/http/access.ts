// Who may do what: from listener, credentials and right to allow, 401 or 403. Pure.
import { impossible } from '../base/fault.ts';
import { type Right, type Role, roleHas } from '../base/route.ts';

export const LISTENERS = ['loopback', 'tls', 'socket'] as const;
export type Listener = (typeof LISTENERS)[number];

/** What the Authorization header turned out to be. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'rejected'; readonly reason: 'malformed' | 'unknown' | 'expired' }
  | { readonly kind: 'token'; readonly scheme: Scheme; readonly name: string; readonly role: Role };
export type Scheme = 'bearer' | 'basic';

type Decision =
  | { readonly allow: true; readonly name: string; readonly role: Role | 'anonymous' }
  | { readonly allow: false; readonly status: 401 | 403; readonly because: string };

/** Rights that everyone on the loopback listener has. */
const OPEN_ON_LOOPBACK: ReadonlySet<Right> = new Set<Right>(['health', 'metrics', 'ingest']);

interface Question {
  readonly listener: Listener;
  readonly method: string;
  readonly right: Right;
  readonly credentials: Credentials;
}

/** Decides one request. The Unix socket is admin whatever it sends: its file mode is its lock. */
export function decide({ listener, method, right, credentials }: Question): Decision {
  if (listener === 'socket') return { allow: true, name: 'unix', role: 'admin' };
  const open = listener === 'loopback' && OPEN_ON_LOOPBACK.has(right);
  switch (credentials.kind) {
    case 'none':
      if (open) return { allow: true, name: 'anonymous', role: 'anonymous' };
      return { allow: false, status: 401, because: `this needs a token with the right ${right}` };
    case 'rejected':
      return { allow: false, status: 401, because: REJECTED[credentials.reason] };
    case 'token': {
      const { name, role, scheme } = credentials;
      // A browser adds Basic credentials by itself, also to what another site makes it send.
      if (scheme === 'basic' && method !== 'GET' && method !== 'HEAD') {
        return { allow: false, status: 403, because: 'HTTP Basic is for reading only; send the token as Bearer' };
      }
      if (open || roleHas(role, right)) return { allow: true, name, role };
      return { allow: false, status: 403, because: `the role ${role} of the token ${name} lacks the right ${right}` };
    }
    default:
      return impossible(credentials);
  }
}

const REJECTED = {
  malformed: 'the Authorization header is neither a Bearer token nor HTTP Basic with a token as password',
  unknown: 'the token is not known here',
  expired: 'the token has expired',
} as const;

interface Presented {
  readonly scheme: Scheme;
  readonly token: string;
}

/** The token in an Authorization header (RFC 6750, RFC 7617), undefined without a header. */
export function parseAuthorization(header: string | undefined): Presented | 'malformed' | undefined {
  if (header === undefined) return undefined;
  const match = /^(bearer|basic) +([\x21-\x7e]{1,512})$/i.exec(header.trim());
  const value = match?.[2];
  if (match === null || value === undefined) return 'malformed';
  if (match[1]?.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? 'malformed' : { scheme: 'basic', token: text.slice(colon + 1) };
}

/** The WWW-Authenticate header of a 401: browsers may ask for the token, where it is for reading. */
export const challenge = (method: string, credentials: Credentials): string => {
  const bearer = `Bearer realm="jdos"${credentials.kind === 'rejected' ? ', error="invalid_token"' : ''}`;
  return method === 'GET' || method === 'HEAD' ? `${bearer}, Basic realm="jdos", charset="UTF-8"` : bearer;
};
