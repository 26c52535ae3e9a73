// The caller's side of one message: its envelope, and what its process records of each attempt.
import { unixMicros } from '../clock.ts';
import { childTrace, currentTrace } from '../context.ts';
import type { Facts } from '../ledger/facts.ts';
import { newMessageId } from '../ledger/message-id.ts';
import type { Recorder } from '../ledger/recorder.ts';
import { type CalleeTimes, writeEnvelope } from './envelope.ts';

export interface CallerIdentity {
  readonly caller: string;
  readonly service: string;
  /** `unix`, or the URL of another host. */
  readonly peer: string;
  /** Also of callers that keep no records: their peers see whole envelopes all the same. */
  readonly numbering: Pick<Recorder, 'instance' | 'nextSeq'>;
  readonly recorder: Recorder | undefined;
}

export interface Outcome {
  readonly ended: NonNullable<Facts['ended']>;
  /** `ok` or one of YARPC's codes. */
  readonly code: string;
  /** What the reply said of the callee's times. */
  readonly times?: CalleeTimes;
  readonly replyBytes?: number;
}

interface CallerStoryOptions extends CallerIdentity {
  readonly procedure: string;
  readonly encoding: 'json' | 'raw';
  readonly deadlineMs: number;
  readonly requestBytes: number;
}

interface CallerStory {
  /** The headers of one attempt, recorded as sent, and what is told of its end. */
  attempt(attempt: number): {
    readonly headers: Readonly<Record<string, string>>;
    readonly ended: (outcome: Outcome) => void;
  };
}

export function openCallerStory(options: CallerStoryOptions): CallerStory {
  const { caller, service, peer, procedure, encoding, recorder, numbering, deadlineMs, requestBytes } = options;
  const parent = currentTrace();
  const trace = childTrace(parent);
  const id = newMessageId();
  const deadlineAt = unixMicros() + Math.ceil(deadlineMs * 1000);
  return {
    attempt(attempt) {
      const sentAt = unixMicros();
      const seq = numbering.nextSeq(service);
      recorder?.record({
        id,
        attempt,
        caller,
        service,
        procedure,
        encoding,
        peer,
        instance: numbering.instance,
        traceId: trace.traceId,
        spanId: trace.spanId,
        parentId: parent?.spanId,
        seq,
        sentAt,
        deadlineAt,
        requestBytes,
      });
      return {
        headers: {
          'rpc-caller': caller,
          'rpc-service': service,
          'rpc-procedure': procedure,
          'rpc-encoding': encoding,
          'context-ttl-ms': String(Math.max(1, Math.ceil((deadlineAt - sentAt) / 1000))),
          'content-type': encoding === 'json' ? 'application/json' : 'application/octet-stream',
          ...writeEnvelope({ id, attempt, seq, sentAt, instance: numbering.instance, trace }),
        },
        ended({ ended, code, times, replyBytes }) {
          recorder?.record({ id, attempt, ...times, endedAt: unixMicros(), ended, code, replyBytes });
        },
      };
    },
  };
}
