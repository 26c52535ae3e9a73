// /dev/kmsg itself: opened without blocking, one record a read, overruns passed over (Documentation/ABI/testing/dev-kmsg).
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Fault, faultKind, systemCode } from '../../base/fault.ts';
import { readFailure } from '../host-files.ts';

const NOT_THE_LOG = faultKind(
  'JD_NOT_THE_KERNEL_LOG',
  500,
  'put the character device 1:11 back at /dev/kmsg (mknod /dev/kmsg c 1 11), or leave the collector out with probes.disable',
);

const KMSG = '/dev/kmsg';
/** Character device 1:11 (Documentation/admin-guide/devices.txt). */
const KMSG_DEVICE = (1 << 8) | 11;
/** A record has at most 8 KiB (CONSOLE_EXT_LOG_MAX); what is smaller is refused with EINVAL. */
const RECORD_BYTES = 16 * 1024;

/** Why the log cannot be read where that is the host's way. */
export type Unread = 'absent' | 'permission' | 'other-root';

export interface KernelLog {
  /** Of the record read last. */
  readonly bytes: Buffer;
  /** Reads the next record; its length, or undefined when there is none yet. Never blocks. Throws the system error. */
  next(): number | undefined;
  close(): void;
}

/** Opens the log at its oldest record. Throws a Fault where something else is in its place. */
export function openKernelLog(path = KMSG): KernelLog | Unread {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const why = readFailure(error);
    if (why === 'failed') throw error;
    return why;
  }
  const { rdev } = fstatSync(fd);
  if (rdev !== KMSG_DEVICE) {
    closeSync(fd);
    throw new Fault(NOT_THE_LOG, `${path} is not the log of the kernel`);
  }
  const bytes = Buffer.alloc(RECORD_BYTES);
  return {
    bytes,
    next() {
      for (;;) {
        try {
          const length = readSync(fd, bytes, 0, bytes.length, null);
          return length === 0 ? undefined : length;
        } catch (error) {
          const code = systemCode(error);
          if (code === 'EAGAIN') return undefined;
          // Overwritten before it was read: the next read gives the oldest there is, and the gap is in the numbers.
          if (code !== 'EPIPE' && code !== 'EINTR') throw error;
        }
      }
    },
    close: () => closeSync(fd),
  };
}
