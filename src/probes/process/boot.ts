// What is the same for all processes of a boot: its id, its time, its clock, and the units of the kernel's numbers.
import { endianness } from 'node:os';
import type { HostFiles } from '../host-files.ts';
import { labelled } from './bytes.ts';

export interface KernelUnits {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

const AT_PAGESZ = 6n; // include/uapi/linux/auxvec.h
const AT_CLKTCK = 17n;
/** What every x86-64 kernel says, for when the vector cannot be read. */
export const USUAL_UNITS: KernelUnits = { pageBytes: 4096, ticksPerSecond: 100 };

/** The page size and USER_HZ out of an auxiliary vector (getauxval(3)) of 64-bit words. */
export function parseAuxv(bytes: Buffer, order: 'BE' | 'LE' = endianness()): KernelUnits {
  const word = (at: number): bigint => (order === 'LE' ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  let { pageBytes, ticksPerSecond } = USUAL_UNITS;
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const value = Number(word(at + 8));
    if (value === 0 || value > 2 ** 30) continue;
    if (word(at) === AT_PAGESZ) pageBytes = value;
    if (word(at) === AT_CLKTCK) ticksPerSecond = value;
  }
  return { pageBytes, ticksPerSecond };
}

/** The units of the running kernel, asked from our own process: that file needs no right and no fork. */
export function readUnits(host: HostFiles): KernelUnits {
  try {
    return parseAuxv(host.bytes('/proc/self/auxv'));
  } catch {
    return USUAL_UNITS;
  }
}

const BTIME = Buffer.from('\nbtime');

/** Unix seconds at boot out of `/proc/stat`. Throws when it is not there. */
export function readBootTime(host: HostFiles): number {
  const btime = labelled(host.bytes('/proc/stat', 16 * 1024 * 1024), BTIME);
  if (btime === undefined) throw new Error('/proc/stat has no btime');
  return btime;
}

/** Seconds since boot, of the clock in which the kernel tells when a process started. Throws when unreadable. */
export function readUptime(host: HostFiles): number {
  const seconds = Number.parseFloat(host.text('/proc/uptime'));
  if (!Number.isFinite(seconds) || seconds < 0) throw new Error('/proc/uptime has no number');
  return seconds;
}

/** The id of this boot, or undefined where the kernel does not say. */
export function readBootId(host: HostFiles): string | undefined {
  try {
    const id = host.text('/proc/sys/kernel/random/boot_id').trim();
    return /^[0-9a-f-]{36}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether `st_size` of `/proc/PID/fd` is the number of open fds (Linux 6.2 and later), tried on our own process.
 * Listing the directory opens one fd more, and another thread may open or close one meanwhile.
 */
export function sizeCountsFds(host: HostFiles): boolean {
  try {
    const size = host.size('/proc/self/fd');
    return size > 0 && Math.abs(host.list('/proc/self/fd').length - size) <= 2;
  } catch {
    return false;
  }
}
