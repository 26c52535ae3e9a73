// Seeded randomness for fuzz tests: the seed is printed, and FUZZ_SEED repeats a run.

export const FUZZ_SEED = Number(process.env['FUZZ_SEED'] ?? 20261122);

/** mulberry32: a small generator of numbers in [0, 1). */
export function random(seed: number = FUZZ_SEED): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/** Flips, drops, repeats and inserts bytes of `input`, a few at a time. */
export function mutate(input: Buffer, next: () => number): Buffer {
  let bytes = Buffer.from(input);
  for (let rounds = 1 + Math.floor(next() * 6); rounds > 0; rounds -= 1) {
    const at = Math.floor(next() * (bytes.length + 1));
    const length = 1 + Math.floor(next() * 12);
    const kind = Math.floor(next() * 5);
    if (kind === 0 && at < bytes.length) bytes[at] = Math.floor(next() * 256);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - length))]);
    else if (kind === 3)
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([0x00, 0x0a, 0xff, 0x28, 0x29].slice(0, length)),
        bytes.subarray(at),
      ]);
    else bytes = Buffer.from(bytes.subarray(0, at));
  }
  return bytes;
}
