// /proc/PID/status: owner, swapped memory and context switches of a process.
import { labelled } from './bytes.ts';

/** What JDOS uses of `/proc/PID/status` (proc_pid_status(5)). */
export interface Status {
  /** The real user. */
  readonly uid: number;
  /** Absent for what has no memory of its own: a zombie. */
  readonly swappedBytes: number | undefined;
  /** Of the main thread only: the kernel sums no context switches over the threads of a process. */
  readonly voluntary: number | undefined;
  readonly nonvoluntary: number | undefined;
}

// The kernel escapes a newline in `Name:`, so that no process can forge one of these lines.
const UID = Buffer.from('\nUid:');
const SWAP = Buffer.from('\nVmSwap:');
const VOLUNTARY = Buffer.from('\nvoluntary_ctxt_switches:');
const NONVOLUNTARY = Buffer.from('\nnonvoluntary_ctxt_switches:');

/** Parses the file. Undefined when it is not one. */
export function parseStatus(bytes: Buffer): Status | undefined {
  const uid = labelled(bytes, UID);
  if (uid === undefined) return undefined;
  const kilobytes = labelled(bytes, SWAP);
  return {
    uid,
    swappedBytes: kilobytes === undefined ? undefined : kilobytes * 1024,
    voluntary: labelled(bytes, VOLUNTARY),
    nonvoluntary: labelled(bytes, NONVOLUNTARY),
  };
}
