// What the ledger counts about itself.
import { Counter, Gauge, type Registry } from '../../base/metrics.ts';
import type { LedgerCounts } from './ledger.ts';

/** Registers the ledger's metrics; values are taken when the registry is read. */
export function ledgerMetrics(registry: Registry, counts: () => LedgerCounts): void {
  const registers = [registry];
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
  counter(
    'jdos_messages_recorded_total',
    'Reports of messages committed to the ledger; one message has several.',
    () => counts().recorded,
  );
  counter(
    'jdos_messages_unrecorded_total',
    'Reports of messages that were lost: the ledger could not be written, or a buffer was full.',
    () => counts().unrecorded,
  );
  new Gauge({
    name: 'jdos_messages_bytes',
    help: 'Bytes of the files of the message ledger, as of the last look.',
    registers,
    collect() {
      this.set(counts().bytes);
    },
  });
}
