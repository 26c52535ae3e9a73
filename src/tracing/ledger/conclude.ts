// What became of a message: the final state from the facts of both sides and the recorders' watermarks. Pure.
import { clockTime, type Micros } from '../clock.ts';
import type { Facts } from './facts.ts';
import type { Watermark } from './recorder.ts';

export const STATES = [
  'delivered',
  'failed',
  'timed_out',
  'lost_request',
  'lost_reply',
  'expired',
  'cancelled',
  'in_flight',
  'unconfirmed',
] as const;
export type State = (typeof STATES)[number];

export interface Conclusion {
  readonly state: State;
  /** YARPC's code, for `failed`. */
  readonly code?: string;
  /** Whether the handler ran to its end. */
  readonly executed: 'yes' | 'no' | 'unknown';
  /** Why, as a sentence with the times that show it. */
  readonly proof: string;
}

/** After a deadline, how long a report may still be on its way before its absence means something. */
export const GRACE: Micros = 30_000_000;
/** How long before the caller gave up a reply must have left to be lost rather than late. */
const MARGIN: Micros = 500_000;
/** Where the caller named no deadline. */
const NO_DEADLINE: Micros = 600_000_000;

/** `lost_*` is said with proof only: a recorder that has reported everything of that time, and not this. */
export function conclude(row: Facts, now: Micros, marks: readonly Watermark[]): Conclusion {
  switch (row.ended) {
    case 'replied':
      if (row.code === 'ok') return done(row, 'delivered', `the caller had the reply at ${at(row.endedAt)}`);
      if (row.code === 'deadline-exceeded') return timedOut(row, now, marks);
      return failed(row, row.code, `the caller had the refusal ${row.code ?? 'unknown'} at ${at(row.endedAt)}`);
    case 'cancelled':
      return done(row, 'cancelled', `the caller gave the call up at ${at(row.endedAt)}`);
    case 'failed':
      if (row.repliedAt !== undefined) return lostReply(row, `the caller's connection broke at ${at(row.endedAt)}`);
      return failed(row, row.code ?? 'unavailable', `the caller had no connection at ${at(row.endedAt)}`);
    case 'timed_out':
      return timedOut(row, now, marks);
    default:
      return withoutEnd(row, now, marks);
  }
}

function timedOut(row: Facts, now: Micros, marks: readonly Watermark[]): Conclusion {
  const gaveUp = row.endedAt ?? row.deadlineAt ?? now;
  const waited = `the caller waited until ${at(gaveUp)}`;
  if (isExpired(row)) return expired(row);
  if (row.repliedAt !== undefined && row.repliedAt + MARGIN <= gaveUp) return lostReply(row, waited);
  if (row.receivedAt === undefined) {
    const witness = now > due(row) ? calleeWitness(row, marks) : undefined;
    if (witness !== undefined) return lostRequest(row, witness);
    return done(row, 'timed_out', `${waited}; ${nameOf(row)} has reported nothing of it`);
  }
  return done(row, 'timed_out', `${waited}; ${calleeStory(row)}`);
}

/** The caller has not said how it ended, or keeps no records. */
function withoutEnd(row: Facts, now: Micros, marks: readonly Watermark[]): Conclusion {
  if (isExpired(row)) return expired(row);
  if (row.written === 0) return lostReply(row, 'the connection closed before the reply was out');
  const callerRecords = row.instance !== undefined && marks.some(({ instance }) => instance === row.instance);
  if (row.written === 1 && !callerRecords) {
    const proof = `the connection took the reply at ${at(row.repliedAt)}; the caller keeps no records here`;
    if (row.calleeCode === 'ok') return done(row, 'delivered', proof);
    return row.calleeCode === 'deadline-exceeded'
      ? done(row, 'timed_out', `${proof}; ${calleeStory(row)}`)
      : failed(row, row.calleeCode, proof);
  }
  if (now <= due(row)) return done(row, 'in_flight', `${lastSeen(row)}; its time is not up`);
  if (row.repliedAt !== undefined) {
    const witness = marks.find((mark) => mark.instance === row.instance && covers(mark, row));
    if (witness !== undefined) return lostReply(row, `the caller's watermark passed ${at(witness.upTo)}`);
  } else if (row.receivedAt === undefined) {
    const witness = calleeWitness(row, marks);
    if (witness !== undefined) return lostRequest(row, witness);
  }
  return done(row, 'unconfirmed', `${lastSeen(row)}; nothing more has been reported, and nobody can say why`);
}

