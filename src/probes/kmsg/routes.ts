// The events of the kernel over HTTP, newest first.
import { Fault, faultKind } from '../../base/fault.ts';
import { route, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { When } from '../moment.ts';
import { KernelEvent } from './event.ts';
import type { Partitions } from './partitions.ts';
import { SEVERITIES } from './record.ts';
import { findEvents } from './store.ts';

const KERNEL_EVENTS_CURSOR = faultKind(
  'JD_KERNEL_EVENTS_CURSOR',
  400,
  'give `cursor` the value of `next` of the page before',
);

const Shown = KernelEvent.omit({ severity: true }).extend({
  severity: z.enum(SEVERITIES),
  at: z.number().describe('Unix milliseconds'),
  usec: z.number().describe('microseconds since the boot, as dmesg shows them'),
  suppressed: z.number().describe('so many of this reason before it were counted and not kept'),
  cgroup: z.string().nullable().describe('of the process, where the kernel names it or the process was still there'),
  container: z.record(z.string(), z.string()).nullable().describe('labels as in the series of containers'),
});

interface KernelRoutesOptions {
  /** Throws a Fault while they are not open. */
  readonly partitions: () => Partitions;
}

const FOREVER = 8.64e15;

export const kernelRoutes = ({ partitions }: KernelRoutesOptions): readonly Route[] => [
  route({
    method: 'GET',
    path: '/jdos/v1/kernel/events',
    right: 'read',
    summary: 'What the kernel told of problems: out of memory, hung tasks, oopses, failing disks; newest first',
    query: z.strictObject({
      from: When.optional().describe('at this time or later'),
      to: When.optional().describe('before this time'),
      reason: z.string().max(200).optional().describe('as in jdos_kernel_events_total, such as OOMKilling'),
      limit: z.coerce.number().int().min(1).max(1000).default(50),
      cursor: z.string().max(1000).optional().describe('next of the page before'),
    }),
    reply: z.object({ items: z.array(Shown), next: z.string().nullable() }),
    async handler({ query: { from = 0, to = FOREVER, reason, limit, cursor } }) {
      const before = cursor === undefined ? undefined : parseCursor(cursor);
      const found = await findEvents(partitions(), { from, to, reason, limit: limit + 1, before });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const items = page.map(({ severity, ...event }) => ({ ...event, severity: SEVERITIES[severity] ?? 'debug' }));
      return { body: { items, next: found.length > limit && last !== undefined ? cursorOf(last) : null } };
    },
  }),
];

const Cursor = z.tuple([z.number(), z.string().max(64), z.number(), z.string().max(200)]);

const cursorOf = ({ at, bootId, seq, reason }: KernelEvent): string =>
  Buffer.from(JSON.stringify([at, bootId, seq, reason])).toString('base64url');

function parseCursor(cursor: string) {
  try {
    const [at, bootId, seq, reason] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { at, bootId, seq, reason };
  } catch (cause) {
    throw new Fault(KERNEL_EVENTS_CURSOR, 'the cursor is not one of ours', { cause });
  }
}
