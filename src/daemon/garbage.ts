// Has V8 go through the whole heap seldom: while nothing happens, its memory reducer was a third of what the daemon cost.
import { setFlagsFromString } from 'node:v8';

/** By then every heap was gone through once, so that what the start left is given back. */
const AFTER_MS = 300_000;
/** Usually it is 8 s. What a burst leaves is given back later by so much. */
const EVERY_MS = 600_000;
/** The first Node whose V8 is known to have the flag. */
const SINCE_NODE = 26;

export function collectSeldom(): void {
  if (Number(process.versions.node.split('.')[0]) < SINCE_NODE) return;
  setTimeout(() => setFlagsFromString(`--memory-reducer-delay-ms=${EVERY_MS}`), AFTER_MS).unref();
}
