// Measured values as people read them: the unit always stands beside the number.
import { formatBytes, formatRatio, formatSeconds } from '../base/units.ts';
import type { Locale, Unit } from '../inspector/index.ts';

/** `91 %`, `1.5 GiB`, `−12 d`, `1,204`; the minus is U+2212, so that it stands in line with the digits. */
export function formatValue(value: number, unit: Unit, locale: Locale): string {
  const sign = value < 0 ? '−' : '';
  const size = Math.abs(value);
  switch (unit) {
    case 'ratio':
      return sign + formatRatio(size);
    case 'bytes':
      return sign + formatBytes(size);
    case 'seconds':
      return sign + formatSeconds(size);
    case 'load':
      return sign + size.toFixed(2);
    case 'count':
    case 'none':
      return sign + formatCount(size, locale);
  }
}

/** `9,960`. */
export const formatCount = (value: number, locale: Locale): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);

/** `(−5)` without the brackets: `−5`, `+3`, `±0`. */
export const formatDelta = (delta: number): string =>
  delta === 0 ? '±0' : delta < 0 ? `−${Math.abs(delta)}` : `+${delta}`;

/** A share as a percentage that never rounds up to 100 %: `98.85 %`, `100 %`. */
export function formatShare(part: number, whole: number): string {
  const percent = Math.floor((part / whole) * 10_000 + 1e-9) / 100;
  return `${percent} %`;
}

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Scores from 0 to 100 as block characters, one each. */
export const sparkline = (scores: readonly number[]): string =>
  scores.map((score) => BLOCKS[Math.max(0, Math.min(7, Math.floor((score / 100) * 7.999)))] ?? '▁').join('');
