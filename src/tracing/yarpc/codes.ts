// YARPC's error codes and their HTTP statuses (yarpc-go: yarpcerrors/codes.go, transport/http).

export const CODES = {
  cancelled: { number: 1, status: 499 },
  unknown: { number: 2, status: 500 },
  'invalid-argument': { number: 3, status: 400 },
  'deadline-exceeded': { number: 4, status: 504 },
  'not-found': { number: 5, status: 404 },
  'already-exists': { number: 6, status: 409 },
  'permission-denied': { number: 7, status: 403 },
  'resource-exhausted': { number: 8, status: 429 },
  'failed-precondition': { number: 9, status: 400 },
  aborted: { number: 10, status: 409 },
  'out-of-range': { number: 11, status: 400 },
  unimplemented: { number: 12, status: 501 },
  internal: { number: 13, status: 500 },
  unavailable: { number: 14, status: 503 },
  'data-loss': { number: 15, status: 500 },
  unauthenticated: { number: 16, status: 401 },
} as const;
export type Code = keyof typeof CODES;

/** The code that says best what an HTTP status of ours means. */
export function codeOf(status: number): Code {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return 'invalid-argument';
    case 401:
      return 'unauthenticated';
    case 403:
      return 'permission-denied';
    case 404:
      return 'not-found';
    case 409:
      return 'aborted';
    case 429:
    case 507:
      return 'resource-exhausted';
    case 501:
      return 'unimplemented';
    case 503:
      return 'unavailable';
    case 504:
      return 'deadline-exceeded';
    default:
      return 'internal';
  }
}
