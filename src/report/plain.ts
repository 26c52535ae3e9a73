// Foreign text made fit for one line of a report: no control characters, no tricks with direction, no endless names.

const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** One line of at most `limit` code points; what is cut ends in `…`, control characters become a space. */
export function plain(text: string, limit: number): string {
  const line = text
    .slice(0, limit * 4)
    .replaceAll(UNSAFE, ' ')
    .trim();
  const chars = [...line];
  return chars.length <= limit ? line : `${chars.slice(0, limit - 1).join('')}…`;
}
