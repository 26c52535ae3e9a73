// Kubernetes' quantities (`100m`, `64Mi`, `1e3`), read exactly (apimachinery/pkg/api/resource/quantity.go).

const SUFFIXES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  n: [1n, 1_000_000_000n],
  u: [1n, 1_000_000n],
  m: [1n, 1000n],
  '': [1n, 1n],
  k: [1000n, 1n],
  M: [1000n ** 2n, 1n],
  G: [1000n ** 3n, 1n],
  T: [1000n ** 4n, 1n],
  P: [1000n ** 5n, 1n],
  E: [1000n ** 6n, 1n],
  Ki: [1024n, 1n],
  Mi: [1024n ** 2n, 1n],
  Gi: [1024n ** 3n, 1n],
  Ti: [1024n ** 4n, 1n],
  Pi: [1024n ** 5n, 1n],
  Ei: [1024n ** 6n, 1n],
};

/** What Kubernetes says of a text that is no quantity. */
export const QUANTITY_TEXT =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const MAX_LENGTH = 64;
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/** The quantity in units of 1/`per`, rounded up; undefined for what is no quantity. Beyond 2^53 it is the nearest number. */
function scaled(text: string, per: bigint): number | undefined {
  const match = text.length > MAX_LENGTH ? null : FORM.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const [times, over] = SUFFIXES[suffix] ?? [1n, 1n];
  const power = 10n ** BigInt(Math.abs(Number(exponent)));
  const above = BigInt(whole + fraction) * times * per * (exponent.startsWith('-') ? 1n : power);
  const below = over * 10n ** BigInt(fraction.length) * (exponent.startsWith('-') ? power : 1n);
  const size = Number((above + below - 1n) / below);
  return sign === '-' && size !== 0 ? -size : size;
}

/** Thousandths of a core: `0.5` and `500m` are 500. */
export const parseMillicores = (text: string): number | undefined => scaled(text, 1000n);

/** Bytes, or the plain number of anything else that is counted: `64Mi` is 67108864. */
export const parseBytes = (text: string): number | undefined => scaled(text, 1n);

/** Negative, zero or positive; undefined for what is no quantity. */
export const quantitySign = (text: string): -1 | 0 | 1 | undefined => {
  const value = scaled(text, 1_000_000_000n);
  return value === undefined ? undefined : (Math.sign(value) as -1 | 0 | 1);
};
