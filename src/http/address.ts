// HOST:PORT as people write it, IPv6 in brackets.
import { isIP, isIPv4 } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9]([a-z0-9_-]{0,62}))*$/;

/** Whether a text is an IP address or a host name, lower case. */
export const isHost = (text: string): boolean => isIP(text) !== 0 || HOST_NAME.test(text);

/** Reads `127.0.0.1:9618`, `[::1]:9618`, `localhost:9618` or a port alone; undefined for anything else. */
export function parseAddress(text: string, hostIfPortAlone: string): Address | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text.trim().toLowerCase());
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || port > 65_535) return undefined;
  const [, v6, name] = match;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port } : undefined;
  const host = name ?? hostIfPortAlone;
  return isHost(host) ? { host, port } : undefined;
}

/** `127.0.0.1:9618` or `[::1]:9618`. */
export const formatAddress = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Whether only this host can reach the address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
