// How the fields of Kubernetes' kinds are described: type, merge key, and what this version does with them.

/** How a value is written; the fields of an object are all there are. */
export type Shape =
  | { readonly type: 'string' | 'boolean' | 'integer' | 'quantity' | 'time' | 'integerOrString' | 'any' }
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, Field>>; readonly retainKeys?: boolean }
  | { readonly type: 'list'; readonly of: Shape; readonly mergeKey?: string; readonly set?: boolean }
  | { readonly type: 'map'; readonly of: Shape };

/** A field: its shape, and what is said about it where this version does not act on it. */
export interface Field {
  readonly shape: Shape;
  /** It is accepted and kept, and a warning says what it (does not) do. */
  readonly effect?: string;
  /** The value that is no reason to warn: what Kubernetes itself fills in. */
  readonly usual?: unknown;
  /** It is refused with this reason. */
  readonly refused?: string;
  /** It belongs to the server: what a client sends is left out without a word. */
  readonly dropped?: boolean;
}

const of = (type: 'string' | 'boolean' | 'integer' | 'quantity' | 'time' | 'integerOrString' | 'any'): Field => ({
  shape: { type },
});
export const text: Field = of('string');
export const flag: Field = of('boolean');
export const integer: Field = of('integer');
export const quantity: Field = of('quantity');
export const time: Field = of('time');
export const integerOrText: Field = of('integerOrString');
export const anything: Field = of('any');

export const object = (fields: Readonly<Record<string, Field>>, options: { retainKeys?: boolean } = {}): Field => ({
  shape: { type: 'object', fields, ...options },
});
/** A list; with a merge key, patches find its items by that field. */
export const list = ({ shape }: Field, mergeKey?: string): Field => ({
  shape: { type: 'list', of: shape, ...(mergeKey === undefined ? {} : { mergeKey }) },
});
/** A list of plain values that patches add to. */
export const set = ({ shape }: Field): Field => ({ shape: { type: 'list', of: shape, set: true } });
export const map = ({ shape }: Field): Field => ({ shape: { type: 'map', of: shape } });

const NO_EFFECT = 'has no effect in this version';
export const withoutEffect = (field: Field, effect: string = NO_EFFECT, usual?: unknown): Field => ({
  ...field,
  effect,
  usual,
});
export const refused = (reason: string, field: Field = anything): Field => ({ ...field, refused: reason });
export const dropped = (field: Field = anything): Field => ({ ...field, dropped: true });
