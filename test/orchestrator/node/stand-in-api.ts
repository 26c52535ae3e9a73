// As much of the Kubernetes API as the node agent uses, on a Unix socket, with faults that a test can ask for.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Pod } from '../../../src/orchestrator/objects/pod.ts';

type Json = Record<string, unknown>;

export interface StandInApi extends AsyncDisposable {
  readonly pods: Map<string, Pod>;
  readonly events: Map<string, Json>;
  node: Json | undefined;
  /** `METHOD /path` of every request so far. */
  readonly seen: string[];
  put(pod: Pod): void;
  remove(name: string): void;
  /** The next watch is answered by 410, and by an ERROR event when `late`. */
  forget(late: boolean): void;
  cut(): void;
  /** Lists answer with this status while it is set. */
  listStatus: number | undefined;
  readonly watching: number;
}

export async function standInApi(socketPath: string): Promise<StandInApi> {
  const pods = new Map<string, Pod>();
  const events = new Map<string, Json>();
  const watchers = new Set<ServerResponse>();
  let version = 10;
  let forgets: 'now' | 'late' | undefined;
  const stamp = <T extends { metadata: object }>(object: T): T => {
    version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  };
  const tell = (type: string, object: unknown): void => {
    for (const watcher of watchers) watcher.write(`${JSON.stringify({ type, object })}\n`);
  };
  const store = (pod: Pod): Pod => {
    const stored = stamp(pod);
    tell(pods.has(pod.metadata.name) ? 'MODIFIED' : 'ADDED', stored);
    pods.set(pod.metadata.name, stored);
    return stored;
  };

  const watch = (response: ServerResponse): void => {
    if (forgets === 'now') {
      forgets = undefined;
      return send(response, 410, { kind: 'Status', message: 'too old', code: 410 });
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
    if (forgets === 'late') {
      forgets = undefined;
      response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`);
    }
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://x');
    const method = request.method ?? 'GET';
    api.seen.push(`${method} ${url.pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = (chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())) as Json;
    const [, , , kind = '', namespace = '', plural = '', name = ''] = url.pathname.split('/');
    if (kind === 'pods') {
      if (url.searchParams.get('watch') === 'true') return watch(response);
      if (api.listStatus !== undefined) return send(response, api.listStatus, { message: 'not now' });
      return send(response, 200, { metadata: { resourceVersion: String(version) }, items: [...pods.values()] });
    }
    if (kind === 'nodes') {
      if (method === 'POST') api.node = stamp({ ...body, metadata: { ...(body['metadata'] as object), uid: 'n1' } });
      if (method === 'PATCH') api.node = { ...api.node, ...body };
      return send(response, api.node === undefined ? 404 : 200, api.node ?? {});
    }
    if (plural === 'events') {
      if (method === 'POST') events.set((body['metadata'] as { name: string }).name, body);
      else events.set(name, { ...events.get(name), ...body });
      return send(response, 200, {});
    }
    const pod = pods.get(name);
    if (pod === undefined || pod.metadata.namespace !== namespace) return send(response, 404, { message: 'not found' });
    const given = body as unknown as Pod;
    if (method === 'PUT') {
      if (given.metadata.resourceVersion !== pod.metadata.resourceVersion)
        return send(response, 409, { message: 'modified' });
      return send(response, 200, store({ ...pod, status: given.status }));
    }
    if (method === 'PATCH') {
      const { annotations } = given.metadata;
      return send(response, 200, store({ ...pod, metadata: { ...pod.metadata, ...(annotations && { annotations }) } }));
    }
    if (method === 'DELETE') api.remove(name);
    return send(response, 200, pod);
  };
  const server: Server = createServer((request, response) => void answer(request, response));
  const api: StandInApi = {
    pods,
    events,
    node: undefined,
    seen: [],
    put: (pod) => void store(pod),
    remove(name) {
      const pod = pods.get(name);
      pods.delete(name);
      if (pod !== undefined) tell('DELETED', stamp(pod));
    },
    forget(late) {
      forgets = late ? 'late' : 'now';
    },
    cut() {
      for (const watcher of watchers) watcher.destroy();
    },
    listStatus: undefined,
    get watching() {
      return watchers.size;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(socketPath, () => resolve()));
  return api;
}

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};
