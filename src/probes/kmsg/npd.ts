// Rules of node-problem-detector as ours: the same reasons and conditions, but exact counts, and conditions that end.
import type { NpdRule } from './config.ts';
import { crossesLines, literalsOf } from './literals.ts';
import type { EventRule } from './rule.ts';

/** `bufferSize` in the files that come with it. */
const BUFFER_LINES = 10;
/** There a condition lasts until the detector is started again. */
const DAY_SECONDS = 86_400;

/**
 * It matches a pattern against its last lines, joined, and demands that the match ends where they end: `\z` is put behind the
 * pattern, behind the last of its alternatives alone as there. A pattern that cannot match a line feed is matched against the
 * last line, which is the same.
 */
export function importRule({ type, condition, reason, pattern }: NpdRule): EventRule {
  return {
    reason,
    npd: true,
    literals: literalsOf(pattern) ?? [],
    patterns: [`${pattern}\\z`],
    ...(crossesLines(pattern) ? { lines: BUFFER_LINES } : {}),
    ...(type === 'permanent' && condition !== undefined
      ? { raises: { type: condition, ttlSeconds: DAY_SECONDS } }
      : {}),
  };
}
