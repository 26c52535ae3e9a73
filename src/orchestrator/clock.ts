// Time for the node agent: back-off and deadlines by a clock that nobody sets, the wall clock for what people read.

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Unix milliseconds. */
  wall(): number;
  /** Calls back after a while; does not keep the process alive. */
  after(ms: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), 2 ** 31 - 1));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
