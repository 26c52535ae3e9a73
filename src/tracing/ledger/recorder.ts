// The port by which yaRPC tells what happened to a message: to the ledger in this process, or to a buffer on its way there.
import { randomBytes } from 'node:crypto';
import type { Facts } from './facts.ts';

export interface Recorder {
  /** This process in its present life. */
  readonly instance: string;
  /** The next number of a call from this process to `service`, from 1. */
  nextSeq(service: string): number;
  /** Takes note; never waits, never throws. */
  record(facts: Facts): void;
  /** Resolves when the facts are committed, where this process can know that; never rejects. */
  commit(facts: Facts): Promise<void>;
}

/** The name of this life of a process, and its counts of calls. */
export function callerIdentity(name: string): Pick<Recorder, 'instance' | 'nextSeq'> {
  const sent = new Map<string, number>();
  return {
    instance: `${name}/${process.pid}-${randomBytes(4).toString('hex')}`,
    nextSeq(service) {
      const seq = (sent.get(service) ?? 0) + 1;
      sent.set(service, seq);
      return seq;
    },
  };
}

/** For a service whose every event from `from` to `upTo` is in the ledger: what is not there did not happen. */
export interface Watermark {
  readonly instance: string;
  /** The services that the process answers for. */
  readonly services: readonly string[];
  /** Unix microseconds; a recorder that had to drop something begins anew. */
  readonly from: number;
  readonly upTo: number;
}
