// The message ledger as a part: what is recorded in this process and what others report, on disk and to be asked.
import type { Component, Health } from '../../base/component.ts';
import { explain, Fault, faultKind } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import type { Procedure, Route } from '../../base/route.ts';
import { formatBytes } from '../../base/units.ts';
import type { MessagesConfig } from './config.ts';
import { unixMicros } from '../clock.ts';
import { openJournal } from './journal.ts';
import type { Ledgered } from './query.ts';
import { callerIdentity, type Recorder } from './recorder.ts';
import { recordProcedure } from './procedures.ts';
import { messageRoutes } from './routes.ts';
import { type LedgerStore, openLedgerStore } from './store.ts';

const LEDGER_UNAVAILABLE = faultKind(
  'JD_LEDGER_UNAVAILABLE',
  503,
  'see the part `messages` in `jdos status` for why the ledger could not be opened',
);

export interface Ledger extends Component {
  readonly recorder: Recorder;
  readonly routes: readonly Route[];
  /** `Ledger::record`, by which other processes report. */
  readonly procedures: readonly Procedure[];
  counts(): LedgerCounts;
}

export interface LedgerCounts {
  /** Reports committed, of this process and of others. */
  readonly recorded: number;
  /** Reports lost, here and where others had to drop them. */
  readonly unrecorded: number;
  readonly bytes: number;
}

interface LedgerOptions {
  readonly dir: string;
  readonly config: MessagesConfig;
  /** The services that this process answers for; the first names its calls. */
  readonly services: readonly [string, ...string[]];
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const RETAIN_EVERY_MS = 60_000;

export function openLedger({ dir, config, services, log, now }: LedgerOptions): Ledger {
  const identity = callerIdentity(services[0]);
  let store: LedgerStore | undefined;
  let timer: NodeJS.Timeout | undefined;
  let [recorded, droppedElsewhere, bytes] = [0, 0, 0];

  const need = (): LedgerStore => {
    if (store === undefined) throw new Fault(LEDGER_UNAVAILABLE, 'the message ledger is not open');
    return store;
  };
  const journal = openJournal({
    instance: identity.instance,
    services,
    log,
    async write(reports, marks) {
      if (bytes > config.maxBytes) throw new Fault(LEDGER_UNAVAILABLE, `the messages of one day exceed ${bytes} bytes`);
      const refused = await need().write(reports, marks);
      recorded += reports.length - refused;
      return refused;
    },
  });
  const retain = async (): Promise<void> => {
    try {
      bytes = await need().retain();
    } catch (error) {
      log.error({ err: error }, 'old messages could not be deleted');
    }
  };
  const read = async (): Promise<Ledgered> => {
    await journal.flush();
    return { store: need(), marks: journal.marks(), now: unixMicros() };
  };
  const counts = (): LedgerCounts => ({
    recorded,
    unrecorded: journal.losses().unrecorded + droppedElsewhere,
    bytes,
  });

  return {
    name: 'messages',
    recorder: {
      ...identity,
      record: journal.record,
      commit: (facts) => journal.commit([facts]),
    },
    routes: messageRoutes(read),
    procedures: [
      recordProcedure({
        take: journal.commit,
        dropped: (count) => void (droppedElsewhere += count),
      }),
    ],
    counts,
    async start() {
      store = await openLedgerStore({ dir, now, ...config });
      await retain();
      timer = setInterval(() => void retain(), RETAIN_EVERY_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      await journal.flush();
      await store?.[Symbol.asyncDispose]();
    },
    health: () => healthOf(journal.losses().failure, counts()),
  };
}

function healthOf(failure: unknown, { recorded, unrecorded, bytes }: LedgerCounts): Health {
  const lost = unrecorded === 0 ? '' : `, ${unrecorded} lost`;
  const summary = `${recorded} reports recorded${lost}, ${formatBytes(bytes)}`;
  if (failure === undefined) return { state: 'available', summary };
  return {
    state: 'failing',
    summary,
    reason: explain(failure),
    costs: 'calls work, but what becomes of them is not recorded',
    remedy: failure instanceof Fault ? failure.remedy : 'see the log',
  };
}
