// A message as programs read it: both sides' times, what they say about the clocks, and the state with its proof.
import { z } from '../../base/schema.ts';
import { isoMicros } from '../clock.ts';
import { STATES } from './conclude.ts';
import type { Facts } from './facts.ts';
import type { Found } from './query.ts';

const time = z.string().optional().describe('RFC 3339 with microseconds');

export const MessageView = z.object({
  id: z.string(),
  attempt: z.number().int().describe('0 for the first try'),
  state: z.enum(STATES),
  code: z.string().optional(),
  executed: z.enum(['yes', 'no', 'unknown']),
  proof: z.string(),
  caller: z.string().optional(),
  service: z.string().optional(),
  procedure: z.string().optional(),
  encoding: z.string().optional(),
  peer: z.string().optional(),
  traceId: z.string().optional(),
  spanId: z.string().optional(),
  parentId: z.string().optional(),
  seq: z.number().int().optional(),
  instance: z.string().optional().describe('the process that called'),
  calleeInstance: z.string().optional().describe('the process that answered'),
  requestBytes: z.number().int().optional(),
  replyBytes: z.number().int().optional(),
  callerSide: z.object({ sentAt: time, deadlineAt: time, endedAt: time, ended: z.string().optional() }),
  calleeSide: z.object({
    receivedAt: time,
    execStartAt: time,
    execEndAt: time,
    repliedAt: time,
    code: z.string().optional(),
    written: z.boolean().optional().describe('whether the connection took the reply whole'),
  }),
  clockOffsetMicros: z.number().optional().describe("how far the callee's clock is ahead of the caller's, estimated"),
  networkMicros: z.number().optional().describe('time on the way, both directions'),
});
export type MessageView = z.output<typeof MessageView>;

const iso = (micros: number | undefined): string | undefined => (micros === undefined ? undefined : isoMicros(micros));

/** The offset of the clocks as NTP estimates it (RFC 5905, 8), and the time on the way; undefined unless all four are known. */
export function clockOffset({
  sentAt,
  receivedAt,
  repliedAt,
  endedAt,
  ended,
}: Facts): { readonly offset: number; readonly network: number } | undefined {
  if (ended !== 'replied' || sentAt === undefined || receivedAt === undefined) return undefined;
  if (repliedAt === undefined || endedAt === undefined) return undefined;
  return {
    offset: Math.round((receivedAt - sentAt + (repliedAt - endedAt)) / 2),
    network: endedAt - sentAt - (repliedAt - receivedAt),
  };
}

export function viewOf({ facts, conclusion }: Found): MessageView {
  const { sentAt, deadlineAt, endedAt, ended, receivedAt, execStart, execEnd, repliedAt, calleeCode, written } = facts;
  const { id, attempt, caller, service, procedure, encoding, peer, traceId, spanId, parentId, seq } = facts;
  const { instance, calleeInstance, requestBytes, replyBytes } = facts;
  const clocks = clockOffset(facts);
  return {
    id,
    attempt,
    ...conclusion,
    caller,
    service,
    procedure,
    encoding,
    peer,
    traceId,
    spanId,
    parentId,
    seq,
    instance,
    calleeInstance,
    requestBytes,
    replyBytes,
    callerSide: { sentAt: iso(sentAt), deadlineAt: iso(deadlineAt), endedAt: iso(endedAt), ended },
    calleeSide: {
      receivedAt: iso(receivedAt),
      execStartAt: iso(execStart),
      execEndAt: iso(execEnd),
      repliedAt: iso(repliedAt),
      code: calleeCode,
      written: written === undefined ? undefined : written === 1,
    },
    clockOffsetMicros: clocks?.offset,
    networkMicros: clocks?.network,
  };
}
