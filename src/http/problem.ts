// Errors as the world sees them: RFC 9457 problem details with the code, the remedy and every wrong field.
import { STATUS_CODES } from 'node:http';
import { Fault, type FieldError } from '../base/fault.ts';
import { z } from '../base/schema.ts';
import { BODY_TOO_LARGE, CLIENT_GONE, INTERNAL, INVALID_REQUEST, UNSUPPORTED_MEDIA } from './faults.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
const MAX_ERRORS = 100;
const MAX_VALUE = 200;
const SECRET = /token|password|passwd|secret|authorization|credential|cookie/i;

export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  remedy: z.string(),
  instance: z.string(),
  errors: z.array(z.object({ path: z.string(), expected: z.string(), value: z.unknown().optional() })).optional(),
});
export type Problem = z.output<typeof Problem>;

/** The document for a fault. `requestId` stands in the log beside the cause. */
export function problem(fault: Fault, requestId: string): Problem {
  return {
    type: `urn:jdos:error:${fault.code}`,
    title: STATUS_CODES[fault.status] ?? 'Client Closed Request',
    status: fault.status,
    detail: fault.message,
    code: fault.code,
    remedy: fault.remedy,
    instance: `urn:jdos:request:${requestId}`,
    ...(fault.details.length === 0 ? {} : { errors: fault.details.slice(0, MAX_ERRORS).map(shown) }),
  };
}

/** A field error with its value clipped, or hidden where the name says that it is a secret. */
function shown({ path, expected, value }: FieldError): FieldError {
  if (value === undefined) return { path, expected };
  if (SECRET.test(path)) return { path, expected, value: '[redacted]' };
  const text = JSON.stringify(value) ?? String(value);
  if (text.length <= MAX_VALUE && !SECRET.test(text)) return { path, expected, value };
  return { path, expected, value: SECRET.test(text) ? '[redacted]' : `${text.slice(0, MAX_VALUE - 3)}...` };
}

const BY_STATUS = new Map([INVALID_REQUEST, BODY_TOO_LARGE, UNSUPPORTED_MEDIA].map((kind) => [kind.status, kind]));

/** The fault for anything thrown: faults as they are, Fastify's refusals by status, all else internal without a word. */
export function faultOf(error: unknown, clientGone: boolean): Fault {
  if (clientGone) return new Fault(CLIENT_GONE, 'the client closed the connection', { cause: error });
  if (error instanceof Fault) return error;
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  if (typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number' && statusCode < 500) {
    return new Fault(BY_STATUS.get(statusCode) ?? INVALID_REQUEST, (error as Error).message, { cause: error });
  }
  return new Fault(INTERNAL, 'the daemon failed to answer this request', { cause: error });
}