/** The call arrived after its time was up, and was not begun. */
const isExpired = (row: Facts): boolean => row.calleeCode === 'deadline-exceeded' && row.execStart === undefined;

const expired = (row: Facts): Conclusion =>
  done(row, 'expired', `received at ${at(row.receivedAt)}, when its time was up, and not executed`);

const lostReply = (row: Facts, why: string): Conclusion =>
  done(row, 'lost_reply', `${calleeStory(row)}; reply ${row.seq ?? ''} missing; ${why}`.replace('  ', ' '));

const lostRequest = (row: Facts, { upTo }: Watermark): Conclusion => ({
  state: 'lost_request',
  executed: 'no',
  proof: `sent at ${at(row.sentAt)}; request ${row.seq ?? ''} never arrived: ${nameOf(row)} has reported everything until ${at(upTo)}, and not this`,
});

const failed = (row: Facts, code: string | undefined, proof: string): Conclusion => ({
  ...done(row, 'failed', proof),
  code: code ?? 'unknown',
});

const done = (row: Facts, state: State, proof: string): Conclusion => ({ state, executed: executedOf(row), proof });

function executedOf({ ended, code, calleeCode, execStart, execEnd }: Facts): Conclusion['executed'] {
  if (execEnd !== undefined || (ended === 'replied' && code === 'ok')) return 'yes';
  return execStart === undefined && calleeCode !== undefined ? 'no' : 'unknown';
}

/** A recorder of the called service that covers the message's whole time. Services of other hosts report elsewhere. */
const calleeWitness = (row: Facts, marks: readonly Watermark[]): Watermark | undefined =>
  row.peer === 'unix' && row.service !== undefined
    ? marks.find((mark) => mark.services.includes(row.service ?? '') && covers(mark, row))
    : undefined;

const covers = ({ from, upTo }: Watermark, row: Facts): boolean =>
  row.sentAt !== undefined && from <= row.sentAt && upTo >= due(row);

/** When every report should have come in. */
function due({ sentAt, receivedAt, deadlineAt }: Facts): Micros {
  const began = sentAt ?? receivedAt ?? 0;
  return (deadlineAt ?? began + NO_DEADLINE) + GRACE;
}

function calleeStory({ receivedAt, execStart, execEnd, calleeCode }: Facts): string {
  if (execEnd !== undefined) return `executed ${at(execEnd)}`;
  if (execStart !== undefined) return `execution began at ${at(execStart)} and its end is not reported`;
  if (calleeCode !== undefined) return `refused with ${calleeCode}`;
  return receivedAt === undefined ? 'the callee has reported nothing' : `received at ${at(receivedAt)} and not begun`;
}

function lastSeen({ sentAt, receivedAt, execStart, execEnd, repliedAt }: Facts): string {
  if (repliedAt !== undefined) return `replied at ${at(repliedAt)}`;
  if (execEnd !== undefined) return `executed ${at(execEnd)}`;
  if (execStart !== undefined) return `execution began at ${at(execStart)}`;
  if (receivedAt !== undefined) return `received at ${at(receivedAt)}`;
  return sentAt === undefined ? 'nothing is known but its id' : `sent at ${at(sentAt)}`;
}

const nameOf = ({ service }: Facts): string => service ?? 'the callee';
const at = (micros: Micros | undefined): string => (micros === undefined ? 'an unknown time' : clockTime(micros));
