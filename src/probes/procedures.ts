// The yaRPC procedures between the serve process and the probe process.
import { procedure } from '../base/route.ts';
import type { Procedure } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { decodePublications, type Publication, type Resumption } from './publication.ts';
import type { Runner } from './runner.ts';
import type { Snapshots } from './snapshots.ts';

/**
 * Served by the serve process, called by the probe process. `onPublished` is told what was accepted; `resume` adds what is
 * kept elsewhere to what a new probe process is given.
 */
export const snapshotProcedures = (
  snapshots: Snapshots,
  onPublished: (publications: readonly Publication[]) => void,
  resume: (resumption: Resumption) => Promise<Resumption> = (resumption) => Promise.resolve(resumption),
): readonly Procedure[] => [
  procedure({
    name: 'Probes::publish',
    right: 'admin',
    request: 'raw',
    handler(bytes) {
      const publications = decodePublications(bytes);
      for (const publication of publications) snapshots.accept(publication);
      onPublished(publications);
      return { missing: snapshots.missing() };
    },
  }),
  procedure({
    name: 'Probes::resume',
    right: 'admin',
    request: z.object({}),
    handler: () => resume(snapshots.resumption()),
  }),
];

/** Served by the probe process: collects now, and answers when what was collected is published. */
export const runnerProcedures = (runner: Pick<Runner, 'collectNow'>): readonly Procedure[] => [
  procedure({
    name: 'Probes::collect',
    right: 'admin',
    request: z.object({ which: z.enum(['fast', 'all']).default('fast') }),
    async handler({ which }) {
      await runner.collectNow(which);
      return {};
    },
  }),
];
