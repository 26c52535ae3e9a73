// What goes out: the headers every answer carries, and gzip for text that is worth it.
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteReply } from '../base/route.ts';

const compress = promisify(gzip);
const LEAST_BYTES = 1024;
/** Level 1 is four times as fast as 6 and gives text about a tenth less. */
const LEVEL = 1;
const TEXT = /^(?:text\/|application\/(?:json|openmetrics-text|[\w.-]+\+json))/i;
/** Unread bodies up to this size are read away; beyond, the connection is closed. */
const DRAIN_BYTES = 64 * 1024;

const HTML_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Sends what a handler gave back; objects as JSON. */
export function send(reply: FastifyReply, answer: RouteReply): FastifyReply {
  const { body, settled } = answer;
  if (settled !== undefined) reply.raw.once('close', () => settled(reply.raw.writableFinished));
  reply.code(answer.status ?? (body === null ? 204 : 200));
  if (body !== null) reply.type(answer.type ?? defaultType(body));
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
  // Nobody reads it: a watch or a log that is followed would go on for its whole time, without a connection to end it.
  if (body instanceof Readable && reply.request.method === 'HEAD') {
    body.destroy();
    return reply.send();
  }
  // A stream may have nothing to say for long: the client learns at once that it was accepted.
  if (body instanceof Readable) body.once('resume', () => reply.raw.flushHeaders());
  if (body === null || typeof body === 'string' || Buffer.isBuffer(body) || isStream(body))
    return reply.send(body ?? '');
  return reply.send(JSON.stringify(body));
}

const isStream = (body: object): boolean => typeof (body as { pipe?: unknown }).pipe === 'function';

function defaultType(body: string | object): string {
  if (typeof body === 'string') return 'text/plain; charset=utf-8';
  return Buffer.isBuffer(body) || isStream(body) ? 'application/octet-stream' : 'application/json; charset=utf-8';
}

/** Headers of every answer; what a handler set itself is kept. */
export function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const html = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
  const headers = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    'content-security-policy': html ? HTML_POLICY : OTHER_POLICY,
    'x-request-id': request.id,
  };
  for (const [name, value] of Object.entries(headers)) if (!reply.hasHeader(name)) reply.header(name, value);
  if (leavesBodyUnread(request)) reply.header('connection', 'close');
}

function leavesBodyUnread({ raw }: FastifyRequest): boolean {
  if (raw.complete) return false;
  if (raw.headers['transfer-encoding'] !== undefined) return true;
  return Number(raw.headers['content-length'] ?? 0) > DRAIN_BYTES;
}

/** The payload, compressed where the client takes gzip and it is text of more than 1 KiB held in memory. */
export async function encode(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload;
  if (reply.hasHeader('content-encoding') || !TEXT.test(String(reply.getHeader('content-type') ?? ''))) return payload;
  reply.header('vary', 'accept-encoding');
  if (Buffer.byteLength(payload) <= LEAST_BYTES || !takesGzip(request.headers['accept-encoding'])) return payload;
  const packed = await compress(payload, { level: LEVEL });
  reply.header('content-encoding', 'gzip').removeHeader('content-length');
  return packed;
}

/** Whether Accept-Encoding names gzip, or anything, with a weight above 0 (RFC 9110, 12.5.3). */
export function takesGzip(header: string | string[] | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of String(header ?? '')
    .toLowerCase()
    .split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = parameters.find((text) => text.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}
