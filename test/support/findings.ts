// What the inspection of a running daemon finds now.
import type { RunningDaemon } from './daemon.ts';

export interface Finding {
  readonly code: string;
  readonly target: string;
  readonly verdict: string;
  readonly evidence: readonly string[];
}

/** Inspects, and gives the findings of the checks whose code begins so. */
export async function findings(daemon: RunningDaemon, code: string): Promise<readonly Finding[]> {
  await daemon.cli('inspect', '--now');
  const { items } = (await daemon.get('/jdos/v1/findings')) as { items: readonly Finding[] };
  return items.filter((one) => one.code.startsWith(code));
}
