// Time as the probes need it: handed in, so that tests run it by hand.

export interface Clock {
  /** Unix milliseconds; jumps when the clock is set. */
  now(): number;
  /** Milliseconds on a clock that never jumps; for intervals and deadlines. */
  uptime(): number;
  /** CPU seconds that this process has used, all its threads together. */
  cpuSeconds(): number;
  /** Calls back once after `ms` milliseconds. Returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  uptime: () => performance.now(),
  cpuSeconds() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
