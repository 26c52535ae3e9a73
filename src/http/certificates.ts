// Makes the daemon's own CA and server certificate with `selfsigned`, and says when a new one is due. No files here.
import { randomBytes, X509Certificate, createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { generate } from 'selfsigned';

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** The longest life browsers accept in a certificate that a user trusts by hand is 825 days; 397 is the public rule. */
const SERVER_DAYS = 397;
const RENEW_DAYS = 30;
/** Clocks of clients may be behind. */
const BACKDATE_MS = 3_600_000;
const MAX_NAMES = 100;

export interface KeyPair {
  /** Both as PEM. */
  readonly cert: string;
  readonly key: string;
}

const ELLIPTIC = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** A name fit for a distinguished name, within the 64 characters that RFC 5280 gives a common name. */
const commonName = (text: string): { name: string; value: string }[] => [
  { name: 'commonName', value: text.replace(/[^A-Za-z0-9. -]/g, '-').slice(0, 64) },
];

/** A CA valid for ten years. Its name is unique, so that clients never take one CA's key for another's. */
export async function makeAuthority(hostname: string, now: number): Promise<KeyPair> {
  const { cert, private: key } = await generate(commonName(`JDOS CA ${randomBytes(4).toString('hex')} ${hostname}`), {
    ...ELLIPTIC,
    notBeforeDate: new Date(now - BACKDATE_MS),
    notAfterDate: new Date(now + CA_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert, key };
}

/** A server certificate for the names, signed by the CA, valid for 397 days but no longer than the CA. */
export async function makeServerCertificate(ca: KeyPair, names: readonly string[], now: number): Promise<KeyPair> {
  const end = Math.min(now + SERVER_DAYS * DAY_MS, new X509Certificate(ca.cert).validToDate.getTime());
  const { cert, private: key } = await generate(commonName(names[0] ?? 'localhost'), {
    ...ELLIPTIC,
    notBeforeDate: new Date(now - BACKDATE_MS),
    notAfterDate: new Date(end),
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
  });
  return { cert, key };
}

/** The names of this host: its host name, localhost, its addresses but link-local ones, and the given ones. */
export function ownNames(hostname: string, extra: readonly string[], interfaces = networkInterfaces()): string[] {
  const addresses = Object.values(interfaces)
    .flatMap((all) => all ?? [])
    .filter((one) => !one.internal && !/^fe[89ab]/i.test(one.address) && !one.address.startsWith('169.254.'))
    .map((one) => one.address);
  const names = [hostname, 'localhost', '127.0.0.1', '::1', ...extra, ...addresses];
  return [...new Set(names.map((name) => name.toLowerCase()))].slice(0, MAX_NAMES);
}

/** Whether a private key belongs to a certificate; false also for what cannot be parsed. */
export function belongTogether({ cert, key }: KeyPair): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/**
 * Why a new server certificate is due, or undefined when the one there will do.
 * A name it has too many is no reason: addresses of containers come and go.
 */
export function renewalReason(
  server: KeyPair | undefined,
  ca: KeyPair['cert'],
  names: readonly string[],
  now: number,
): 'missing' | 'broken' | 'foreign' | 'expiring' | 'names' | undefined {
  if (server === undefined) return 'missing';
  if (!belongTogether(server)) return 'broken';
  const certificate = new X509Certificate(server.cert);
  if (!certificate.verify(new X509Certificate(ca).publicKey)) return 'foreign';
  if (certificate.validToDate.getTime() - now < RENEW_DAYS * DAY_MS) return 'expiring';
  const has = (name: string): boolean =>
    isIP(name) === 0 ? certificate.checkHost(name) !== undefined : certificate.checkIP(name) !== undefined;
  return names.every(has) ? undefined : 'names';
}
