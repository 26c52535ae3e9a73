// Request bodies: read within a limit that counts decompressed bytes, and JSON read without its traps.
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress, constants } from 'node:zlib';
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { Fault } from '../base/fault.ts';
import { BODY_TOO_LARGE, CLIENT_GONE, INVALID_REQUEST, UNSUPPORTED_MEDIA } from './faults.ts';

const MAX_DEPTH = 64;
/** What a compressor may add to data that does not shrink; more input than this without output is an attack. */
const ENVELOPE = 64 * 1024;
/** 8 MiB, the window every zstd decoder should accept (RFC 8878, 3.1.1.1.2). */
const ZSTD_WINDOW_LOG = 23;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
};

/** The decompressed body. Rejects with a Fault: 413 beyond `limit` bytes, 415 for an unknown coding, 400 for broken data. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const make = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (make === undefined && coding !== 'identity' && coding !== '') {
    throw new Fault(UNSUPPORTED_MEDIA, `the Content-Encoding ${coding.slice(0, 60)} is not known here`);
  }
  const inputLimit = make === undefined ? limit : limit + ENVELOPE;
  if (Number(request.headers['content-length'] ?? 0) > inputLimit) throw tooLarge(limit);
  return collect(request, make?.(), limit, inputLimit);
}

const tooLarge = (limit: number): Fault => new Fault(BODY_TOO_LARGE, `the body is larger than ${limit} bytes`);

/** Reads by events: leaving a loop over the stream would close the connection before the answer is sent. */
function collect(
  request: IncomingMessage,
  decoder: Transform | undefined,
  limit: number,
  inputLimit: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let received = 0;
    const onInput = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > inputLimit) fail(tooLarge(limit));
    };
    const fail = (fault: Fault): void => {
      request.off('data', onInput);
      if (decoder !== undefined) {
        request.unpipe(decoder);
        decoder.destroy();
      }
      request.pause();
      reject(fault);
    };
    const output = decoder === undefined ? request : request.pipe(decoder);
    output.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) fail(tooLarge(limit));
      else chunks.push(chunk);
    });
    output.on('end', () => resolve(Buffer.concat(chunks, size)));
    decoder?.on('error', (cause) =>
      fail(new Fault(INVALID_REQUEST, 'the body is not what its Content-Encoding says', { cause })),
    );
    request.on('data', onInput);
    const gone = (): void => {
      if (!request.complete) fail(new Fault(CLIENT_GONE, 'the client closed the connection'));
    };
    request.on('error', gone);
    request.on('close', gone);
  });
}

const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)\s*(?:;|$)/i;

/**
 * JSON of a body; undefined for an empty one. Throws a Fault: 415 for another type (a form of a foreign page can send
 * those), 400 for what is not UTF-8 or not JSON, nests deeper than 64, or sets `__proto__`.
 */
export function parseJson(body: Buffer, type: string | undefined): unknown {
  if (body.length === 0) return undefined;
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new Fault(UNSUPPORTED_MEDIA, `the body must be JSON, not ${(type ?? 'of no type').slice(0, 60)}`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (depth(text) > MAX_DEPTH) throw new SyntaxError(`it nests deeper than ${MAX_DEPTH}`);
    return JSON.parse(text, (key, value: unknown) => {
      if (key === '__proto__') throw new SyntaxError('it sets __proto__');
      return value;
    });
  } catch (cause) {
    throw new Fault(INVALID_REQUEST, `the body is not valid JSON: ${(cause as Error).message.slice(0, 200)}`, {
      cause,
    });
  }
}

/** How deep brackets nest, strings left out. */
function depth(text: string): number {
  let deepest = 0;
  let level = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, (level += 1));
    else if (code === 0x5d || code === 0x7d) level -= 1;
  }
  return deepest;
}
