// A line of points as text: eighths of a block from its smallest to its largest value, gaps as gaps.

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const GAP = ' ';

/** One character for each value; undefined is a gap. What does not move is a low line. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const there = values.filter((value) => value !== undefined);
  const [low, high] = [Math.min(...there), Math.max(...there)];
  return values
    .map((value) => {
      if (value === undefined) return GAP;
      const share = high > low ? (value - low) / (high - low) : 0;
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(share * BLOCKS.length))] ?? GAP;
    })
    .join('');
}
