// The `probes.history` slice of the configuration.
import { z } from '../../base/schema.ts';

const MIB = 1024 * 1024;

export const HistoryConfig = z.strictObject({
  /** Days that rollups of a minute are kept. */
  minuteDays: z.number().int().min(1).max(3650).default(15),
  /** Days that rollups of a day are kept. */
  dailyDays: z.number().int().min(1).max(3650).default(400),
  /** Hours that the processes of each collection are kept. */
  processHours: z.number().int().min(1).max(720).default(24),
  /** Series kept at a time; what is beyond is not kept, and said to be. */
  maxSeries: z.number().int().min(100).max(100_000).default(5000),
  /** Most that history may take on the disk. Unless said: a tenth of the budget of the data directory. */
  maxBytes: z
    .number()
    .int()
    .min(16 * MIB)
    .optional(),
});
export type HistoryConfig = z.output<typeof HistoryConfig>;
