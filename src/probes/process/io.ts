// /proc/PID/io: bytes a process made the block devices read and write.
import { labelled } from './bytes.ts';

/** What JDOS uses of `/proc/PID/io` (proc_pid_io(5)): of all threads, those that ended too. */
export interface Io {
  readonly readBytes: number;
  readonly writeBytes: number;
}

const READ = Buffer.from('\nread_bytes:');
const WRITE = Buffer.from('\nwrite_bytes:');

/** Parses the file. Undefined when it is not one. */
export function parseIo(bytes: Buffer): Io | undefined {
  const readBytes = labelled(bytes, READ);
  const writeBytes = labelled(bytes, WRITE);
  return readBytes === undefined || writeBytes === undefined ? undefined : { readBytes, writeBytes };
}
