// A bound on the length of label values: what a process or an image is called can have thousands of characters.
import { createHash } from 'node:crypto';

/** Characters of a label value unless configured (`probes.maxLabelLength`), in UTF-16 units. */
export const LONGEST_LABEL = 512;
const MARK = '…';
const DIGEST = 8;

/** How many of the values are longer than allowed. */
export function countLong(values: readonly (string | undefined)[], longest: number): number {
  let count = 0;
  for (const value of values) if (value !== undefined && value.length > longest) count += 1;
  return count;
}

/** The values, those that are too long cut. */
export const boundLabels = (
  values: readonly (string | undefined)[],
  longest: number,
): readonly (string | undefined)[] =>
  values.map((value) => (value === undefined ? undefined : boundLabel(value, longest)));

/**
 * A value of at most `longest` characters: a longer one ends in `…` and eight hexadecimal digits of its SHA-256, so that
 * values that differ behind the cut stay different series.
 */
export function boundLabel(value: string, longest: number): string {
  if (value.length <= longest) return value;
  const digest = createHash('sha256').update(value).digest('hex').slice(0, DIGEST);
  const head = value.slice(0, longest - MARK.length - DIGEST);
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}${MARK}${digest}`;
}
