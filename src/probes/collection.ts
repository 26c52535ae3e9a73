// Runs one collector once, with a deadline and without what is in quarantine, and makes a publication of it.
import { explain, Fault, faultKind, systemCode } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Announcements } from './announcements.ts';
import type { Clock } from './clock.ts';
import type { Census, Collecting, Collector, KnownContainers, NameSources } from './collector.ts';
import type { ProbesConfig } from './config.ts';
import { openFamilyWriter, type Collected } from './family-writer.ts';
import { HostFiles, QUARANTINED, readFailure } from './host-files.ts';
import type { Tell } from './kmsg/index.ts';
import { packState, unpackState, type Publication } from './publication.ts';

const COLLECTION_DEADLINE = faultKind(
  'JD_COLLECTION_DEADLINE',
  503,
  'look at the logs for what this collector reads; it is tried again by itself',
);

/** A target that hung a probe process before this one, in Unix milliseconds. */
export interface QuarantineEntry {
  readonly collector: string;
  /** `''` is the whole collector. */
  readonly target: string;
  readonly since: number;
  readonly until: number;
}

/** Milliseconds an asynchronous collection may take. */
const COLLECTION_DEADLINE_MS = 30_000;
/** Milliseconds until a collection that blocks this process is a hang: later, so that an asynchronous one ends by itself. */
const COLLECTION_HANG_MS = 35_000;

const MAX_MESSAGE = 1000;

interface CollectionOptions {
  readonly collector: Collector;
  /** `/`, or where the host's root is mounted. */
  readonly hostRoot: string;
  readonly config: ProbesConfig;
  readonly periodSeconds: number;
  readonly sources?: NameSources | undefined;
  readonly known?: KnownContainers | undefined;
  readonly census?: Census | undefined;
  readonly tell?: Tell | undefined;
  readonly declared?: ReadonlySet<string> | undefined;
  /** The collector's state from the process before, if any. */
  readonly saved: Buffer | undefined;
  readonly quarantine: readonly QuarantineEntry[];
  readonly announcements: Announcements;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the wait for an asynchronous collection. */
  readonly stopping: AbortSignal;
}

/** One collector of a probe process. */
export interface Collection {
  /** Collects once, writing at most `maxSeries` samples. Never rejects: a failure is a publication with `error`. */
  collect(maxSeries: number): Promise<Publication>;
  /** Ends it, between two collections. */
  close(): void;
}

export function openCollection(options: CollectionOptions): Collection {
  const { collector, config, announcements, clock, log } = options;
  let quarantine = options.quarantine.filter((entry) => entry.collector === collector.name);
  let { saved } = options;
  let collecting: Collecting | undefined;
  let out = openFamilyWriter(collector.metrics, config.maxLabelLength);
  let unfinished = false;
  let complained = false;

  /** What is past its time is tried again: by a new reader of the host, as after a restart. */
  const release = (): void => {
    const left = quarantine.filter((entry) => entry.until > clock.now());
    if (left.length === quarantine.length) return;
    quarantine = left;
    const before = collecting;
    collecting = undefined;
    saved = packState(before?.save?.()) ?? saved;
    before?.close?.();
  };

  const open = (): Collecting => {
    const announcer = {
      begin: (target: string) =>
        announcements.begin({ collector: collector.name, target }, config.deadlineSeconds * 1000),
      end: () => announcements.end(),
    };
    const targets = quarantine.map((entry) => entry.target);
    const host = new HostFiles(options.hostRoot, announcer, targets);
    out = openFamilyWriter(collector.metrics, config.maxLabelLength);
    const { sources, known, census, tell, declared } = options;
    return collector.open({ host, config, sources, known, census, tell, declared, log, saved: unpackState(saved) });
  };

  const run = async (maxSeries: number): Promise<Content> => {
    release();
    const whole = quarantine.find((entry) => entry.target === '');
    if (whole !== undefined) {
      const message = `an earlier collection hung; the next is at ${new Date(whole.until).toISOString()}`;
      throw new Fault(COLLECTION_DEADLINE, message);
    }
    if (unfinished) throw new Fault(COLLECTION_DEADLINE, 'the collection before this one has not ended yet');
    announcements.begin({ collector: collector.name, target: '' }, COLLECTION_HANG_MS);
    try {
      collecting ??= open();
      out.begin(maxSeries);
      const pending = collecting.collect(out);
      if (pending !== undefined) {
        unfinished = true;
        await withinDeadline(
          pending.finally(() => (unfinished = false)),
          options,
        );
      }
      return { ...out.finish(), details: collecting.details?.(), state: packState(collecting.save?.()) };
    } finally {
      announcements.end();
    }
  };

  const complain = ({ dropped, duplicates, cut }: Collected): void => {
    if (complained || (dropped === 0 && duplicates.length === 0 && cut === 0)) return;
    complained = true;
    if (cut > 0) log.warn({ collector: collector.name, cut }, 'label values beyond probes.maxLabelLength are cut');
    if (dropped > 0) log.error({ collector: collector.name, dropped }, 'series beyond probes.maxSeries are dropped');
    if (duplicates.length > 0) log.error({ collector: collector.name, duplicates }, 'series written twice are refused');
  };

  return {
    close: () => collecting?.close?.(),
    async collect(maxSeries) {
      const began = clock.uptime();
      const result = await run(maxSeries).catch((error: unknown) => ({ error: failure(error) }));
      if (!('error' in result)) complain(result);
      return {
        collector: collector.name,
        at: clock.now(),
        periodSeconds: options.periodSeconds,
        durationSeconds: (clock.uptime() - began) / 1000,
        quarantined: quarantine.map(({ target, since, until }) => ({ target, since, until })),
        ...('error' in result ? { families: [], error: result.error } : content(result)),
      };
    },
  };
}

async function withinDeadline(pending: Promise<void>, { clock, stopping }: CollectionOptions): Promise<void> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const giveUp = (message: string): void => reject(new Fault(COLLECTION_DEADLINE, message));
  const cancel = clock.after(COLLECTION_DEADLINE_MS, () =>
    giveUp(`the collection did not end within ${COLLECTION_DEADLINE_MS / 1000} s`),
  );
  const onStop = (): void => giveUp('the process is being stopped');
  stopping.addEventListener('abort', onStop);
  try {
    await Promise.race([pending, tooLate]);
  } finally {
    cancel();
    stopping.removeEventListener('abort', onStop);
  }
}

type Failure = NonNullable<Publication['error']>;

function failure(error: unknown): Failure {
  const code = systemCode(error);
  const hung = code === QUARANTINED.code || code === COLLECTION_DEADLINE.code;
  return { reason: hung ? 'deadline' : readFailure(error), message: explain(error).slice(0, MAX_MESSAGE) };
}

type Content = Collected & Pick<Publication, 'details' | 'state'>;

const content = ({
  families,
  dropped,
  refused,
  cut,
  details,
  state,
}: Content): Partial<Publication> & Pick<Publication, 'families'> => ({
  families,
  dropped,
  ...(refused === 0 ? {} : { duplicates: refused }),
  ...(cut === 0 ? {} : { cut }),
  ...(details === undefined ? {} : { details }),
  ...(state === undefined ? {} : { state }),
});
