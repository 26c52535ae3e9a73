// What the runtimes answer where a pod cannot be run: stable codes that the node agent turns into waiting reasons.
import { faultKind } from '../../base/fault.ts';

export const RUNTIME_CANNOT = faultKind(
  'JD_RUNTIME_CANNOT',
  422,
  'leave out the named field, or run the pod where it can be honoured: `runtimeClassName: docker` does what `process` cannot',
);
export const RUN_AS_NON_ROOT = faultKind(
  'JD_RUN_AS_NON_ROOT',
  422,
  'set securityContext.runAsUser to a user id that is not 0, or take runAsNonRoot away',
);
export const SANDBOX_MISSING = faultKind(
  'JD_SANDBOX_MISSING',
  409,
  'the node agent makes a new sandbox by itself; see `jdos why` if the pod does not start within a minute',
);
export const CONTAINER_RUNNING = faultKind(
  'JD_CONTAINER_RUNNING',
  409,
  'stop the container first; a running container is never removed',
);
export const CONTAINER_START_FAILED = faultKind(
  'JD_CONTAINER_START_FAILED',
  500,
  'look at the message; the start is tried again with a growing delay',
);
export const CONTAINER_STOP_LATE = faultKind(
  'JD_CONTAINER_STOP_LATE',
  504,
  'a process that survives SIGKILL waits in the kernel: look for state D in `ps -eo pid,stat,wchan,cmd` and for the disk or mount it waits for',
);
export const CONTAINER_FOREIGN = faultKind(
  'JD_CONTAINER_FOREIGN',
  409,
  'remove or rename that container: it is not of this installation, which leaves it alone',
);
export const PAUSE_IMAGE_MISSING = faultKind(
  'JD_PAUSE_IMAGE_MISSING',
  503,
  'name an image in docker.pauseImage of the configuration that Docker has or can pull, such as registry.k8s.io/pause:3.10; docs/runtimes.md says how to make one without a registry',
);
export const IMAGE_NAME_INVALID = faultKind(
  'JD_IMAGE_NAME_INVALID',
  422,
  'write the image as [REGISTRY[:PORT]/]NAME[:TAG][@DIGEST], the name in lower case',
);
export const IMAGE_NEVER_PULL = faultKind(
  'JD_IMAGE_NEVER_PULL',
  404,
  'bring the image to this host with `docker load` or `docker pull`, or set imagePullPolicy: IfNotPresent',
);
export const IMAGE_PULL_FAILED = faultKind(
  'JD_IMAGE_PULL_FAILED',
  502,
  'check the name and the tag, and that this host reaches the registry: `docker pull IMAGE` says the same',
);
export const IMAGE_PULLING = faultKind(
  'JD_IMAGE_PULLING',
  503,
  'wait: the pull goes on in the background, and the container is started when the image is there',
);
export const HOST_PATH_UNFIT = faultKind(
  'JD_HOST_PATH_UNFIT',
  422,
  'make what the hostPath volume names on this host, or correct its path or its type',
);
export const CONTAINER_NAME_INVALID = faultKind(
  'JD_CONTAINER_NAME_INVALID',
  422,
  'use a DNS label for the container name, and leave the uid of the pod to the API server',
);
