// File descriptors over HTTP: of a process by its pid, of a container by its id or name.
import { route, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { containersOf, findContainer } from '../container/routes.ts';
import type { Snapshots } from '../snapshots.ts';
import { FdsAnswer } from './answer.ts';
import type { FdsRequest } from './inspect.ts';

interface FdsRoutesOptions {
  readonly snapshots: Pick<Snapshots, 'details' | 'collectors'>;
  /** Asks the probe process. */
  readonly ask: (request: FdsRequest) => Promise<unknown>;
}

/**
 * More than `read`: paths and addresses tell what a program works on and for whom, and an answer takes up to a second of
 * the probe process, which a viewer shall not spend.
 */
const RIGHT = 'operate';

export const fdsRoutes = ({ snapshots, ask }: FdsRoutesOptions): readonly Route[] => [
  route({
    method: 'GET',
    path: '/jdos/v1/processes/:pid/fds',
    right: RIGHT,
    summary:
      'What the open file descriptors of a process are: kinds, deleted files still held, paths, sockets by state',
    params: z.object({
      pid: z.coerce
        .number()
        .int()
        .min(1)
        .max(2 ** 31),
    }),
    reply: FdsAnswer,
    handler: async ({ params: { pid } }) => ({ body: FdsAnswer.parse(await ask({ pid })) }),
  }),
  route({
    method: 'GET',
    path: '/jdos/v1/containers/:id/fds',
    right: RIGHT,
    summary: 'What the open file descriptors of all processes of a container are',
    params: z.object({
      id: z
        .string()
        .min(1)
        .max(500)
        .describe('id or its beginning, name, NAMESPACE/POD/CONTAINER, or path of the cgroup; encoded'),
    }),
    reply: FdsAnswer.extend({ container: z.string().describe('the path of its cgroup') }),
    async handler({ params: { id } }) {
      const { cgroup } = findContainer(containersOf(snapshots).items, id);
      return { body: { ...FdsAnswer.parse(await ask({ cgroup })), container: cgroup } };
    },
  }),
];
