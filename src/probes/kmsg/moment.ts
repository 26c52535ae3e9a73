// When a record was written: its time since the boot, on the clock of the world.

export interface Moments {
  /** Takes note of the time now: what is read from here on was written before. */
  begin(now: Now): void;
  /** Everything there was is read: what comes next is written later. */
  drained(): void;
  /** Unix milliseconds of a time since the boot. */
  at(usec: number): number;
  /** What a record that is written now has, in microseconds since the boot. */
  usec(): number;
}

interface Now {
  /** Unix milliseconds. */
  readonly unix: number;
  /** CLOCK_MONOTONIC in milliseconds. */
  readonly monotonic: number;
}

/**
 * The kernel's time stamps are of a clock that is never set right (local_clock()) and that stands still while the host is
 * suspended. A record that is read as it comes was written between two looks, whatever that clock says.
 */
export function openMoments(): Moments {
  let now: Now = { unix: 0, monotonic: 0 };
  let readUntil: number | undefined;
  return {
    begin(time) {
      // Set back: what is known of the order is no longer a time.
      if (readUntil !== undefined && time.unix < readUntil) readUntil = undefined;
      now = time;
    },
    drained: () => void (readUntil = now.unix),
    at(usec) {
      const at = Math.round(now.unix - now.monotonic + usec / 1000);
      return Math.max(readUntil ?? 0, Math.min(at, now.unix), 0);
    },
    usec: () => now.monotonic * 1000,
  };
}
