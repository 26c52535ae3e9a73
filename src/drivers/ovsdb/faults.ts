// What Open vSwitch answers where it does not do what was asked, in our words.
import { Fault, faultKind, systemCode } from '../../base/fault.ts';

export const OVS_MISSING = faultKind(
  'JD_OVS_MISSING',
  503,
  'install Open vSwitch, or name the directory of its sockets in ovs.rundir of the configuration',
);
export const OVS_FORBIDDEN = faultKind(
  'JD_OVS_FORBIDDEN',
  503,
  'run the daemon as root, to whom the sockets of Open vSwitch belong',
);
export const OVS_DOWN = faultKind(
  'JD_OVS_DOWN',
  503,
  'start Open vSwitch and look at its logs: `systemctl status ovs-vswitchd ovsdb-server`, /var/log/openvswitch',
);
export const OVS_HUNG = faultKind(
  'JD_OVS_HUNG',
  504,
  'look whether the process is stopped or busy: state T or D in `ps -o pid,stat,wchan,cmd -C ovs-vswitchd,ovsdb-server`, "Unreasonably long" in its log',
);
export const OVS_REFUSED = faultKind('JD_OVS_REFUSED', 502, 'correct what the message names');
export const OVS_GARBLED = faultKind(
  'JD_OVS_GARBLED',
  502,
  'look at who listens at this socket: it does not speak the protocol of Open vSwitch, or says far more than it should',
);
export const OVS_COMMAND_BARRED = faultKind(
  'JD_OVS_COMMAND_BARRED',
  400,
  'use ovs-appctl yourself: the daemon asks for nothing that changes the switch or keeps its main thread busy',
);

/** Why a socket did not take the connection, or broke it off. */
export function noAnswer(who: string, socket: string, error: unknown): Fault {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Fault(OVS_MISSING, `there is no socket ${socket}`);
    case 'EACCES':
    case 'EPERM':
      return new Fault(OVS_FORBIDDEN, `the socket ${socket} may not be opened by this user`);
    case 'EAGAIN':
      return new Fault(OVS_HUNG, `${who} at ${socket} does not take connections`);
    case 'ECONNREFUSED':
      return new Fault(OVS_DOWN, `${who} does not run: nobody answers at ${socket}`);
    default:
      return new Fault(OVS_DOWN, `${who} at ${socket} broke off the connection`, error ? { cause: error } : {});
  }
}
