// Hands publications over in few calls: each waits a moment for the others of its round.
import type { Clock } from './clock.ts';
import type { Publication } from './publication.ts';

interface Publisher {
  /** Resolves when the publication is handed over, or is to be within a moment. */
  publish(publication: Publication): Promise<void>;
  /** Hands over what waits. */
  flush(): Promise<void>;
}

interface PublisherOptions {
  /** Resolves with the collectors of which the receiver has nothing, as one that was just started. */
  readonly send: (publications: readonly Publication[]) => Promise<readonly string[]>;
  /** Collectors of which the receiver has nothing, and nothing is on its way. */
  readonly onMissing: (collectors: readonly string[]) => void;
  readonly clock: Pick<Clock, 'after'>;
}

/** The collectors of one round follow each other within some milliseconds. */
export const MOMENT_MS = 200;

/** After a failure nothing waits until something was handed over again, so that whoever publishes hears of it. */
export function openPublisher({ send, onMissing, clock }: PublisherOptions): Publisher {
  const waiting = new Map<string, Publication>();
  const underWay = new Set<readonly Publication[]>();
  let failing = false;
  let cancel: (() => void) | undefined;

  const flush = async (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    if (waiting.size === 0) return;
    const batch = [...waiting.values()];
    waiting.clear();
    underWay.add(batch);
    try {
      const missing = await send(batch);
      failing = false;
      underWay.delete(batch);
      const onTheWay = new Set([...waiting.keys(), ...[...underWay].flat().map(({ collector }) => collector)]);
      const wanted = missing.filter((collector) => !onTheWay.has(collector));
      if (wanted.length > 0) onMissing(wanted);
    } catch (error) {
      failing = true;
      underWay.delete(batch);
      for (const publication of batch)
        if (!waiting.has(publication.collector)) waiting.set(publication.collector, publication);
      throw error;
    }
  };
  return {
    flush,
    async publish(publication) {
      waiting.set(publication.collector, publication);
      if (failing) return flush();
      cancel ??= clock.after(MOMENT_MS, () => void flush().catch(() => undefined));
    },
  };
}
