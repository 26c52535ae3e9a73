// The `docker` slice of the configuration.
import { z } from '../../base/schema.ts';

export const DockerConfig = z.strictObject({
  /** Where the Docker Engine listens. */
  socket: z.string().startsWith('/').default('/var/run/docker.sock'),
  /** The image that holds the namespaces of each pod. */
  pauseImage: z.string().min(1).optional(),
});
