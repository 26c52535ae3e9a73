// Every kind of fault the front door itself answers or reports.
import { faultKind } from '../base/fault.ts';

export const INVALID_REQUEST = faultKind(
  'JD_INVALID_REQUEST',
  400,
  'correct the fields named in errors and send it again',
);
export const UNAUTHENTICATED = faultKind(
  'JD_UNAUTHENTICATED',
  401,
  'send a token as "Authorization: Bearer ..."; the first one is in the file admin.token of the data directory',
);
export const FORBIDDEN = faultKind(
  'JD_FORBIDDEN',
  403,
  'use a token whose role has this right, or ask an admin for one',
);
export const CROSS_SITE = faultKind(
  'JD_CROSS_SITE',
  403,
  'a web page of another site sent this; use curl, the jdos command or the page of this daemon instead',
);
export const NOT_FOUND = faultKind('JD_NOT_FOUND', 404, 'see /jdos/v1/openapi.json for every path');
export const METHOD_NOT_ALLOWED = faultKind('JD_METHOD_NOT_ALLOWED', 405, 'use one of the methods named in Allow');
export const REQUEST_TIMEOUT = faultKind('JD_REQUEST_TIMEOUT', 408, 'send the whole request without long pauses');
export const BODY_TOO_LARGE = faultKind(
  'JD_BODY_TOO_LARGE',
  413,
  'send less at once; the limit counts bytes after decompression',
);
export const UNSUPPORTED_MEDIA = faultKind(
  'JD_UNSUPPORTED_MEDIA',
  415,
  'send "Content-Type: application/json" and no Content-Encoding but gzip, deflate, br or zstd',
);
export const MISDIRECTED = faultKind(
  'JD_MISDIRECTED',
  421,
  'call the daemon by its address or host name, or add the name to http.hosts',
);
export const TOO_MANY_LOGINS = faultKind(
  'JD_TOO_MANY_LOGINS',
  429,
  'wait as long as Retry-After says, then use a valid token',
);
export const HEADERS_TOO_LARGE = faultKind('JD_HEADERS_TOO_LARGE', 431, 'send fewer or shorter headers');
export const CLIENT_GONE = faultKind('JD_CLIENT_GONE', 499, 'nothing to do: the client closed the connection');
export const INTERNAL = faultKind(
  'JD_INTERNAL',
  500,
  'look in the log of the daemon for the request id in instance, and report what you find there',
);
export const BUSY = faultKind('JD_BUSY', 503, 'try again after Retry-After, or raise http.limits.maxConcurrent');
export const DEADLINE = faultKind('JD_DEADLINE', 503, 'ask for less at once, or try again when the host is less busy');

export const LISTEN_BUSY = faultKind(
  'JD_LISTEN_BUSY',
  500,
  'find who holds the address with "ss -ltnp", or configure another one',
);
export const LISTEN_FAILED = faultKind(
  'JD_LISTEN_FAILED',
  500,
  'configure an address of this host that the daemon may use',
);

export const TLS_FILE = faultKind(
  'JD_TLS_FILE',
  500,
  'make the file readable for the daemon and check it with "openssl x509 -noout -text -in FILE" or "openssl pkey -noout -in FILE"',
);
export const TLS_KEY_MISMATCH = faultKind('JD_TLS_KEY_MISMATCH', 500, 'give the key that belongs to the certificate');
export const TLS_EXPIRED = faultKind('JD_TLS_EXPIRED', 500, 'replace the certificate by one that is valid now');
export const TLS_AUTHORITY = faultKind(
  'JD_TLS_AUTHORITY',
  500,
  'put ca.crt and ca.key back, or remove the tls directory for a new CA, which every client must then be given',
);

export const TOKEN_EXISTS = faultKind(
  'JD_TOKEN_EXISTS',
  409,
  'choose another name, or revoke the token of this name first',
);
export const TOKEN_UNKNOWN = faultKind('JD_TOKEN_UNKNOWN', 404, 'list the tokens with GET /jdos/v1/tokens');
export const TOKEN_PROTECTED = faultKind(
  'JD_TOKEN_PROTECTED',
  409,
  'to replace the first admin token, remove the file admin.token and restart the daemon',
);
export const TOO_MANY_TOKENS = faultKind('JD_TOO_MANY_TOKENS', 409, 'revoke tokens that are no longer used');
export const TOKENS_UNAVAILABLE = faultKind(
  'JD_TOKENS_UNAVAILABLE',
  503,
  'look at the part that holds the state in "jdos status"; the Unix socket works without tokens',
);
export const AUDIT_UNAVAILABLE = faultKind(
  'JD_AUDIT_UNAVAILABLE',
  503,
  'make room on the disk of the data directory; changes are refused until the audit can be written',
);
