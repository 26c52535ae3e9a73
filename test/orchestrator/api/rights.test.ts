// Every route of the Kubernetes API with every role, against a table written here; and what a caller is told it may do.
import t from 'tap';
import { ROLES, type Role } from '../../../src/base/route.ts';
import { apiRoutes } from '../../../src/orchestrator/api/api.ts';
import type { ApiContext } from '../../../src/orchestrator/api/context.ts';
import { type Json, openBareApi, pod, PODS } from '../api-door.ts';

type Who = 'everyone' | 'operators' | 'admins';

/** Method and path, as they are served, and who may. Anything that is not here fails the test. */
const TABLE: Readonly<Record<string, Who>> = {
  'GET /version': 'everyone',
  'GET /api': 'everyone',
  'GET /apis': 'everyone',
  'GET /apis/authorization.k8s.io/v1': 'everyone',
  'GET /apis/authentication.k8s.io/v1': 'everyone',
  'GET /api/v1': 'everyone',
  'GET /openapi/v3': 'everyone',
  'GET /openapi/v3/api/v1': 'everyone',
  'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews': 'everyone',
  'POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews': 'everyone',
  'POST /apis/authentication.k8s.io/v1/selfsubjectreviews': 'everyone',
  'POST /jdos/v1/plan': 'everyone',
  'GET /api/v1/pods': 'everyone',
  'GET /api/v1/namespaces/:namespace/pods': 'everyone',
  'POST /api/v1/namespaces/:namespace/pods': 'operators',
  'DELETE /api/v1/namespaces/:namespace/pods': 'operators',
  'GET /api/v1/namespaces/:namespace/pods/:name': 'everyone',
  'PUT /api/v1/namespaces/:namespace/pods/:name': 'operators',
  'PATCH /api/v1/namespaces/:namespace/pods/:name': 'operators',
  'DELETE /api/v1/namespaces/:namespace/pods/:name': 'operators',
  'GET /api/v1/namespaces/:namespace/pods/:name/status': 'everyone',
  'PUT /api/v1/namespaces/:namespace/pods/:name/status': 'admins',
  'PATCH /api/v1/namespaces/:namespace/pods/:name/status': 'admins',
  'GET /api/v1/namespaces/:namespace/pods/:name/log': 'operators',
  'GET /api/v1/namespaces/:namespace/pods/:name/exec': 'admins',
  'POST /api/v1/namespaces/:namespace/pods/:name/exec': 'admins',
  'GET /api/v1/namespaces/:namespace/pods/:name/attach': 'admins',
  'POST /api/v1/namespaces/:namespace/pods/:name/attach': 'admins',
  'GET /api/v1/namespaces/:namespace/pods/:name/portforward': 'admins',
  'POST /api/v1/namespaces/:namespace/pods/:name/portforward': 'admins',
  'PUT /api/v1/namespaces/:namespace/pods/:name/ephemeralcontainers': 'admins',
  'PATCH /api/v1/namespaces/:namespace/pods/:name/ephemeralcontainers': 'admins',
  'PUT /api/v1/namespaces/:namespace/pods/:name/resize': 'admins',
  'PATCH /api/v1/namespaces/:namespace/pods/:name/resize': 'admins',
  'GET /api/v1/events': 'everyone',
  'GET /api/v1/namespaces/:namespace/events': 'everyone',
  'POST /api/v1/namespaces/:namespace/events': 'admins',
  'DELETE /api/v1/namespaces/:namespace/events': 'admins',
  'GET /api/v1/namespaces/:namespace/events/:name': 'everyone',
  'PUT /api/v1/namespaces/:namespace/events/:name': 'admins',
  'PATCH /api/v1/namespaces/:namespace/events/:name': 'admins',
  'DELETE /api/v1/namespaces/:namespace/events/:name': 'admins',
  'GET /api/v1/nodes': 'everyone',
  'POST /api/v1/nodes': 'admins',
  'DELETE /api/v1/nodes': 'admins',
  'GET /api/v1/nodes/:name': 'everyone',
  'PUT /api/v1/nodes/:name': 'admins',
  'PATCH /api/v1/nodes/:name': 'admins',
  'DELETE /api/v1/nodes/:name': 'admins',
  'GET /api/v1/nodes/:name/status': 'everyone',
  'PUT /api/v1/nodes/:name/status': 'admins',
  'PATCH /api/v1/nodes/:name/status': 'admins',
  'GET /api/v1/namespaces': 'everyone',
  'POST /api/v1/namespaces': 'admins',
  'GET /api/v1/namespaces/:name': 'everyone',
  'PUT /api/v1/namespaces/:name': 'admins',
  'PATCH /api/v1/namespaces/:name': 'admins',
  'DELETE /api/v1/namespaces/:name': 'admins',
  'GET /api/v1/namespaces/:name/status': 'everyone',
  'PUT /api/v1/namespaces/:name/status': 'admins',
  'PATCH /api/v1/namespaces/:name/status': 'admins',
};

