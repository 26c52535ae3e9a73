// docs/pod-fields.md is what the shape of a pod says about each field.
import t from 'tap';
import { format, resolveConfig } from 'prettier';
import { podShape } from '../../src/orchestrator/objects/pod-shape.ts';
import type { Field, Shape } from '../../src/orchestrator/objects/shape.ts';
import { golden } from '../support/golden.ts';

const FILE = '../../docs/pod-fields.md';

interface Row {
  readonly path: string;
  readonly says: string;
}

interface Found {
  readonly acted: string[];
  readonly kept: Row[];
  readonly refused: Row[];
}

function walk(fields: Readonly<Record<string, Field>>, at: string, found: Found): void {
  for (const [name, { shape, effect, refused }] of Object.entries(fields)) {
    const path = `${at}.${name}`;
    if (refused !== undefined) found.refused.push({ path, says: refused });
    else if (effect !== undefined) found.kept.push({ path, says: effect });
    else inside(shape, path, found);
  }
}

function inside(shape: Shape, path: string, found: Found): void {
  if (shape.type === 'object') walk(shape.fields, path, found);
  else if (shape.type === 'list' && shape.of.type === 'object') walk(shape.of.fields, `${path}[]`, found);
  else found.acted.push(path);
}

/** Fields that are told alike, on one line; init containers have those of containers. */
const table = (rows: readonly Row[]): string =>
  [...Map.groupBy(rows, ({ says }) => says.replace(/^\w+ volumes are/, 'these volumes are'))]
    .map(([says, of]) => `| ${of.map(({ path }) => `\`${path.replace(/^spec\./, '')}\``).join(', ')} | ${says} |`)
    .join('\n');

t.test('docs/pod-fields.md', async (t) => {
  const { spec } = podShape;
  if (spec?.shape.type !== 'object') throw new Error('a pod has a spec');
  const found: Found = { acted: [], kept: [], refused: [] };
  const { initContainers: _, ...fields } = spec.shape.fields;
  walk(fields, 'spec', found);
  t.ok(found.acted.length > 50 && found.kept.length > 20 && found.refused.length > 30);
  const text = `<!-- Made by test/docs/pod-fields.test.ts from the sources; UPDATE_GOLDEN=1 writes it anew. -->

# Fields of a pod

Every field of a pod's \`spec\` in Kubernetes, and what becomes of it here; \`initContainers\` are like \`containers\`. A field that is in no
table is unknown. \`kubectl explain pod.spec\` tells the same. See [kubernetes.md](kubernetes.md).

## Acted upon

As far as the runtime can, see [runtimes.md](runtimes.md); what it cannot do is an event of the pod, or keeps it from starting.

${found.acted.map((path) => `\`${path.replace(/^spec\./, '')}\``).join(', ')}

## Accepted and kept

An answer with a \`Warning\`, which \`kubectl\` prints, says so.

| field | |
| --- | --- |
${table(found.kept)}

## Refused

With status 422, and the field in \`details.causes\`.

| field | |
| --- | --- |
${table(found.refused)}
`;
  await golden(t, FILE, await format(text, { parser: 'markdown', ...(await resolveConfig('docs/pod-fields.md')) }));
});
