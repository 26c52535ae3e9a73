// Serves yaRPC on a Unix socket of its own, for the processes that have no front door.
import { chmod, chown, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Caller } from '../../base/route.ts';
import { openSpareBuffer, type SpareBuffer } from '../../base/spare-buffer.ts';
import type { RpcHandler, RpcReply } from './server.ts';

const MAX_BODY = 64 * 1024 * 1024;

export interface RpcListener extends AsyncDisposable {
  readonly socketPath: string;
}

/** Listens on `socketPath` (mode 0660, `group` where given), replacing a socket left by a process that was killed. */
export async function listenRpc(socketPath: string, handler: RpcHandler, group?: number): Promise<RpcListener> {
  const spare = openSpareBuffer();
  const server = createServer(
    { requestTimeout: 60_000, headersTimeout: 5_000, keepAliveTimeout: 60_000 },
    (request, response) => {
      void answer(request, response, handler, spare);
    },
  );
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => resolve());
  });
  await chmod(socketPath, 0o660);
  if (group !== undefined) await chown(socketPath, process.getuid?.() ?? 0, group);
  return {
    socketPath,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handler: RpcHandler,
  spare: SpareBuffer,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    const reply = await reach(request, handler, gone.signal, spare);
    const { settled } = reply;
    if (settled !== undefined) {
      if (response.destroyed) settled(false);
      else response.once('close', () => settled(response.writableFinished));
    }
    response.writeHead(reply.status, { ...reply.headers });
    response.end(reply.body);
  } catch {
    response.destroy(); // the client went away or sent more than the limit: there is nobody to tell
  }
}

async function reach(
  request: IncomingMessage,
  handler: RpcHandler,
  signal: AbortSignal,
  spare: SpareBuffer,
): Promise<RpcReply> {
  if (request.method !== 'POST' || request.url !== '/yarpc') {
    request.resume();
    return { status: 404, headers: { 'rpc-status': 'error', 'rpc-error-code': 'not-found' }, body: '' };
  }
  const body = await readBody(request, spare);
  // Whoever may open the socket is root or in the daemon's group: the file's mode is the right.
  const caller: Caller = { name: 'unix', role: 'admin', from: 'unix' };
  const reply = await handler(request.headers, body, caller, signal);
  // A procedure that did not answer in time may still be reading it.
  if (reply.headers['rpc-status'] === 'success') spare.giveBack(body);
  return reply;
}

/** The body whole. Throws when it is longer than is taken. */
async function readBody(request: IncomingMessage, spare: SpareBuffer): Promise<Buffer> {
  const said = request.headers['content-length'];
  if (Number(said) > MAX_BODY) throw new Error('the body is too large');
  const body = said === undefined ? undefined : spare.take(Number(said));
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (body === undefined) chunks.push(chunk);
    else chunk.copy(body, length);
    length += chunk.length;
    if (length > MAX_BODY) throw new Error('the body is too large');
  }
  return body ?? Buffer.concat(chunks);
}
