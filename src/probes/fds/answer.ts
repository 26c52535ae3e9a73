// What is said of the open file descriptors of a process or a container.
import { z } from '../../base/schema.ts';

const count = z.number().int();
const HeldFiles = z.object({
  fds: count.describe('descriptors that hold one'),
  files: count.describe('different files among those of which the size is known'),
  bytes: z.number().describe('of these files together, each once'),
  diskBytes: z
    .number()
    .describe('what they take: blocks of 512 bytes; what is freed when the last descriptor is closed'),
  unsized: count.describe(
    'descriptors of which the size is not known: of a file system that may hang, or of another mount namespace',
  ),
  items: z
    .array(z.object({ path: z.string(), bytes: z.number(), diskBytes: z.number(), fds: count }))
    .describe('those that take most'),
});

export const FdsAnswer = z.object({
  at: z.number().describe('Unix milliseconds'),
  total: count.nullable().describe('as the kernel counts them; null where it does not (before Linux 6.2)'),
  counted: count.describe('those that were looked at'),
  complete: z.boolean(),
  leftOut: z.array(z.string()).describe('why it is not complete'),
  processes: z
    .array(
      z.object({
        pid: count,
        comm: z.string(),
        fds: count,
        fdLimit: count.nullable().describe('the soft limit; null for none, and where it is not known'),
      }),
    )
    .describe('those with most descriptors'),
  kinds: z
    .array(z.object({ kind: z.string(), count }))
    .describe('socket, pipe, file, directory, device, memfd, namespace, or the name of the kernel: eventfd, io_uring…'),
  sockets: z
    .array(z.object({ protocol: z.string(), state: z.string().nullable(), count }))
    .describe(
      'protocol `unlisted`: in no table of the network namespace; not bound or connected yet, closed, or of another one',
    ),
  listening: z.array(z.object({ protocol: z.string(), address: z.string(), count })),
  inotifyWatches: count.nullable().describe('null where they could not be counted'),
  deleted: HeldFiles.describe('files that were removed and are held open'),
  memfd: HeldFiles.describe('files in memory alone (memfd_create(2))'),
  targets: z.array(z.object({ path: z.string(), kind: z.string(), count })).describe('paths with most descriptors'),
});
export type FdsAnswer = z.output<typeof FdsAnswer>;
