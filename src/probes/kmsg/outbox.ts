// Events on their way to the serve process: kept until it has them on disk, sent again when it does not answer.
import type { KernelEvent } from './event.ts';

/** What the serve process is told in one call; resolves when all of it is on disk. */
export type Tell = (report: KernelReport) => Promise<void>;

export interface KernelReport {
  readonly events: readonly KernelEvent[];
  /** Where reading stands and all counts, without these events: to go on from when everything else is gone. JSON. */
  readonly state: unknown;
}

interface Outbox {
  put(event: KernelEvent): void;
  /** Events that are not acknowledged, oldest first. */
  pending(): readonly KernelEvent[];
  /** Events that had to be dropped. */
  dropped(): number;
  /** Sends what waits, unless it is on its way or was refused a moment ago; `changed`: there is a state to keep without events. */
  send(changed: boolean): void;
}

interface OutboxOptions {
  readonly tell: Tell | undefined;
  readonly stateOf: (pending: readonly KernelEvent[]) => unknown;
  readonly pending: readonly KernelEvent[];
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number;
  readonly mostPending?: number;
}

const MOST_PENDING = 2000;
const BATCH = 200;
const RETRY_MS = 5000;

export function openOutbox({ tell, stateOf, now, mostPending = MOST_PENDING, ...options }: OutboxOptions): Outbox {
  let pending = [...options.pending];
  let dropped = 0;
  let underWay = false;
  let notBefore = -Infinity;

  return {
    put(event) {
      if (pending.length < mostPending) pending.push(event);
      else dropped += 1;
    },
    pending: () => pending,
    dropped: () => dropped,
    send(changed) {
      if (tell === undefined || underWay || now() < notBefore || (pending.length === 0 && !changed)) return;
      const batch = pending.slice(0, BATCH);
      underWay = true;
      tell({ events: batch, state: stateOf(pending.slice(batch.length)) }).then(
        () => {
          pending = pending.slice(batch.length);
          underWay = false;
        },
        () => {
          underWay = false;
          notBefore = now() + RETRY_MS;
        },
      );
    },
  };
}
