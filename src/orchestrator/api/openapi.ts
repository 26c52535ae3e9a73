// OpenAPI v3, as much as kubectl reads of it: that a kind can be patched with `fieldValidation`, so that it leaves validation to
// us, and the fields of the kinds, for explaining and merging them.
import { route, type Route } from '../../base/route.ts';
import type { Resource } from './resource.ts';
import { resources } from './resources.ts';
import { schemaName, schemaOf } from './schemas.ts';
import { statusBody } from './status.ts';

const parameter = (name: string): object => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });

function paths(one: Resource, version: string): Readonly<Record<string, object>> {
  const { group, kind, plural, namespaced } = one;
  const path = `/api/v1/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`;
  const gvk = { group, version: one.version, kind };
  const content = Object.fromEntries(
    ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'].map(
      (type) => [type, { schema: { type: 'object' } }],
    ),
  );
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map(parameter);
  return {
    [path]: {
      patch: {
        tags: [`core_${version}`],
        description: `partially update the specified ${kind}`,
        operationId: `patchCoreV1${namespaced ? 'Namespaced' : ''}${kind}`,
        parameters,
        requestBody: { content },
        responses: { 200: { description: 'OK' } },
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': gvk,
      },
    },
  };
}

export function openApiRoutes(version: string): readonly Route[] {
  const index = { paths: { 'api/v1': { serverRelativeURL: `/openapi/v3/api/v1?hash=${version}` } } };
  const document = {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: Object.assign({}, ...resources.map((one) => paths(one, one.version))) as object,
    components: { schemas: Object.fromEntries(resources.map((one) => [schemaName(one), schemaOf(one)])) },
  };
  const get = (path: string, summary: string, body: object): Route =>
    route({
      method: 'GET',
      path,
      right: 'read',
      summary,
      problem: statusBody,
      handler: () => ({ type: 'application/json', body }),
    });
  return [
    get('/openapi/v3', 'OpenAPI documents of the Kubernetes API', index),
    get('/openapi/v3/api/v1', 'OpenAPI document of the core group', document),
  ];
}
