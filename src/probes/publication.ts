// What the probe process tells the serve process after each collection, as yaRPC requests.
import { z } from '../base/schema.ts';
import { VIEWS } from './collector.ts';

const family = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'untyped']),
  /** Sample lines, the same in both exposition formats. */
  text: z.string(),
  samples: z.number().int(),
});

/** A sample of a watched metric: label values in the metric's order, then the value. */
const watched = z.object({ labels: z.record(z.string(), z.string()), value: z.number() });

/** One collection, successful or not; `Probes::publish` takes several. */
export const Publication = z.object({
  collector: z.string(),
  view: z.enum(VIEWS),
  /** Unix milliseconds at the end of the collection. */
  at: z.number(),
  periodSeconds: z.number(),
  durationSeconds: z.number(),
  /** Why it failed; absent on success. */
  error: z.object({ reason: z.enum(['failed', 'permission', 'absent', 'deadline']), message: z.string() }).optional(),
  families: z.array(family),
  /** Samples of the metrics that the serve process asked for. */
  watched: z.record(z.string(), z.array(watched)),
  /** Targets this collector skips because reading them hung. */
  quarantined: z.array(z.object({ target: z.string(), since: z.number(), until: z.number() })),
  details: z.unknown().optional(),
  /** What the collector gets back when the probe process is started again. */
  state: z.unknown().optional(),
});
export type Publication = z.output<typeof Publication>;
export type PublishedFamily = z.output<typeof family>;
export type WatchedSample = z.output<typeof watched>;

/** The answer to `Probes::publish`: of which collectors nothing was published since the serve process was started. */
export const Published = z.object({ missing: z.array(z.string()) });

/** The answer to `Probes::resume`: what to watch, and the states saved from the process before. */
export const Resumption = z.object({
  watch: z.array(z.string()),
  states: z.record(z.string(), z.unknown()),
});
export type Resumption = z.output<typeof Resumption>;
