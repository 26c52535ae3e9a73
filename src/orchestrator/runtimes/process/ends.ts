// How a process ended, from what is known: the wait status, the kernel's OOM kills, the stub's report, or nothing at all.
import { constants } from 'node:os';
import type { ExitFile } from './layout.ts';

interface WaitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Evidence {
  /** Absent where nobody waited. */
  readonly status?: WaitStatus;
  readonly failure?: { readonly exitCode: number; readonly message: string } | undefined;
  readonly oomKills: number;
  readonly rebooted: boolean;
}

/** A death by signal counts as exit code 128 + signal, as container runtimes have it. */
export function endOf({ status, failure, oomKills, rebooted }: Evidence, now: number): ExitFile {
  if (failure !== undefined) return { finishedAt: now, reason: 'ContainerCannotRun', ...failure };
  if (status === undefined) {
    const why = rebooted
      ? 'the host was restarted while it ran'
      : `it ended while no daemon waited for it${oomKills > 0 ? `; the kernel killed for want of memory in it ${oomKills} times` : ''}`;
    return { finishedAt: now, reason: 'ExitCodeLost', message: why };
  }
  if (status.signal !== null) {
    const signal = constants.signals[status.signal];
    const reason = status.signal === 'SIGKILL' && oomKills > 0 ? 'OOMKilled' : 'Error';
    return { finishedAt: now, reason, exitCode: 128 + signal, signal };
  }
  const exitCode = status.code ?? 0;
  return { finishedAt: now, reason: exitCode === 0 ? 'Completed' : 'Error', exitCode };
}