const MAY: Readonly<Record<Who, readonly Role[]>> = {
  everyone: ['viewer', 'operator', 'admin'],
  operators: ['operator', 'admin'],
  admins: ['admin'],
};

/** The paths are values: nothing is called to read them. */
const served = apiRoutes({} as ApiContext, { version: '1', call: {} as never }).map(
  ({ method, path }) => `${method} ${path}`,
);

t.test('the table names what is served, and nothing else', async (t) => {
  t.same(served.toSorted(), Object.keys(TABLE).toSorted());
});

t.test('every route answers those who may, and refuses the others with a Status', async (t) => {
  const { call, door } = await openBareApi(t);
  for (const [route, who] of Object.entries(TABLE)) {
    const [method = '', path = ''] = route.split(' ');
    // What names nothing: the question is only who is let in.
    const at = path.replace(':namespace', 'nothing').replace(':name', 'nothing');
    for (const as of ROLES) {
      const { status, body } = await call(method, at, method === 'GET' ? undefined : '{', { as });
      if (MAY[who].includes(as)) t.ok(![401, 403].includes(status) && status < 500, `${route} as ${as}: ${status}`);
      else
        t.match(
          { status, body },
          { status: 403, body: path.startsWith('/jdos') ? {} : { kind: 'Status', reason: 'Forbidden' } },
          `${route} as ${as}`,
        );
    }
    for (const listener of ['loopback', 'tls'] as const) {
      const { status, text } = await door.ask({ listener, method, path: at });
      t.equal(status, 401, `${route} without a token, also on ${listener}`);
      if (!path.startsWith('/jdos')) t.match(JSON.parse(text), { kind: 'Status', reason: 'Unauthorized', code: 401 });
    }
  }
});

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

t.test('what a caller is told it may do is what it may do', async (t) => {
  const { call } = await openBareApi(t);
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const ask = async (as: Role, resourceAttributes: Json): Promise<boolean> =>
    (
      await call(
        'POST',
        path,
        {
          kind: 'SelfSubjectAccessReview',
          apiVersion: 'authorization.k8s.io/v1',
          metadata: {},
          spec: { resourceAttributes },
        },
        { as },
      )
    ).body['status'].allowed;
  for (const as of ROLES) {
    for (const resource of ['pods', 'nodes', 'namespaces', 'events']) {
      for (const [verb, method] of Object.entries(VERBS)) {
        for (const subresource of ['', 'status', 'log']) {
          const namespaced = resource === 'pods' || resource === 'events' ? '/:namespace' : '';
          const base = `/api/v1${namespaced === '' ? '' : `/namespaces${namespaced}`}/${resource}`;
          const at = `${verb === 'create' ? base : `${base}/:name`}${subresource === '' ? '' : `/${subresource}`}`;
          const who = TABLE[`${method} ${at}`];
          t.equal(
            await ask(as, { verb, resource, subresource, namespace: 'default' }),
            who !== undefined && MAY[who].includes(as),
            `${as} ${verb} ${resource} ${subresource}`,
          );
        }
      }
    }
    t.equal(await ask(as, { verb: 'list', resource: 'pods' }), true);
    t.equal(await ask(as, { verb: 'deletecollection', resource: 'namespaces' }), false, 'what is not served');
    t.equal(await ask(as, { verb: 'get', resource: 'secrets' }), false);
    t.equal(await ask(as, { verb: 'get', resource: 'pods', group: 'apps' }), false);
    t.equal(await ask(as, { verb: '*', resource: '*' }), as === 'admin');
    const who = await call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { as });
    t.match(who, { status: 201, body: { status: { userInfo: { username: `the-${as}`, groups: [`jdos:${as}`] } } } });
    const { body } = await call(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      { spec: { namespace: 'default' } },
      { as },
    );
    const rules = body['status'].resourceRules as Json[];
    t.equal(
      rules.some(({ resources, verbs }) => resources[0] === 'pods' && verbs.includes('create')),
      as !== 'viewer',
    );
    t.equal(
      rules.some(({ resources }) => resources[0] === 'pods/log'),
      as !== 'viewer',
    );
  }
  t.equal((await call('POST', path, { spec: {} })).status, 400);
  t.equal((await call('POST', path, { spec: { resourceAttribute: {} } })).status, 400);
});

t.test('what is not served says so', async (t) => {
  const { call } = await openBareApi(t);
  await call('POST', PODS, pod('one'));
  for (const part of ['exec', 'attach', 'portforward']) {
    t.match(await call('POST', `${PODS}/one/${part}`), {
      status: 405,
      body: { kind: 'Status', reason: 'MethodNotAllowed', message: `pods/${part} is not supported in this version` },
    });
  }
});
