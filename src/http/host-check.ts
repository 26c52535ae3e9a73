// Refuses names that are not ours (DNS rebinding) and changes sent by other sites' pages. Pure.
import { isHost } from './address.ts';

/** Names every listener answers to. */
const ALWAYS = ['localhost', '127.0.0.1', '::1'];

interface HostQuestion {
  /** The Host header. Absent in HTTP/1.0: no browser sends that. */
  readonly host: string | undefined;
  /** The address of this host that the connection came in on. */
  readonly localAddress: string | undefined;
  /** Own host name and configured names. */
  readonly names: readonly string[];
}

/** Whether a Host header names this daemon. The port is not looked at: it may be forwarded. */
export function isOurs({ host, localAddress, names }: HostQuestion): boolean {
  if (host === undefined) return true;
  const name = nameOf(host);
  if (name === undefined) return false;
  const local = localAddress?.replace(/^::ffff:/, '').replace(/%.*$/, '');
  return name === local || ALWAYS.includes(name) || names.some((one) => one.toLowerCase() === name);
}

/** The name in `name:port` or `[address]:port`, lower case without the final dot; undefined when it is none. */
function nameOf(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
  return name !== undefined && isHost(name) ? name : undefined;
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

interface OriginQuestion {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The Sec-Fetch-Site header (W3C Fetch Metadata). */
  readonly fetchSite: string | undefined;
}

/** Whether a browser sends a change on behalf of another site. */
export function isCrossSite({ method, host, origin, fetchSite }: OriginQuestion): boolean {
  if (READING.has(method)) return false;
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') return true;
  if (origin === undefined) return false;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  return url === undefined || host === undefined || !sameHost(url, host);
}

/** URL drops the scheme's own port, so the Host header is read with the same scheme. */
const sameHost = (origin: URL, host: string): boolean =>
  URL.canParse(`${origin.protocol}//${host}`) && new URL(`${origin.protocol}//${host}`).host === origin.host;
