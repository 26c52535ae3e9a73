// Which of many literals are in a line, in one pass: what has none of them, nearly every line, costs nothing more.

interface Prefilter {
  /** The owners of the literals that are in these bytes. The list is valid until the next call. */
  scan(bytes: Uint8Array, from: number, to: number): readonly number[];
}

/** Of each literal four bytes are looked for; the rest is compared where they are found. */
const GRAM = 4;
export const LEAST_LITERAL = GRAM;
const SLOTS = 1 << 16;

interface Literal {
  readonly owner: number;
  readonly bytes: Uint8Array;
  /** Where in the literal its four bytes are. */
  readonly at: number;
}

const gramAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24) | 0;

const slotOf = (gram: number): number => (Math.imul(gram, 0x9e3779b1) >>> 16) & (SLOTS - 1);

/** `literals[i]` belong to the owner `i`. Throws for one that is too short. */
export function openPrefilter(literals: readonly (readonly string[])[]): Prefilter {
  const grams = new Map<number, Literal[]>();
  const slots = new Uint8Array(SLOTS);
  literals.forEach((texts, owner) => {
    for (const text of texts) {
      const bytes = Buffer.from(text);
      if (bytes.length < GRAM) throw new Error(`the literal ${JSON.stringify(text)} is shorter than ${GRAM} bytes`);
      const at = rarest(bytes, grams);
      const gram = gramAt(bytes, at);
      slots[slotOf(gram)] = 1;
      const same = grams.get(gram);
      if (same === undefined) grams.set(gram, [{ owner, bytes, at }]);
      else same.push({ owner, bytes, at });
    }
  });
  const seen = new Uint32Array(literals.length);
  const found: number[] = [];
  let round = 0;

  const visit = (bytes: Uint8Array, at: number, from: number, to: number): void => {
    for (const literal of grams.get(gramAt(bytes, at)) ?? []) {
      if (seen[literal.owner] === round || !isAt(bytes, literal, at - literal.at, from, to)) continue;
      seen[literal.owner] = round;
      found.push(literal.owner);
    }
  };
  return {
    scan(bytes, from, to) {
      found.length = 0;
      round = (round + 1) >>> 0;
      if (round === 0) {
        seen.fill(0);
        round = 1;
      }
      if (to - from < GRAM) return found;
      let gram = gramAt(bytes, from);
      for (let at = from; ; at += 1) {
        if (slots[slotOf(gram)] !== 0) visit(bytes, at, from, to);
        if (at + GRAM >= to) break;
        gram = (gram >>> 8) | ((bytes[at + GRAM] ?? 0) << 24) | 0;
      }
      if (found.length > 1) found.sort((a, b) => a - b);
      return found;
    },
  };
}

/** The place of the four bytes that the fewest other literals are looked for by. */
function rarest(bytes: Uint8Array, grams: ReadonlyMap<number, readonly Literal[]>): number {
  let best = 0;
  let least = Infinity;
  for (let at = 0; at + GRAM <= bytes.length && least > 0; at += 1) {
    const others = grams.get(gramAt(bytes, at))?.length ?? 0;
    if (others < least) [best, least] = [at, others];
  }
  return best;
}

function isAt(line: Uint8Array, { bytes }: Literal, start: number, from: number, to: number): boolean {
  if (start < from || start + bytes.length > to) return false;
  for (let i = 0; i < bytes.length; i += 1) if (line[start + i] !== bytes[i]) return false;
  return true;
}
