// What is wrong with an object, field by field, in Kubernetes' words (apimachinery/pkg/util/validation/field/errors.go).

/** One entry of `details.causes` of a Status. */
export interface Cause {
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong';
  readonly field: string;
  /** Without the field. */
  readonly message: string;
}

const MAX_SHOWN = 200;
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 3)}...`;
};

export const required = (field: string, detail = ''): Cause => ({
  reason: 'FieldValueRequired',
  field,
  message: `Required value${detail === '' ? '' : `: ${detail}`}`,
});
export const invalid = (field: string, value: unknown, detail: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${shown(value)}: ${detail}`,
});
const notSupported = (field: string, value: unknown, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}`,
});
export const duplicate = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${shown(value)}`,
});
export const forbidden = (field: string, detail: string): Cause => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${detail}`,
});

export const missing = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueNotFound',
  field,
  message: `Not found: ${shown(value)}`,
});

/** Checks that a number, where it is there, lies within bounds. */
export const between = (field: string, value: number | undefined, least: number, most: number): readonly Cause[] =>
  value === undefined || (value >= least && value <= most)
    ? []
    : [invalid(field, value, `must be between ${least} and ${most}, inclusive`)];

/** Checks a text, where it is there, by one of the rules of names.ts. */
export const checked = (
  field: string,
  value: string | undefined,
  rule: (text: string) => string | undefined,
): readonly Cause[] => {
  const wrong = value === undefined ? undefined : rule(value);
  return wrong === undefined ? [] : [invalid(field, value, wrong)];
};

/** Checks that a text, where it is there, is one of some. */
export const oneOf = (field: string, value: string | undefined, supported: readonly string[]): readonly Cause[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

/** `spec.containers[0].image: Required value`. */
export const causeText = ({ field, message }: Cause): string => (field === '' ? message : `${field}: ${message}`);
