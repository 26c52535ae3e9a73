// What callers may do and who they are (`kubectl auth can-i`, `kubectl auth whoami`): questions that change nothing.
import { type Caller, type Right, roleHas, type Route, route, type RouteReply } from '../../base/route.ts';
import { decode } from '../objects/decode.ts';
import { anything, type Field, object, text } from '../objects/shape.ts';
import { badRequest } from './faults.ts';
import { type KubeRequest, readBody } from './request.ts';
import type { Resource } from './resource.ts';
import { resources } from './resources.ts';
import { statusBody } from './status.ts';

const READS = ['get', 'list', 'watch'];
const WRITES = ['create', 'update', 'patch', 'delete'];

const verbsOf = ({ collection }: Resource): readonly string[] => [
  ...READS,
  ...WRITES,
  ...(collection === false ? [] : ['deletecollection']),
];

/** The right that a verb on a resource or one of its subresources needs; undefined for what is not served. */
function rightFor(resource: Resource, verb: string, subresource: string): Right | undefined {
  if (subresource === '') {
    if (READS.includes(verb)) return 'read';
    return verbsOf(resource).includes(verb) ? resource.write : undefined;
  }
  if (subresource === 'status' && resource.status !== undefined) {
    if (verb === 'get') return 'read';
    return verb === 'update' || verb === 'patch' ? resource.status : undefined;
  }
  return subresource === 'log' && resource.kind === 'Pod' && verb === 'get' ? 'logs' : undefined;
}

interface Attributes {
  readonly verb?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
}

interface Answer {
  readonly allowed: boolean;
  readonly reason: string;
}

/** `*` asks for everything: an admin of what there is may do it all. */
function canDo({ role }: Caller, { verb = '', group = '', resource = '', subresource = '' }: Attributes): Answer {
  if (role === 'admin' && [verb, resource].includes('*'))
    return { allowed: true, reason: 'the role admin may do everything' };
  const found = resources.find((one) => one.plural === resource && one.group === group);
  const right = found === undefined ? undefined : rightFor(found, verb, subresource);
  if (right === undefined) return { allowed: false, reason: 'there is no such verb or resource here' };
  const allowed = roleHas(role, right);
  return { allowed, reason: `the role ${role} has ${allowed ? '' : 'not '}the right ${right}` };
}

const attributes = object({
  namespace: text,
  verb: text,
  group: text,
  version: text,
  resource: text,
  subresource: text,
  name: text,
  fieldSelector: anything,
  labelSelector: anything,
});
const base = { apiVersion: text, kind: text, metadata: anything, status: anything };
const ACCESS: Readonly<Record<string, Field>> = {
  ...base,
  spec: object({ resourceAttributes: attributes, nonResourceAttributes: object({ path: text, verb: text }) }),
};
const RULES: Readonly<Record<string, Field>> = { ...base, spec: object({ namespace: text }) };

interface Review {
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly answer: (caller: Caller, spec: Readonly<Record<string, unknown>>) => object;
}

const REVIEWS: readonly Review[] = [
  {
    kind: 'SelfSubjectAccessReview',
    group: 'authorization.k8s.io',
    plural: 'selfsubjectaccessreviews',
    fields: ACCESS,
    answer(caller, { resourceAttributes, nonResourceAttributes }) {
      if (resourceAttributes !== undefined) return canDo(caller, resourceAttributes as Attributes);
      if (nonResourceAttributes === undefined) {
        throw badRequest(
          'spec.resourceAttributes: exactly one of nonResourceAttributes or resourceAttributes is required',
        );
      }
      const { verb } = nonResourceAttributes as { readonly verb?: string };
      const allowed = verb === 'get' || caller.role === 'admin';
      return { allowed, reason: `the role ${caller.role}` };
    },
  },
  {
    kind: 'SelfSubjectRulesReview',
    group: 'authorization.k8s.io',
    plural: 'selfsubjectrulesreviews',
    fields: RULES,
    answer: (caller) => ({
      incomplete: false,
      nonResourceRules: [
        { verbs: ['get'], nonResourceURLs: ['/version', '/api', '/apis', '/openapi/*', '/livez', '/readyz'] },
      ],
      resourceRules: resources.flatMap((one) => rulesOf(one, caller)),
    }),
  },
  {
    kind: 'SelfSubjectReview',
    group: 'authentication.k8s.io',
    plural: 'selfsubjectreviews',
    fields: base,
    answer: ({ name, role }) => ({ userInfo: { username: name, groups: [`jdos:${role}`] } }),
  },
];

function rulesOf(resource: Resource, { role }: Caller): readonly object[] {
  const { group, plural } = resource;
  return ['', 'status', 'log'].flatMap((part) => {
    const verbs = verbsOf(resource).filter((verb) => {
      const right = rightFor(resource, verb, part);
      return right !== undefined && roleHas(role, right);
    });
    return verbs.length === 0
      ? []
      : [{ verbs, apiGroups: [group], resources: [part === '' ? plural : `${plural}/${part}`] }];
  });
}

function review({ kind, group, fields, answer }: Review, request: KubeRequest): RouteReply {
  const { errors, unknown, value } = decode(fields, readBody(request).value ?? {});
  const wrong = [...errors, ...unknown].map((one) => one.text);
  if (wrong.length > 0) throw badRequest(`${kind}: ${wrong.slice(0, 20).join(', ')}`);
  const spec = (value['spec'] ?? {}) as Readonly<Record<string, unknown>>;
  const body = { kind, apiVersion: `${group}/v1`, metadata: {}, spec, status: answer(request.caller, spec) };
  return { status: 201, type: 'application/json', body };
}

/** Groups of the API beside the core group, for discovery. */
export const reviewGroups: readonly string[] = [...new Set(REVIEWS.map(({ group }) => group))];

/** What discovery says of the reviews of a group. */
export const reviewResources = (wanted: string): readonly object[] =>
  REVIEWS.filter(({ group }) => group === wanted).map(({ kind, plural }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ['create'],
  }));

export const reviewRoutes = (): readonly Route[] =>
  REVIEWS.map((one) =>
    route({
      method: 'POST',
      path: `/apis/${one.group}/v1/${one.plural}`,
      right: 'read',
      summary: `Answer a ${one.kind}: what the caller may do, or who the caller is`,
      body: 'raw',
      bodyLimit: 64 * 1024,
      problem: statusBody,
      audited: false,
      handler: (request) => review(one, request as unknown as KubeRequest),
    }),
  );
