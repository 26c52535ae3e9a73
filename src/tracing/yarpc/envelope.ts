// The message envelope: headers beside YARPC's own by which a message can be followed, read leniently and written whole.
import { fromNanos, type Micros, toNanos } from '../clock.ts';
import { parseTrace, type TraceContext, traceHeaders } from '../context.ts';
import { clipFact } from '../ledger/facts.ts';
import { isOfNow, parseMessageId } from '../ledger/message-id.ts';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface Envelope {
  /** Canonical UUIDv7. */
  readonly id: string;
  /** 0 for the first try. */
  readonly attempt: number;
  readonly seq: number;
  /** By the caller's clock. */
  readonly sentAt: Micros;
  /** The calling process in its present life. */
  readonly instance: string;
  readonly trace: TraceContext;
}

export const writeEnvelope = ({ id, attempt, seq, sentAt, instance, trace }: Envelope): Record<string, string> => ({
  'rpc-message-id': id,
  'rpc-attempt': String(attempt),
  'rpc-seq': String(seq),
  'rpc-sent-at': toNanos(sentAt),
  'rpc-instance': instance,
  ...traceHeaders(trace),
});

/**
 * What a request says of itself. Plain YARPC clients and curl say nothing, and what is wrong counts as not said:
 * an envelope never makes a call fail. `now` in Unix milliseconds.
 */
export function readEnvelope(headers: Headers, now: number): Partial<Envelope> {
  const trace = parseTrace(one(headers, 'traceparent'), one(headers, 'tracestate'));
  const about = trace === undefined ? {} : { trace };
  const id = parseMessageId(one(headers, 'rpc-message-id') ?? '');
  if (id === undefined || !isOfNow(id, now)) return about;
  const [attempt, seq] = [whole(one(headers, 'rpc-attempt'), 3), whole(one(headers, 'rpc-seq'), 15)];
  const sentAt = fromNanos(one(headers, 'rpc-sent-at'));
  const instance = clipFact(one(headers, 'rpc-instance'));
  return {
    ...about,
    id,
    attempt: attempt ?? 0,
    ...(seq === undefined ? {} : { seq }),
    ...(sentAt === undefined ? {} : { sentAt }),
    ...(instance === undefined ? {} : { instance }),
  };
}

/** What the callee did when, by its own clock. */
export interface CalleeTimes {
  readonly receivedAt?: Micros | undefined;
  readonly execStart?: Micros | undefined;
  readonly execEnd?: Micros | undefined;
  readonly repliedAt?: Micros | undefined;
}

const TIMES = [
  ['receivedAt', 'rpc-received-at'],
  ['execStart', 'rpc-exec-start'],
  ['execEnd', 'rpc-exec-end'],
  ['repliedAt', 'rpc-replied-at'],
] as const satisfies readonly (readonly [keyof CalleeTimes, string])[];

export function writeTimes(times: CalleeTimes): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, header] of TIMES) {
    const value = times[name];
    if (value !== undefined) headers[header] = toNanos(value);
  }
  return headers;
}

/** The callee's times in a reply; what it does not say is absent. */
export function readTimes(headers: Headers): CalleeTimes {
  const times: Record<string, Micros> = {};
  for (const [name, header] of TIMES) {
    const value = fromNanos(one(headers, header));
    if (value !== undefined) times[name] = value;
  }
  return times;
}

const one = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

const whole = (text: string | undefined, digits: number): number | undefined =>
  text !== undefined && /^\d+$/.test(text) && text.length <= digits ? Number(text) : undefined;
