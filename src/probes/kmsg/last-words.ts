// What the kernel told of before the host ended, and what that says of why it did: a pure decision.

/** A problem that can end a host, or have somebody end it. `at` in Unix milliseconds. */
export interface LastWord {
  readonly reason: string;
  readonly at: number;
}

/** What each of them means for the end, the surest first: of several that come before it, the first here is named. */
const MEANINGS = [
  ['panic', ['KernelPanic']],
  ['hardware', ['CperHardwareErrorFatal', 'MachineCheck', 'EDACUncorrected']],
  ['overheating', ['ThermalCritical']],
  ['oops', ['KernelOops', 'KernelMemoryCorruption']],
  ['lockup', ['HardLockup', 'SoftLockup', 'RCUStall', 'WorkqueueLockup']],
  ['hang', ['TaskHung', 'DockerHung']],
  ['out_of_memory', ['OOMKilling']],
] as const satisfies readonly (readonly [meaning: string, reasons: readonly string[]])[];
type Meaning = (typeof MEANINGS)[number][0];

/** One process that is killed ends no host. */
const STORM = 5;
/** A host that ends is up again within minutes: what it told of longer before was not the end of it. */
const LAST_MS = 600_000;
/** The clock may have been set since. */
const SLACK_MS = 60_000;
export const MOST_WORDS = 32;

const GRAVE: ReadonlySet<string> = new Set(MEANINGS.flatMap(([, reasons]) => reasons));

/** Takes note of a problem, of the last few that are grave. */
export function noteWord(words: LastWord[], { reason, at }: LastWord): void {
  if (!GRAVE.has(reason)) return;
  words.push({ reason, at });
  if (words.length > MOST_WORDS) words.shift();
}

/** Undefined where the log of the boot before tells nothing of the minutes before this one, as after every orderly reboot. */
export function meaningOf(words: readonly LastWord[], bootedAt: number): Meaning | undefined {
  const last = words.filter(({ at }) => bootedAt - at > -SLACK_MS && bootedAt - at < LAST_MS);
  const found = MEANINGS.find(([meaning, reasons]) => {
    const count = last.filter(({ reason }) => (reasons as readonly string[]).includes(reason)).length;
    return count >= (meaning === 'out_of_memory' ? STORM : 1);
  });
  return found?.[0];
}
