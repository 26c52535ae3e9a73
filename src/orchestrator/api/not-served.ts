// Subresources of pods that clients ask for and that are not there: an answer that says so, where a 404 would be a riddle.
import { type Route, route } from '../../base/route.ts';
import { KubeFault, NOT_SERVED } from './faults.ts';
import { statusBody } from './status.ts';

const PARTS: readonly (readonly [string, readonly Route['method'][]])[] = [
  ['exec', ['GET', 'POST']],
  ['attach', ['GET', 'POST']],
  ['portforward', ['GET', 'POST']],
  ['ephemeralcontainers', ['PATCH', 'PUT']],
  ['resize', ['PATCH', 'PUT']],
];

export const notServedRoutes = (): readonly Route[] =>
  PARTS.flatMap(([part, methods]) =>
    methods.map((method) =>
      route({
        method,
        path: `/api/v1/namespaces/:namespace/pods/:name/${part}`,
        // What it will need when it is there.
        right: 'admin',
        summary: `Not served: pods/${part}`,
        ...(method === 'GET' ? {} : { body: 'raw' }),
        problem: statusBody,
        handler() {
          throw new KubeFault(NOT_SERVED, 'MethodNotAllowed', `pods/${part} is not supported in this version`);
        },
      }),
    ),
  );
