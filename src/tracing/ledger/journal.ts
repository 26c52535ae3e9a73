// The queue before the ledger: reports are folded by message and committed together; who waits, waits for the shared commit.
import type { Logger } from '../../base/logging.ts';
import { unixMicros } from '../clock.ts';
import { type Facts, fold, keyOf } from './facts.ts';
import type { Watermark } from './recorder.ts';

interface Journal {
  /** Takes a report, to be committed within {@link LAZY_MS}. */
  record(facts: Facts): void;
  /** Resolves when the reports and the watermark are committed or counted as lost, within {@link LONGEST_MS}. */
  commit(reports: readonly Facts[], mark?: Watermark): Promise<void>;
  /** Resolves when everything taken until now is committed or counted as lost. */
  flush(): Promise<void>;
  /** Reports lost since the start, and why the last commit failed if it did. */
  losses(): { readonly unrecorded: number; readonly failure: unknown };
  /** The watermarks of all recorders that report here. */
  marks(): readonly Watermark[];
}

interface JournalOptions {
  /** Resolves with the number of reports it refused. */
  readonly write: (reports: readonly Facts[], marks: readonly Watermark[]) => Promise<number>;
  /** The recorder of this process. */
  readonly instance: string;
  readonly services: readonly string[];
  readonly log: Logger;
}

/** How long a report waits for company when nobody waits for it. */
const LAZY_MS = 3000;
/** A reply waits no longer for its row than this: a disk that hangs must not hang the calls. */
const LONGEST_MS = 1500;
const MOST_PENDING = 50_000;
const MOST_MARKS = 1000;

export function openJournal({ write, instance, services, log }: JournalOptions): Journal {
  const marks = new Map<string, Watermark>();
  let pending = new Map<string, Facts>();
  let newMarks: Watermark[] = [];
  let from = unixMicros();
  let unrecorded = 0;
  let failure: unknown;
  let lazy: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const record = (facts: Facts): void => {
    const key = keyOf(facts);
    const before = pending.get(key);
    if (before === undefined && pending.size >= MOST_PENDING) {
      lose(1);
      return;
    }
    pending.set(key, before === undefined ? facts : fold(before, facts));
    lazy ??= setTimeout(() => void flush(), LAZY_MS).unref();
  };
  const lose = (count: number): void => {
    unrecorded += count;
    from = unixMicros(); // what this recorder knows of the time before is no longer whole
  };

  const writeBatch = async (): Promise<void> => {
    clearTimeout(lazy);
    lazy = undefined;
    const own: Watermark = { instance, services, from, upTo: unixMicros() };
    const [reports, batchMarks] = [[...pending.values()], [...newMarks, own]];
    pending = new Map();
    newMarks = [];
    try {
      const refused = await write(reports, batchMarks);
      if (refused > 0) lose(refused);
      if (failure !== undefined) log.info('messages are recorded again');
      failure = undefined;
      for (const mark of batchMarks) remember(mark);
    } catch (error) {
      if (failure === undefined) log.error({ err: error, reports: reports.length }, 'messages cannot be recorded');
      failure = error;
      lose(reports.length);
    }
  };
  const remember = (mark: Watermark): void => {
    marks.set(`${mark.instance} ${mark.from}`, mark);
    const [oldest] = marks.keys();
    if (marks.size > MOST_MARKS && oldest !== undefined) marks.delete(oldest);
  };
  /** One batch is written at a time; all that comes meanwhile shares the next. */
  const flush = (): Promise<void> => {
    if (pending.size === 0 && newMarks.length === 0) return writing ?? Promise.resolve();
    next ??= (writing ?? nextTurn()).then(() => {
      next = undefined;
      writing = writeBatch().finally(() => (writing = undefined));
      return writing;
    });
    return next;
  };

  return {
    record,
    async commit(reports, mark) {
      for (const facts of reports) record(facts);
      if (mark !== undefined) newMarks.push(mark);
      await within(flush(), LONGEST_MS);
    },
    flush,
    losses: () => ({ unrecorded, failure }),
    marks: () => [...marks.values()],
  };
}

/** Calls that arrived together share a commit. */
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function within(work: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
