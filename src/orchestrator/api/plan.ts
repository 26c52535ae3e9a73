// POST /jdos/v1/plan: what would happen to these manifests, and which of them would be refused and why. Nothing is changed.
import { Fault } from '../../base/fault.ts';
import { type Caller, type Route, route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import type { AnyObject } from '../objects/meta.ts';
import type { AgentCalls } from './agent-calls.ts';
import type { ApiContext } from './context.ts';
import { namespaceOfManifest, prepareNew } from './create.ts';
import { decodeObject } from './decode-body.ts';
import { badRequest, KubeFault } from './faults.ts';
import { isTrap } from './request.ts';
import { apiVersionOf, type Resource } from './resource.ts';
import { resources } from './resources.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

const DEADLINE_MS = 20_000;
const MAX_MANIFESTS = 1000;
/** Of one manifest. */
const MAX_WARNINGS = 100;

const Refusal = z.object({ field: z.string().optional(), message: z.string() });
const PlanAnswer = z.object({
  steps: z.array(z.object({ kind: z.string(), target: z.string(), because: z.string() })),
  text: z.string(),
  refused: z.array(z.object({ object: z.string(), message: z.string(), causes: z.array(Refusal) })),
  warnings: z.array(z.object({ object: z.string(), message: z.string() })),
});
type PlanAnswer = z.output<typeof PlanAnswer>;

/** Manifests of a body: YAML documents, JSON objects, and the items of lists. Throws 400. */
function manifests(body: Buffer): readonly unknown[] {
  let documents: readonly YamlDocument[];
  try {
    documents = parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw badRequest(`the manifests cannot be read: ${(error as Error).message.slice(0, 300)}`);
  }
  const values = documents.map(({ value }) => value);
  if (isTrap(values)) throw badRequest('the manifests nest too deep, or set __proto__');
  const repeated = documents.flatMap((one) => one.repeated);
  if (repeated.length > 0) throw badRequest(`keys stand twice in the manifests: ${repeated.slice(0, 20).join(', ')}`);
  const all = values.flatMap((one) => {
    const { kind, items } = (one ?? {}) as { kind?: unknown; items?: unknown };
    return kind === 'List' && Array.isArray(items) ? (items as unknown[]) : one === null ? [] : [one];
  });
  if (all.length > MAX_MANIFESTS) throw badRequest(`more than ${MAX_MANIFESTS} manifests at once`);
  return all;
}

interface Named {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown };
}

const nameOf = (raw: unknown, index: number): string => {
  const { kind, metadata } = (raw ?? {}) as Named;
  const name = metadata?.name;
  return typeof kind === 'string' && typeof name === 'string' ? `${kind}/${name}` : `manifest ${index + 1}`;
};

function resourceOf(raw: unknown): Resource {
  const { apiVersion, kind } = (raw ?? {}) as Named;
  const found = resources.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
  if (found !== undefined) return found;
  const known = resources.map((one) => one.kind).join(', ');
  throw badRequest(
    `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}; there are ${known}`,
  );
}

/** Decodes, defaults, validates and admits one manifest, as its creation would. */
function examine(
  context: ApiContext,
  raw: unknown,
  caller: Caller,
): { object: AnyObject; warnings: readonly string[] } {
  const resource = resourceOf(raw);
  const { object, warnings } = decodeObject(resource, { value: raw, repeated: [] }, 'Strict');
  const namespace = namespaceOfManifest(resource, object);
  const prepared = prepareNew(context, resource, object, namespace, caller);
  return { object: prepared, warnings: [...warnings, ...(resource.warnings?.(prepared) ?? [])] };
}

export const planRoute = (context: ApiContext, calls: AgentCalls): Route =>
  route({
    method: 'POST',
    path: '/jdos/v1/plan',
    right: 'read',
    summary: 'What would be done for these manifests (YAML or JSON), and what would be refused',
    body: 'raw',
    reply: PlanAnswer,
    // It changes nothing.
    audited: false,
    async handler({ body, caller }) {
      const refused: PlanAnswer['refused'] = [];
      const warnings: PlanAnswer['warnings'] = [];
      const pods: object[] = [];
      for (const [i, raw] of manifests(body).entries()) {
        const name = nameOf(raw, i);
        try {
          const { object, warnings: said } = examine(context, raw, caller);
          for (const message of said.slice(0, MAX_WARNINGS)) warnings.push({ object: name, message });
          const { uid: _, resourceVersion: __, ...metadata } = object.metadata;
          if (object.kind === 'Pod') pods.push({ ...object, metadata });
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          const causes = error instanceof KubeFault ? error.causes : [];
          refused.push({
            object: name,
            message: error.message,
            causes: causes.map(({ field, message }) => ({ field, message })),
          });
        }
      }
      const plan = pods.length === 0 ? { steps: [], text: '' } : await calls.plan({ pods }, DEADLINE_MS);
      return { body: { ...plan, refused, warnings } satisfies PlanAnswer };
    },
  });
