// The lifecycle every part shares: started in order, retried when failing, stopped in reverse within a deadline.
import { setTimeout as sleep } from 'node:timers/promises';
import { explain } from './fault.ts';
import type { Logger } from './logging.ts';

/**
 * What a part can do at this moment.
 * `limited` and `missing` are the host's lack (no permission, no Docker), `failing` is a fault that is being retried.
 */
export type HealthState = 'starting' | 'available' | 'limited' | 'missing' | 'failing';

export interface Health {
  readonly state: HealthState;
  /** Why it is not `available`. */
  readonly reason?: string;
  /** What the operator goes without. */
  readonly costs?: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** A short fact for the status line, for example `14 collectors, 612 series`. */
  readonly summary?: string;
}

export interface Component {
  readonly name: string;
  /** Resolves when the part works. `signal` aborts when the process is asked to stop. */
  start(signal: AbortSignal): Promise<void>;
  /** Frees everything. Called once, also after a failed start. */
  stop(): Promise<void>;
  /** Cheap, never throws, never waits. */
  health(): Health;
}

export interface Components {
  /** Tries every part once, in order; failing ones go on being retried in the background. */
  start(): Promise<void>;
  /** Stops in reverse order. Resolves with the names of the parts that did not stop within the deadline. */
  stop(deadlineMs: number): Promise<readonly string[]>;
  health(): ReadonlyMap<string, Health>;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** Milliseconds to wait before try number `attempt` (0 is the first retry): doubling, at most {@link LAST_RETRY_MS}. */
export const backOffMs = (attempt: number): number => Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);

/** Runs parts together: one that fails is shown as failing and retried, and takes no other part down. */
export function runComponents(parts: readonly Component[], log: Logger): Components {
  const stopping = new AbortController();
  const failures = new Map<string, unknown>();
  const retries: Promise<void>[] = [];
  const tried = new Set<Component>();

  const attempt = async (part: Component): Promise<boolean> => {
    tried.add(part);
    try {
      await part.start(stopping.signal);
      failures.delete(part.name);
      return true;
    } catch (error) {
      failures.set(part.name, error);
      if (!stopping.signal.aborted) log.error({ part: part.name, err: error }, 'part failed to start');
      return false;
    }
  };

  const retry = async (part: Component): Promise<void> => {
    for (let tries = 0; !stopping.signal.aborted; tries += 1) {
      await sleep(backOffMs(tries), undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted || (await attempt(part))) return;
    }
  };

  return {
    async start() {
      for (const part of parts) {
        if (stopping.signal.aborted) return;
        if (!(await attempt(part))) retries.push(retry(part));
      }
    },
    async stop(deadlineMs) {
      stopping.abort();
      const until = Date.now() + deadlineMs;
      const late: string[] = [];
      for (const part of [...parts].reverse()) {
        if (!tried.has(part)) continue;
        const timer = new AbortController();
        const stopped = part.stop().then(
          () => true,
          (error: unknown) => {
            log.error({ part: part.name, err: error }, 'part failed to stop');
            return true;
          },
        );
        const tooLate = sleep(Math.max(50, until - Date.now()), false, { signal: timer.signal }).catch(() => false);
        if (!(await Promise.race([stopped, tooLate]))) {
          late.push(part.name);
          log.error({ part: part.name }, 'part did not stop in time and is abandoned');
        }
        timer.abort();
      }
      await Promise.race([
        Promise.allSettled(retries),
        sleep(Math.max(0, until - Date.now()), undefined, { ref: false }),
      ]);
      return late;
    },
    health() {
      return new Map(
        parts.map((part): [string, Health] => {
          if (!tried.has(part)) return [part.name, { state: 'starting' }];
          const failure = failures.get(part.name);
          if (failure === undefined) return [part.name, part.health()];
          return [part.name, { state: 'failing', reason: explain(failure), ...remedyOf(failure) }];
        }),
      );
    },
  };
}

const remedyOf = (error: unknown): { remedy?: string } => {
  const remedy = (error as { remedy?: unknown } | null)?.remedy;
  return typeof remedy === 'string' ? { remedy } : {};
};
