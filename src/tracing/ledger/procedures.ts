// `Ledger::record`: how processes without a database report what happened to their messages.
import { procedure, type Procedure } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { Facts } from './facts.ts';
import type { Watermark } from './recorder.ts';

export const MOST_REPORTS = 2000;

const name = z.string().regex(/^[\w./-]{1,100}$/);
export const Shipment = z.strictObject({
  instance: name,
  services: z.array(name).min(1).max(10),
  /** Everything that happened there from `from` to `upTo` has been shipped with this; Unix microseconds. */
  from: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  upTo: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Reports that had to be dropped there since the last shipment. */
  dropped: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  reports: z.array(Facts).max(MOST_REPORTS),
});
export type Shipment = z.output<typeof Shipment>;

interface RecordOptions {
  readonly take: (reports: readonly Facts[], mark: Watermark) => Promise<void>;
  readonly dropped: (count: number) => void;
}

/** Not itself recorded: a report about a report would never end. */
export const recordProcedure = ({ take, dropped }: RecordOptions): Procedure =>
  procedure({
    name: 'Ledger::record',
    right: 'admin',
    request: Shipment,
    recorded: false,
    async handler({ reports, dropped: lost, ...mark }) {
      dropped(lost);
      await take(reports, mark);
      return {};
    },
  });
