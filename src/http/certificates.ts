// Makes the daemon's own CA and server certificate with @peculiar/x509, and says when a new one is due. No files here.
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

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

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The library weighs megabytes and is wanted once a year: it is loaded when a certificate is made. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata'); // what its decorators write to
  return import('@peculiar/x509');
}

/** A common name of the 64 characters that RFC 5280 gives it, free of what distinguished names treat specially. */
const commonName = (text: string): string =>
  `CN=${text
    .replace(/[^A-Za-z0-9. -]/g, '-')
    .trim()
    .slice(0, 64)}`;

/** Positive and unpredictable (RFC 5280 §4.1.2.2; CA/Browser Forum: 64 bits of randomness). */
const serialNumber = (): string => `01${randomBytes(15).toString('hex')}`;

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

/** A CA valid for ten years. Its name is unique, so that clients never take one CA's key for another's. */
export async function makeAuthority(hostname: string, now: number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: commonName(`JDOS CA ${randomBytes(4).toString('hex')} ${hostname}`),
    serialNumber: serialNumber(),
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
    keys,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
}

/** A server certificate for the names, signed by the CA, valid for 397 days but no longer than the CA (RFC 5280). */
export async function makeServerCertificate(ca: KeyPair, names: readonly string[], now: number): Promise<KeyPair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(ca.cert);
  const keys = await newKeys();
  const caKey = createPrivateKey(ca.key).export({ format: 'der', type: 'pkcs8' });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: commonName(names[0] ?? 'localhost'),
    issuer: issuer.subject,
    serialNumber: serialNumber(),
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(Math.min(now + SERVER_DAYS * DAY_MS, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', caKey, KEYS, false, ['sign']),
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
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
