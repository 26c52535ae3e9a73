// Counts failed logins per remote address, so that guessing floods neither the audit nor the log.
import { isIPv6 } from 'node:net';

const FAILURES = 10;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

export interface LoginLimit {
  /** Notes a failed login. Seconds to wait when there were too many, else undefined. */
  failed(address: string): number | undefined;
}

/** Ten failures a minute per IPv4 address or IPv6 /64; the oldest of more than 10,000 addresses is forgotten. */
export function loginLimit(now: () => number): LoginLimit {
  const windows = new Map<string, { readonly until: number; failures: number }>();
  return {
    failed(address) {
      const key = isIPv6(address) && !address.includes('.') ? prefix64(address) : address;
      const at = now();
      let window = windows.get(key);
      if (window === undefined || window.until <= at) {
        windows.delete(key);
        window = { until: at + WINDOW_MS, failures: 0 };
        windows.set(key, window);
        const oldest = windows.keys().next().value;
        if (windows.size > MAX_ADDRESSES && oldest !== undefined) windows.delete(oldest);
      }
      window.failures += 1;
      return window.failures > FAILURES ? Math.ceil((window.until - at) / 1000) : undefined;
    },
  };
}

/** The first four groups of an IPv6 address. */
function prefix64(address: string): string {
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array<string>(zeros).fill('0'), ...back].slice(0, 4).join(':');
}
