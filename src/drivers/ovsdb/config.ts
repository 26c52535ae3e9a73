// The `ovs` slice of the configuration.
import { z } from '../../base/schema.ts';

export const DEFAULT_RUNDIR = '/var/run/openvswitch';

export const OvsConfig = z.strictObject({
  /** Where Open vSwitch keeps its sockets and pid files; a directory of the host. */
  rundir: z.string().startsWith('/').default(DEFAULT_RUNDIR),
});
