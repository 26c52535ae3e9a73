// The `tracing.messages` slice of the configuration.
import { z } from '../../base/schema.ts';

export const MessagesConfig = z.strictObject({
  /** Days that rows are kept, today not counted. */
  retentionDays: z.number().int().min(1).max(3650).default(7),
  /** Bytes of all days together; the oldest day goes first. */
  maxBytes: z
    .number()
    .int()
    .min(1024 * 1024)
    .default(1024 * 1024 * 1024),
});
export type MessagesConfig = z.output<typeof MessagesConfig>;
