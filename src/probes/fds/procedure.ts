// The yaRPC procedure by which the serve process asks the probe process about file descriptors.
import { procedure, type Procedure } from '../../base/route.ts';
import { FdsRequest, type InspectFds } from './inspect.ts';

/** Served by the probe process. */
export const fdsProcedures = (inspect: InspectFds): readonly Procedure[] => [
  procedure({
    name: 'Probes::fds',
    right: 'admin',
    request: FdsRequest,
    handler: (request, { signal }) => inspect(request, signal),
  }),
];
