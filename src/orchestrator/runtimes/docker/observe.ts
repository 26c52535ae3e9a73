// From what Docker says of a container to what the node agent wants to know (states as cri-dockerd reads them).
import type { ContainerDetails } from '../../../drivers/docker/index.ts';
import type { ObservedContainer, ObservedSandbox } from '../runtime.ts';
import { ATTEMPT, CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID, SANDBOX_ID, TYPE } from './names.ts';

type State = ContainerDetails['State'];

/** Docker's times are Go's; the year 1 stands for never. */
const millis = (time: string): number | undefined => {
  const at = Date.parse(time);
  return Number.isNaN(at) || at <= 0 ? undefined : at;
};

/** It was to be started and could not be: Docker keeps it as merely created, with an exit code. */
const couldNotStart = ({ Running, ExitCode, StartedAt }: State): boolean =>
  !Running && ExitCode !== 0 && millis(StartedAt) === undefined;

/** Whether it was started, or could not be; false for what a crash left created. */
export const hasBegun = (state: State): boolean =>
  state.Running || millis(state.StartedAt) !== undefined || couldNotStart(state);

export const isSandbox = ({ Config }: ContainerDetails): boolean => Config.Labels[TYPE] === 'podsandbox';

const about = ({ Id, Created, Config: { Labels } }: ContainerDetails) => ({
  id: Id,
  podUid: Labels[POD_UID] ?? '',
  namespace: Labels[POD_NAMESPACE] ?? '',
  podName: Labels[POD_NAME] ?? '',
  attempt: Number(Labels[ATTEMPT] ?? 0),
  createdAt: millis(Created) ?? 0,
});

export const observedSandbox = (details: ContainerDetails): ObservedSandbox => ({
  ...about(details),
  ready: details.State.Running,
});

export function observedContainer(details: ContainerDetails): ObservedContainer {
  const { State: state, Config, Image } = details;
  const startedAt = millis(state.StartedAt);
  const begun = hasBegun(state);
  return {
    ...about(details),
    sandboxId: Config.Labels[SANDBOX_ID] ?? '',
    name: Config.Labels[CONTAINER_NAME] ?? '',
    image: Config.Image,
    imageId: `docker://${Image}`,
    state: state.Running ? 'running' : begun ? 'exited' : 'created',
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(state.Running ? { pid: state.Pid } : begun ? endOf(state) : {}),
  };
}

/** Docker does not tell a death by signal from an exit code above 128; neither do we. */
function endOf(state: State): Partial<ObservedContainer> {
  const { ExitCode: exitCode, OOMKilled, Error: error } = state;
  const finishedAt = millis(state.FinishedAt);
  const reason = couldNotStart(state)
    ? 'ContainerCannotRun'
    : OOMKilled === true
      ? 'OOMKilled'
      : exitCode === 0
        ? 'Completed'
        : 'Error';
  return {
    exitCode,
    reason,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(error === undefined || error === '' ? {} : { message: error }),
  };
}
