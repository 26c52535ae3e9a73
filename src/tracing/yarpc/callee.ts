// The callee's side of one message: what its process records while it answers, and what its reply says of the times.
import type { Caller } from '../../base/route.ts';
import { type Micros, unixMicros } from '../clock.ts';
import { childTrace, type TraceContext } from '../context.ts';
import { clipFact, type Facts } from '../ledger/facts.ts';
import { newMessageId } from '../ledger/message-id.ts';
import type { Recorder } from '../ledger/recorder.ts';
import { type CalleeTimes, type Headers, readEnvelope, writeTimes } from './envelope.ts';

export interface CalleeStory {
  /** The caller's trace, or a new one. */
  readonly trace: TraceContext;
  /** Whether the time of a call of this host is up, by when it was sent. */
  isOver(ttlMs: number | undefined): boolean;
  /** The handler begins. */
  begin(): void;
  /** The handler has ended, in whatever way; also after the reply. */
  end(): void;
  /** Seconds since the receipt. */
  seconds(): number;
  /** Commits the row; resolves with the reply's further headers, and with what is told when it has gone out. */
  close(reply: Reply, code: string, signal: AbortSignal): Promise<Reply & { settled?: (written: boolean) => void }>;
}

interface Reply {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface StoryOptions {
  readonly headers: Headers;
  readonly caller: Caller;
  readonly requestBytes: number;
  readonly recorder: Recorder | undefined;
}

export function openStory({ headers, caller, requestBytes, recorder }: StoryOptions): CalleeStory {
  const receivedAt = unixMicros();
  const envelope = readEnvelope(headers, receivedAt / 1000);
  const key = { id: envelope.id ?? newMessageId(), attempt: envelope.attempt ?? 0 };
  const trace = envelope.trace ?? childTrace(undefined);
  let [execStart, execEnd]: (Micros | undefined)[] = [];
  let closed = false;
  recorder?.record({
    ...key,
    ...namesOf(headers, caller),
    instance: envelope.instance,
    calleeInstance: recorder.instance,
    traceId: trace.traceId,
    spanId: trace.spanId,
    seq: envelope.seq,
    sentAt: envelope.sentAt,
    receivedAt,
    requestBytes,
  });

  return {
    trace,
    isOver: (ttlMs) =>
      ttlMs !== undefined && envelope.sentAt !== undefined && unixMicros() > envelope.sentAt + ttlMs * 1000,
    begin: () => void (execStart = unixMicros()),
    end() {
      execEnd = unixMicros();
      if (closed) recorder?.record({ ...key, execEnd });
    },
    seconds: () => (unixMicros() - receivedAt) / 1e6,
    async close({ headers: replyHeaders, body }, calleeCode, signal) {
      const replyBytes = Buffer.byteLength(body);
      closed = true;
      await recorder?.commit({ ...key, execStart, execEnd, calleeCode, replyBytes });
      const repliedAt = unixMicros();
      const times: CalleeTimes = { receivedAt, execStart, execEnd, repliedAt };
      const reply = { headers: { ...replyHeaders, 'rpc-message-id': key.id, ...writeTimes(times) }, body };
      if (recorder === undefined) return reply;
      const settled = (written: boolean): void => recorder.record({ ...key, written: written ? 1 : 0 });
      if (signal.aborted) settled(false);
      else recorder.record({ ...key, repliedAt });
      return { ...reply, settled };
    },
  };
}

function namesOf(headers: Headers, caller: Caller): Partial<Facts> {
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return clipFact(typeof value === 'string' ? value : undefined);
  };
  return {
    caller: text('rpc-caller') ?? clipFact(caller.name),
    service: text('rpc-service'),
    procedure: text('rpc-procedure'),
    encoding: text('rpc-encoding'),
  };
}
