// An event of the kernel as it travels to the serve process, is kept, and is shown.
import { z } from '../../base/schema.ts';
import type { HostFiles } from '../host-files.ts';
import type { KnownContainers } from '../collector.ts';
import { LABELS } from '../container/family.ts';
import { nameless, openContainerAt } from '../container/attribution.ts';
import { openMembership } from '../exec/membership.ts';
import { unsigned } from '../kernel/text.ts';
import type { Problem } from './engine.ts';

/** What is longer is cut before it is sent: an event that is refused would keep all others waiting. */
const MOST_TEXT = 4096;
const text = z.string().max(MOST_TEXT);
const count = z.number().int().nonnegative();

export const KernelEvent = z.object({
  /** /proc/sys/kernel/random/boot_id: with `seq` and `reason` it names the event. */
  bootId: z.string().max(64),
  seq: count,
  /** Microseconds since the boot, as `dmesg` shows them. */
  usec: count,
  /** Unix milliseconds. */
  at: z.number().int(),
  reason: z.string().max(200),
  severity: count.max(7),
  message: text,
  fields: z.record(z.string(), text),
  lines: z.array(text).max(64),
  suppressed: count,
  cgroup: text.nullable(),
  container: z.record(z.string(), text).nullable(),
});
export type KernelEvent = z.output<typeof KernelEvent>;

/** Says of problems whose they are: by the cgroup that the kernel names, or by the process while it lives. */
export function openAttribution(
  host: HostFiles,
  known: KnownContainers | undefined,
): (problem: Problem, bootId: string) => KernelEvent {
  const membership = openMembership(host);
  const containerAt = openContainerAt();
  return ({ fields, ...problem }, bootId) => {
    const pid = unsigned(fields['pid']);
    const cgroup = fields['cgroup'] ?? (pid === undefined ? undefined : membership.cgroupOf(pid));
    const path = cgroup === undefined ? undefined : containerAt(cgroup);
    const labels = path === undefined ? undefined : (known?.labels.get(path) ?? nameless(path));
    return {
      ...problem,
      bootId,
      fields: { ...fields },
      lines: [...problem.lines],
      cgroup: cgroup?.slice(0, MOST_TEXT) ?? null,
      container: labels === undefined ? null : named(labels),
    };
  };
}

/** The labels that have a value. Our own names come first as in every family of containers. */
const named = (labels: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    LABELS.flatMap((name, at) => {
      const value = labels[at] ?? '';
      return value === '' ? [] : [[name, value.slice(0, MOST_TEXT)]];
    }),
  );
