// The certificate of the HTTPS listener: files given by the configuration, or made in `<data-dir>/state/tls` and renewed.
import { X509Certificate } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, systemCode } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { HttpConfig } from './config.ts';
import {
  belongTogether,
  makeAuthority,
  makeServerCertificate,
  ownNames,
  renewalReason,
  type KeyPair,
} from './certificates.ts';
import { TLS_AUTHORITY, TLS_EXPIRED, TLS_FILE, TLS_KEY_MISMATCH } from './faults.ts';

const MAX_FILE_BYTES = 1024 * 1024;

export interface TlsMaterial extends KeyPair {
  /** The CA that clients must trust, PEM. */
  readonly ca: string;
}

export interface TlsOptions {
  /** `<data-dir>/state/tls`. */
  readonly dir: string;
  readonly files: HttpConfig['tls'];
  readonly hostname: string;
  readonly hosts: readonly string[];
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * What to serve now: the configured files, or our own certificate, made or renewed when that is due.
 * Call it at the start and now and then. Rejects with a Fault that names the file.
 */
export function loadTls(options: TlsOptions): Promise<TlsMaterial> {
  return options.files === undefined ? ownMaterial(options) : givenMaterial(options.files, options.now());
}

async function givenMaterial(files: NonNullable<HttpConfig['tls']>, now: number): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([files.certFile, files.keyFile, files.caFile].map(readGiven));
  if (cert === undefined || key === undefined || ca === undefined) throw new TypeError('three files are read');
  const certificate = parsed(cert, files.certFile);
  parsed(ca, files.caFile);
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(key)) {
    throw new Fault(TLS_FILE, `${files.keyFile} holds no unencrypted private key in PEM (http.tls.keyFile)`);
  }
  if (!belongTogether({ cert, key })) {
    throw new Fault(TLS_KEY_MISMATCH, `the key in ${files.keyFile} does not belong to ${files.certFile}`);
  }
  if (certificate.validToDate.getTime() <= now) {
    throw new Fault(TLS_EXPIRED, `the certificate in ${files.certFile} expired ${certificate.validTo}`);
  }
  return { cert, key, ca };
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readBounded(file);
  } catch (cause) {
    throw new Fault(TLS_FILE, `${file} cannot be read`, { cause });
  }
}

function parsed(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Fault(TLS_FILE, `${file} holds no certificate in PEM`, { cause });
  }
}

async function ownMaterial({ dir, hostname, hosts, now, log }: TlsOptions): Promise<TlsMaterial> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const caKey = await readIfThere(join(dir, 'ca.key'));
  const caCert = await readIfThere(join(dir, 'ca.crt'));
  const ca = caCert === undefined ? await newAuthority(dir, hostname, now(), log) : { cert: caCert, key: caKey };
  const names = ownNames(hostname, hosts);
  const server = await pairIfThere(join(dir, 'server.crt'), join(dir, 'server.key'));
  const reason = renewalReason(server, parsed(ca.cert, join(dir, 'ca.crt')).toString(), names, now());
  if (server !== undefined && reason === undefined) return { ...server, ca: ca.cert };

  const made = await makeServerCertificate(usable(ca, dir, now()), names, now());
  // The key first: a crash in between leaves a pair that does not match, and another is made at the next start.
  await writeWhole(join(dir, 'server.key'), made.key, 0o600);
  await writeWhole(join(dir, 'server.crt'), made.cert, 0o644);
  log.info({ reason, names }, 'server certificate made');
  return { ...made, ca: ca.cert };
}

/** The CA with its key, or a Fault: it is never replaced silently, because clients trust it. */
function usable(ca: { cert: string; key: string | undefined }, dir: string, now: number): KeyPair {
  const { cert, key } = ca;
  if (key === undefined) throw new Fault(TLS_AUTHORITY, `${join(dir, 'ca.key')} is missing`);
  if (!belongTogether({ cert, key })) throw new Fault(TLS_AUTHORITY, `ca.key and ca.crt in ${dir} do not match`);
  const end = new X509Certificate(cert).validToDate.getTime();
  if (end <= now) throw new Fault(TLS_AUTHORITY, `the CA in ${dir} has expired`);
  return { cert, key };
}

async function newAuthority(dir: string, hostname: string, now: number, log: Logger): Promise<KeyPair> {
  const ca = await makeAuthority(hostname, now);
  await writeWhole(join(dir, 'ca.key'), ca.key, 0o600);
  await writeWhole(join(dir, 'ca.crt'), ca.cert, 0o644);
  log.info({ dir }, 'certificate authority made');
  return ca;
}

async function pairIfThere(certFile: string, keyFile: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)]);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readBounded(file);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw new Fault(TLS_FILE, `${file} cannot be read`, { cause });
  }
}

async function readBounded(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (text.length > MAX_FILE_BYTES) throw new Error(`${file} is larger than a certificate can be`);
  return text;
}

/** Replaces a file at once or not at all. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.new`;
  const handle = await open(draft, 'w', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
