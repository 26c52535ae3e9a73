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
export const CONTAINER_NAME_INVALID = faultKind(
  'JD_CONTAINER_NAME_INVALID',
  422,
  'use a DNS label for the container name, and leave the uid of the pod to the API server',
);
