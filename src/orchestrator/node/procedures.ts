// What the API asks of the node agent by yaRPC: logs of containers, and plans that are not carried out.
import { z } from '../../base/schema.ts';

/** `Node::readLog`: the next piece of a container's output. */
export const ReadLogRequest = z.object({
  namespace: z.string(),
  pod: z.string(),
  uid: z.string(),
  container: z.string(),
  /** The run before the last one. */
  previous: z.boolean().default(false),
  /** Where the last piece ended; absent for the first piece, which `tailLines` and `since` then cut. */
  cursor: z.string().optional(),
  tailLines: z.number().int().min(0).optional(),
  /** Unix milliseconds. */
  since: z.number().optional(),
  timestamps: z.boolean().default(false),
  /** Milliseconds to wait for more output when there is none yet. */
  waitMs: z.number().int().min(0).max(20_000).default(0),
});
export type ReadLogRequest = z.output<typeof ReadLogRequest>;

export const ReadLogReply = z.object({
  /** Base64: output need not be text. At most 256 KiB before encoding. */
  data: z.string(),
  cursor: z.string(),
  /** All that was there when it was read is in the pieces so far. */
  atEnd: z.boolean(),
  /** Nothing more will come: the container has ended and all of its output was read. */
  ended: z.boolean(),
});
export type ReadLogReply = z.output<typeof ReadLogReply>;

/** `Node::plan`: what the agent would do if these pods, beside those it has, were wanted. */
export const PlanRequest = z.object({ pods: z.array(z.unknown()) });
export const PlanReply = z.object({
  steps: z.array(z.object({ kind: z.string(), target: z.string(), because: z.string() })),
  text: z.string(),
});
export type PlanReply = z.output<typeof PlanReply>;
