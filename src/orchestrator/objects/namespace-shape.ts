// The fields of a Namespace.
import { conditionsShape, typeShape } from './meta-shape.ts';
import { type Field, list, object, text } from './shape.ts';

export const namespaceShape: Readonly<Record<string, Field>> = {
  ...typeShape,
  spec: object({ finalizers: list(text) }),
  status: object({ phase: text, conditions: conditionsShape }),
};
