// A registry for tests: one image under any name, over the Distribution API (v2) as far as a pull needs it.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';

export interface Registry {
  /** `localhost:PORT`: Docker speaks plain HTTP to it. */
  readonly host: string;
  /** The manifests that were asked for, as `NAME:TAG`. */
  readonly pulled: string[];
}

const digest = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Serves the image whose root file system is in the tar; only with the tag `1`. */
export async function startRegistry(t: Test, tar: Buffer): Promise<Registry> {
  const layer = gzipSync(tar);
  const config = Buffer.from(
    JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: 'linux',
      config: { Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: [digest(tar)] },
    }),
  );
  const kind = 'application/vnd.docker';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${kind}.distribution.manifest.v2+json`,
      config: { mediaType: `${kind}.container.image.v1+json`, size: config.length, digest: digest(config) },
      layers: [{ mediaType: `${kind}.image.rootfs.diff.tar.gzip`, size: layer.length, digest: digest(layer) }],
    }),
  );
  const blobs = new Map([config, layer, manifest].map((bytes) => [digest(bytes), bytes]));
  const pulled: string[] = [];
  const server = createServer(({ url = '', method }, response) => {
    const [, name = '', what = '', reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    const bytes = what === 'manifests' && reference === '1' ? manifest : blobs.get(reference);
    if (what === 'manifests') pulled.push(`${name}:${reference}`);
    if (url !== '/v2/' && bytes === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }));
      return;
    }
    const type = bytes === manifest ? `${kind}.distribution.manifest.v2+json` : 'application/octet-stream';
    const about = bytes === undefined ? {} : { 'docker-content-digest': digest(bytes), 'content-length': bytes.length };
    response.writeHead(200, { 'content-type': type, ...about });
    response.end(method === 'HEAD' ? undefined : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `localhost:${(server.address() as AddressInfo).port}`, pulled };
}
