// The fields of a Namespace.
import { conditionsShape, typeShape } from './meta-shape.ts';
import { type Field, object, set, text } from './shape.ts';

export const namespaceShape: Readonly<Record<string, Field>> = {
  ...typeShape,
  spec: object({ finalizers: set(text) }),
  status: object({ phase: text, conditions: conditionsShape }),
};
