// W3C trace context, level 1 with level 2's flag: parsed strictly, made anew where there is none, carried to nested calls.
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** The span that is the parent of what happens now; 16 digits. */
  readonly spanId: string;
  /** sampled (1), random-trace-id (2). */
  readonly flags: number;
  /** Of other tracing systems, handed on as it came. */
  readonly state?: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 0x01;
const KNOWN_FLAGS = 0x03;

/**
 * The context of two header values; undefined where traceparent is missing or wrong, and then tracestate counts for nothing.
 * Several traceparent headers arrive joined by a comma, and are wrong (https://www.w3.org/TR/trace-context-2/).
 */
export function parseTrace(traceparent: string | undefined, tracestate?: string): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = tracestate === undefined ? undefined : parseTracestate(tracestate);
  const known = Number.parseInt(flags, 16) & KNOWN_FLAGS;
  return { traceId, spanId, flags: known, ...(state === undefined ? {} : { state }) };
}

const SIMPLE_KEY = /^[a-z0-9][a-z0-9_\-*/]{0,255}$/;
const TENANT_KEY = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;

/** The list in its canonical form, or undefined where one member is wrong or a key stands twice: then all of it is dropped. */
export function parseTracestate(text: string): string | undefined {
  const members = text
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > MOST_MEMBERS) return undefined;
  const keys = new Set<string>();
  for (const member of members) {
    const equals = member.indexOf('=');
    const key = member.slice(0, Math.max(0, equals));
    if (!(SIMPLE_KEY.test(key) || TENANT_KEY.test(key)) || !VALUE.test(member.slice(equals + 1))) return undefined;
    keys.add(key);
  }
  return keys.size === members.length ? members.join(',') : undefined;
}

/** The headers that carry a context to a peer. */
export const traceHeaders = ({ traceId, spanId, flags, state }: TraceContext): Readonly<Record<string, string>> => ({
  traceparent: `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`,
  ...(state === undefined ? {} : { tracestate: state }),
});

/** The context of a call made within `parent`; a new trace where there is none. */
export function childTrace(parent: TraceContext | undefined): TraceContext {
  const spanId = randomId(8);
  if (parent !== undefined) return { ...parent, spanId };
  return { traceId: randomId(16), spanId, flags: SAMPLED };
}

function randomId(bytes: number): string {
  for (;;) {
    const id = randomBytes(bytes).toString('hex');
    if (!/^0+$/.test(id)) return id;
  }
}

/** Ambient, because the calls that a handler makes pass through parts that know nothing of tracing. */
const ambient = new AsyncLocalStorage<TraceContext>();

/** Runs `work` so that the calls it makes continue the trace. */
export const withinTrace = <T>(trace: TraceContext, work: () => T): T => ambient.run(trace, work);

/** The context of the handler that is running, if one is. */
export const currentTrace = (): TraceContext | undefined => ambient.getStore();
