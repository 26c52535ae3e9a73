// Why the host was booted last, as far as something tells: what the kernel left in persistent storage, and the watchdog's card.
import type { HostFiles } from '../host-files.ts';
import { unsigned } from '../kernel/text.ts';

const PSTORE = '/sys/fs/pstore';
const WATCHDOGS = '/sys/class/watchdog';
/** WDIOF_CARDRESET (include/uapi/linux/watchdog.h): the watchdog has reset the machine. */
const CARD_RESET = 0x20;
const MOST_FILES = 200;
/** A record of the end before this boot is not much older than the boot; one of long ago was never cleared away. */
const RECENT_MS = 3_600_000;

export type RebootReason = 'panic' | 'watchdog';

/**
 * `bootedAt` in Unix milliseconds. Undefined where nothing tells, which is so for every orderly reboot, and where systemd-pstore
 * has moved the records away.
 */
export function lastReboot(host: HostFiles, bootedAt: number): RebootReason | undefined {
  if (panicked(host, bootedAt)) return 'panic';
  return watchdogReset(host) ? 'watchdog' : undefined;
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
