// Why a container could not be started, in Kubernetes' words and with the remedy.
import { explain, Fault } from '../../base/fault.ts';

/** Reasons by what the runtimes' fault codes say; the first that matches counts. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/IMAGE_PULLING/, 'ContainerCreating'],
  [/IMAGE_(NAME|REFERENCE)|INVALID_IMAGE/, 'InvalidImageName'],
  [/IMAGE.*(NEVER|ABSENT|NOT_PRESENT)/, 'ErrImageNeverPull'],
  [/IMAGE|PULL|REGISTRY/, 'ErrImagePull'],
  [/RUNTIME_CANNOT|NON_ROOT|NAME_INVALID|HOST_PATH/, 'CreateContainerConfigError'],
  [/START/, 'RunContainerError'],
];

export const reasonOf = (error: unknown): string => {
  const code = error instanceof Fault ? error.code : '';
  return REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? 'CreateContainerError';
};

/** What happened and what to do about it, in one line. */
export const adviceOf = (error: unknown): string => {
  const what = explain(error);
  return error instanceof Fault ? `${what}. Try: ${error.remedy}` : what;
};
