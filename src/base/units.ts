// Quantities with their unit in the type, and how people read them.

declare const unit: unique symbol;
type Unit<U extends string> = number & { readonly [unit]: U };
export type Bytes = Unit<'bytes'>;
export type Seconds = Unit<'seconds'>;

const nonNegative = <T extends number>(value: number, what: string): T => {
  if (Number.isFinite(value) && value >= 0) return value as T;
  throw new RangeError(`${what} must be a non-negative number, got ${value}`);
};
export const bytes = (value: number): Bytes => nonNegative(value, 'bytes');
export const seconds = (value: number): Seconds => nonNegative(value, 'seconds');

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.5 GiB`; three significant digits. */
export function formatBytes(value: number): string {
  let scaled = Math.abs(value);
  let step = 0;
  while (scaled >= 1024 && step < BINARY.length - 1) {
    scaled /= 1024;
    step += 1;
  }
  const digits = step === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${value < 0 ? '-' : ''}${scaled.toFixed(digits)} ${BINARY[step] ?? 'B'}`;
}

/** `850 ms`, `12 s`, `4 m 10 s`, `3 h 20 m`, `12 d 4 h`: the two largest units. */
export function formatSeconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} s`;
  const whole = Math.round(value);
  if (whole < 3600) return pair(whole, 60, 'm', 's');
  if (whole < 86_400) return pair(Math.round(whole / 60), 60, 'h', 'm');
  return pair(Math.round(whole / 3600), 24, 'd', 'h');
}

const pair = (value: number, per: number, large: string, small: string): string => {
  const rest = value % per;
  return rest === 0 ? `${Math.floor(value / per)} ${large}` : `${Math.floor(value / per)} ${large} ${rest} ${small}`;
};

/** `12.3 %` from the ratio 0.123. */
export const formatRatio = (value: number): string =>
  `${Number((value * 100).toFixed(value < 0.1 ? 1 : value < 1 ? 1 : 0))} %`;
