// Large buffers used again: megabytes made anew for every message have V8 collect its whole heap for them.

export interface SpareBuffer {
  /** A buffer of this length with whatever in it. */
  take(length: number): Buffer;
  /** Gives it back, when nothing refers to it any more. One that is never given back is garbage like any other. */
  giveBack(buffer: Buffer): void;
}

/** Below this many bytes a new buffer is cheap. */
const LARGE = 64 * 1024;
/** What comes next is a little longer than what came before. */
const SLACK = 1.125;

/** Keeps one buffer, the largest that was given back. */
export function openSpareBuffer(): SpareBuffer {
  let spare: ArrayBuffer | undefined;
  return {
    take(length) {
      if (length < LARGE) return Buffer.allocUnsafe(length);
      const memory =
        spare !== undefined && spare.byteLength >= length ? spare : new ArrayBuffer(Math.ceil(length * SLACK));
      spare = undefined;
      return Buffer.from(memory, 0, length);
    },
    giveBack({ buffer, byteLength }) {
      if (byteLength < LARGE || !(buffer instanceof ArrayBuffer)) return;
      if (spare === undefined || spare.byteLength < buffer.byteLength) spare = buffer;
    },
  };
}
