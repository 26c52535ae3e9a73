// What Docker answers where it does not do what was asked, in our words.
import { faultKind } from '../../base/fault.ts';

export const DOCKER_MISSING = faultKind(
  'JD_DOCKER_MISSING',
  503,
  'install the Docker Engine, or name its socket in docker.socket of the configuration',
);
export const DOCKER_FORBIDDEN = faultKind(
  'JD_DOCKER_FORBIDDEN',
  503,
  'run the daemon as root, or as a user of the group that owns the socket',
);
export const DOCKER_DOWN = faultKind(
  'JD_DOCKER_DOWN',
  503,
  'start the Docker Engine and look at its log: `systemctl status docker`, `journalctl -u docker`',
);
export const DOCKER_HUNG = faultKind(
  'JD_DOCKER_HUNG',
  504,
  'look whether dockerd is stopped or waits for a disk: state T or D in `ps -o pid,stat,wchan,cmd -C dockerd`; restart it if it stays so',
);
export const DOCKER_REFUSED = faultKind(
  'JD_DOCKER_REFUSED',
  502,
  'correct what the message names; the log of the Docker Engine may say more',
);
export const DOCKER_TOO_OLD = faultKind('JD_DOCKER_TOO_OLD', 502, 'install Docker Engine 19.03 or newer');
