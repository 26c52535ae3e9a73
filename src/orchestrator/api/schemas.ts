// The kinds as OpenAPI schemas, for `kubectl explain` and for the merge keys of `kubectl apply`.
import type { Field, Shape } from '../objects/shape.ts';
import type { Resource } from './resource.ts';

type Schema = Readonly<Record<string, unknown>>;

const PLAIN: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  integer: { type: 'integer', format: 'int64' },
  quantity: { type: 'string' },
  time: { type: 'string', format: 'date-time' },
  integerOrString: { type: 'string', format: 'int-or-string' },
  any: { type: 'object' },
};

function ofShape(shape: Shape): Schema {
  switch (shape.type) {
    case 'object':
      return { type: 'object', properties: properties(shape.fields) };
    case 'map':
      return { type: 'object', additionalProperties: ofShape(shape.of) };
    case 'list':
      return { type: 'array', items: ofShape(shape.of), ...merging(shape) };
    default:
      return PLAIN[shape.type] ?? {};
  }
}

/** How clients merge a list: with the keys by which the server does it too. */
function merging({ of, mergeKey, set }: Extract<Shape, { type: 'list' }>): Schema {
  if (mergeKey === undefined) return set === true ? { 'x-kubernetes-patch-strategy': 'merge' } : {};
  const retains = of.type === 'object' && of.retainKeys === true;
  return {
    'x-kubernetes-patch-strategy': retains ? 'merge,retainKeys' : 'merge',
    'x-kubernetes-patch-merge-key': mergeKey,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': [mergeKey],
  };
}

/** What this version does with a field, where it is not simply what Kubernetes does. */
const description = ({ refused, effect }: Field): string | undefined => {
  if (refused !== undefined) return `Refused: ${refused}.`;
  return effect === undefined ? undefined : `Accepted and kept; it ${effect}.`;
};

function properties(fields: Readonly<Record<string, Field>>): Schema {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, { dropped }]) => dropped !== true)
      .map(([name, field]) => {
        const told = description(field);
        return [name, { ...(told === undefined ? {} : { description: told }), ...ofShape(field.shape) }];
      }),
  );
}

/** Where the schema of a kind stands under `components.schemas`. */
export const schemaName = ({ version, kind }: Resource): string => `io.k8s.api.core.${version}.${kind}`;

export const schemaOf = ({ group, version, kind, description: about, fields }: Resource): Schema => ({
  description: about,
  type: 'object',
  properties: properties(fields),
  'x-kubernetes-group-version-kind': [{ group, version, kind }],
});
