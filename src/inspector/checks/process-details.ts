// The parts of the `process` collector's details that findings show as evidence; foreign data, parsed with bounds.
import { z } from '../../base/schema.ts';
import { formatSeconds } from '../../base/units.ts';
import type { Facts } from '../check.ts';
import { plain } from '../wording.ts';

const MOST = 100_000;
const SHOWN = 5;

const processItem = z.object({
  pid: z.number().int(),
  comm: z.string(),
  group: z.string().nullable(),
  fds: z.number(),
  fdLimit: z.number().positive(),
});
const stuckItem = z.object({
  pid: z.number().int(),
  comm: z.string(),
  sinceSeconds: z.number(),
  wchan: z.string().nullable(),
});
const zombieItem = z.object({ pid: z.number().int(), comm: z.string(), ppid: z.number().int() });
const details = z.object({
  processes: z.array(z.unknown()).max(MOST),
  dstate: z.array(z.unknown()).max(MOST),
  zombies: z.array(z.unknown()).max(MOST),
});

/** The entries that have what the schema asks for; a process whose descriptors are not known is left out. */
const valid = <S extends z.ZodType>(schema: S, list: readonly unknown[]): z.output<S>[] =>
  list.flatMap((item) => {
    const parsed = schema.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });

const read = (facts: Facts): z.output<typeof details> => {
  const parsed = details.safeParse(facts.details('process'));
  return parsed.success ? parsed.data : { processes: [], dstate: [], zombies: [] };
};

/** The processes of a group that are nearest to their limit of file descriptors, worst first. */
export const worstByFds = (facts: Facts, group: string): readonly { readonly pid: number; readonly text: string }[] =>
  valid(processItem, read(facts).processes)
    .filter((item) => item.group === group)
    .sort((a, b) => b.fds / b.fdLimit - a.fds / a.fdLimit)
    .slice(0, SHOWN)
    .map(({ pid, comm, fds, fdLimit }) => ({
      pid,
      text: `pid=${pid} comm=${plain(comm)} fds=${fds} limit=${fdLimit}`,
    }));

/** The tasks in state D, longest first. */
export const stuckTasks = (facts: Facts): readonly { readonly seconds: number; readonly text: string }[] =>
  valid(stuckItem, read(facts).dstate)
    .sort((a, b) => b.sinceSeconds - a.sinceSeconds)
    .map(({ pid, comm, wchan, sinceSeconds }) => ({
      seconds: sinceSeconds,
      text: `pid=${pid} comm=${plain(comm)} wchan=${plain(wchan ?? '?')} for=${formatSeconds(sinceSeconds)}`,
    }));

/** Some zombies with the parents that do not reap them. */
export const zombies = (facts: Facts): readonly string[] =>
  valid(zombieItem, read(facts).zombies)
    .slice(0, SHOWN)
    .map(({ pid, comm, ppid }) => `pid=${pid} comm=${plain(comm)} ppid=${ppid}`);
