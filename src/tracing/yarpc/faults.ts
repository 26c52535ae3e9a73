// What can go wrong with a call, on either side.
import { faultKind } from '../../base/fault.ts';

export const RPC_BAD_REQUEST = faultKind(
  'JD_RPC_BAD_REQUEST',
  400,
  'send a POST with the headers Rpc-Caller, Rpc-Service, Rpc-Procedure, Rpc-Encoding: json and, for a deadline, Context-TTL-MS in milliseconds',
);
export const RPC_NO_PROCEDURE = faultKind(
  'JD_RPC_NO_PROCEDURE',
  404,
  'call Meta::procedures for the names that this service knows',
);
export const RPC_FORBIDDEN = faultKind(
  'JD_RPC_FORBIDDEN',
  403,
  'use a token whose role has the right that the procedure needs',
);
export const RPC_DEADLINE = faultKind(
  'JD_RPC_DEADLINE',
  504,
  'see `jdos status` for what keeps the peer busy, or give the call more time',
);
export const RPC_UNREACHABLE = faultKind(
  'JD_RPC_UNREACHABLE',
  503,
  'see `jdos status`: the peer process is not there or is being started again',
);
export const RPC_INTERNAL = faultKind(
  'JD_RPC_INTERNAL',
  500,
  "see the peer's log for the error with this procedure's name",
);
export const RPC_BAD_REPLY = faultKind(
  'JD_RPC_BAD_REPLY',
  502,
  'both sides must run the same version of jdos: restart the daemon after an update',
);
