// The `tracing` slice of the configuration.
import { z } from '../base/schema.ts';
import { MessagesConfig } from './ledger/config.ts';

export const TracingConfig = z.strictObject({
  /** The message ledger. */
  messages: MessagesConfig.prefault({}),
  /** How long spans are kept after they arrived. */
  retentionHours: z.number().min(1).max(87_600).default(168),
  /** Most that traces may take on the disk. Unless said: half of the budget of the data directory. */
  maxBytes: z
    .number()
    .int()
    .min(16 * 1024 * 1024)
    .optional(),
  /** Newest spans held in memory before they are packed; what is acknowledged is on disk in any case. */
  hotBytes: z
    .number()
    .int()
    .min(1024 * 1024)
    .max(512 * 1024 * 1024)
    .default(32 * 1024 * 1024),
  /** Longest time that spans wait to be packed. */
  hotSeconds: z.number().min(0.05).max(3600).default(30),
  /** Requests being taken in at a time, in bytes after decompression; more are told to come again. */
  maxInFlightBytes: z
    .number()
    .int()
    .min(1024)
    .max(1024 * 1024 * 1024)
    .default(64 * 1024 * 1024),
});
export type TracingConfig = z.output<typeof TracingConfig>;
