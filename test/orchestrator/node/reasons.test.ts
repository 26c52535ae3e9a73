// Faults of the runtimes in Kubernetes' words.
import t from 'tap';
import { Fault } from '../../../src/base/fault.ts';
import { adviceOf, reasonOf } from '../../../src/orchestrator/node/reasons.ts';

const fault = (code: `JD_${string}`): Fault => new Fault({ code, status: 500, remedy: 'do this' }, 'it is so');

t.test('each fault has the reason that kubectl shows', async (t) => {
  t.same(
    (
      [
        'JD_RUNTIME_CANNOT',
        'JD_RUN_AS_NON_ROOT',
        'JD_CONTAINER_START_FAILED',
        'JD_IMAGE_PULL_FAILED',
        'JD_IMAGE_NEVER_PULL',
        'JD_IMAGE_NAME_INVALID',
        'JD_IMAGE_PULLING',
        'JD_HOST_PATH_UNFIT',
        'JD_DOCKER_REFUSED',
        'JD_DOCKER_HUNG',
        'JD_SANDBOX_MISSING',
      ] as const
    ).map((code) => reasonOf(fault(code))),
    [
      'CreateContainerConfigError',
      'CreateContainerConfigError',
      'RunContainerError',
      'ErrImagePull',
      'ErrImageNeverPull',
      'InvalidImageName',
      'ContainerCreating',
      'CreateContainerConfigError',
      'CreateContainerError',
      'CreateContainerError',
      'CreateContainerError',
    ],
  );
  t.equal(adviceOf(fault('JD_X')), 'it is so. Try: do this');
  t.equal(adviceOf(new Error('plain')), 'plain');
});
