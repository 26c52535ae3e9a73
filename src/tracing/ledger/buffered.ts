// The recorder of a process without a database: a bounded buffer, shipped to the ledger when there is something to ship.
import type { Component } from '../../base/component.ts';
import type { Logger } from '../../base/logging.ts';
import type { Call } from '../../base/route.ts';
import { unixMicros } from '../clock.ts';
import { type Facts, fold, keyOf } from './facts.ts';
import { MOST_REPORTS, type Shipment } from './procedures.ts';
import { callerIdentity, type Recorder } from './recorder.ts';

interface BufferedRecorderOptions {
  /** The services that this process answers for; the first names its calls. */
  readonly services: readonly [string, ...string[]];
  /** Calls the process that holds the ledger; these calls must not be recorded themselves. */
  readonly call: Call;
  readonly log: Logger;
  /** Most messages held while the ledger cannot be reached. */
  readonly capacity?: number;
  readonly shipEveryMs?: number;
}

interface BufferedRecorder extends Component {
  readonly recorder: Recorder;
  /** Ships what there is now; resolves when it is committed or cannot be. */
  ship(): Promise<void>;
  /** Reports dropped since the start because the buffer was full. */
  dropped(): number;
}

const DEADLINE_MS = 5000;
const LONGEST_WAIT_MS = 15_000;
/** At the end there is no time for a ledger that does not answer. */
const LAST_MS = 500;

/** Its timer runs only while something waits to be shipped. */
export function bufferedRecorder(options: BufferedRecorderOptions): BufferedRecorder {
  const { services, call, log, capacity = 20_000, shipEveryMs = 5000 } = options;
  const identity = callerIdentity(services[0]);
  let buffer = new Map<string, Facts>();
  let from = unixMicros();
  let [dropped, droppedBefore, failures] = [0, 0, 0];
  let timer: NodeJS.Timeout | undefined;
  let shipping: Promise<void> | undefined;

  const record = (facts: Facts): void => {
    const key = keyOf(facts);
    const before = buffer.get(key);
    if (before === undefined && buffer.size >= capacity) {
      dropped += 1;
      from = unixMicros(); // no watermark may claim the time before
      return;
    }
    buffer.set(key, before === undefined ? facts : fold(before, facts));
    schedule();
  };
  const schedule = (): void => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        void ship();
      },
      Math.min(LONGEST_WAIT_MS, shipEveryMs * 2 ** failures),
    ).unref();
  };

  /** One batch; what could not be shipped goes back into the buffer, folded with what came meanwhile. */
  const shipBatch = async (deadlineMs: number): Promise<void> => {
    const batch = [...buffer.entries()].slice(0, MOST_REPORTS);
    const last = batch.length === buffer.size;
    const reporting = dropped - droppedBefore;
    for (const [key] of batch) buffer.delete(key);
    // With more to come, this claims nothing yet.
    const upTo = last ? unixMicros() : from;
    const reports = batch.map(([, facts]) => facts);
    const shipment: Shipment = { ...identityOf(), from, upTo, dropped: reporting, reports };
    try {
      await call('Ledger::record', shipment, deadlineMs);
      failures = 0;
      droppedBefore += reporting;
    } catch (error) {
      if (failures === 0) log.warn({ err: error, messages: reports.length }, 'messages wait to be recorded');
      failures = Math.min(failures + 1, 10);
      const rest = buffer;
      buffer = new Map();
      for (const facts of [...reports, ...rest.values()]) record(facts);
    }
  };
  const identityOf = (): Pick<Shipment, 'instance' | 'services'> => ({
    instance: identity.instance,
    services: [...services],
  });
  const ship = (deadlineMs = DEADLINE_MS): Promise<void> => {
    if (buffer.size === 0) return shipping ?? Promise.resolve();
    shipping ??= shipBatch(deadlineMs).finally(() => {
      shipping = undefined;
      if (buffer.size > 0) schedule();
    });
    return shipping;
  };

  return {
    name: 'recorder',
    // Nobody waits for the ledger here: a process that monitors goes on when it is dead.
    recorder: { ...identity, record, commit: (facts) => Promise.resolve(record(facts)) },
    ship: () => ship(),
    dropped: () => dropped,
    start: () => Promise.resolve(),
    async stop() {
      clearTimeout(timer);
      await shipping;
      await ship(LAST_MS);
      clearTimeout(timer);
    },
    health: () => {
      const summary = `${buffer.size} messages wait to be recorded, ${dropped} dropped`;
      return failures === 0
        ? { state: 'available' }
        : { state: 'limited', reason: summary, remedy: 'see `jdos status`' };
    },
  };
}
