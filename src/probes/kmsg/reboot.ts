// Why the host was booted last, as far as something tells: what the kernel left in persistent storage, the watchdog's card, and the
// log of the boot before.
import type { Metric } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';
import { meaningOf, type LastWord } from './last-words.ts';

const PSTORE = '/sys/fs/pstore';
const WATCHDOGS = '/sys/class/watchdog';
/** WDIOF_CARDRESET (include/uapi/linux/watchdog.h): the watchdog has reset the machine. */
const CARD_RESET = 0x20;
const MOST_FILES = 200;
/** A record of the end before this boot is not much older than the boot; one of long ago was never cleared away. */
const RECENT_MS = 3_600_000;

export const REBOOT: Metric = {
  name: 'jdos_last_reboot_info',
  help: 'Why the host was booted last, where something tells. A panic that was dumped and a reset by the watchdog are certain; by the log it is what the kernel told of in the ten minutes before. The value is 1.',
  type: 'gauge',
  source: '/sys/fs/pstore, /sys/class/watchdog/*/bootstatus, events of the boot before',
  labels: ['reason', 'source'],
};

export interface Reboot {
  readonly reason: string;
  readonly source: 'pstore' | 'watchdog' | 'log';
}

/**
 * `bootedAt` in Unix milliseconds, `before` what was kept of the boot before. Undefined where nothing tells, which is so for every
 * orderly reboot.
 */
export function lastReboot(host: HostFiles, bootedAt: number, before: readonly LastWord[]): Reboot | undefined {
  if (panicked(host, bootedAt)) return { reason: 'panic', source: 'pstore' };
  if (watchdogReset(host)) return { reason: 'watchdog', source: 'watchdog' };
  const reason = meaningOf(before, bootedAt);
  return reason === undefined ? undefined : { reason, source: 'log' };
}

/** The first line of a dump says why it was made (fs/pstore/platform.c): `Panic#1 Part1`. */
export const isPanic = (dump: string): boolean => /^(?:={4}\S+\s+)?Panic#\d+ Part\d+/.test(dump);

function panicked(host: HostFiles, bootedAt: number): boolean {
  return names(host, PSTORE)
    .filter((name) => name.startsWith('dmesg-'))
    .slice(0, MOST_FILES)
    .some((name) => {
      try {
        const path = `${PSTORE}/${name}`;
        const age = bootedAt - host.modifiedAt(path);
        return age > -RECENT_MS && age < RECENT_MS && isPanic(host.text(path));
      } catch {
        return false; // compressed, larger than any dump, or cleared away just now
      }
    });
}

function watchdogReset(host: HostFiles): boolean {
  return names(host, WATCHDOGS).some((name) => {
    try {
      const status = unsigned(host.text(`${WATCHDOGS}/${name}/bootstatus`).trim());
      return status !== undefined && (status & CARD_RESET) !== 0;
    } catch {
      return false;
    }
  });
}

function names(host: HostFiles, directory: string): readonly string[] {
  try {
    return host.list(directory);
  } catch {
    return [];
  }
}
