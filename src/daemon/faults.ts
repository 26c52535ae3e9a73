// Faults of the daemon's processes; in a file of their own, because a process' entry runs when it is imported.
import { faultKind } from '../base/fault.ts';

export const NOT_COLLECTING = faultKind(
  'JD_NOT_COLLECTING',
  503,
  'ask again in some seconds: the probe process is being started',
);
