// The trace thread: owns segments, hot window and partitions; answers ingest and queries, and tells how it is.
import { parentPort, workerData } from 'node:worker_threads';
import { explain } from '../../base/fault.ts';
import type { TraceReply, TraceRequest, TraceThreadData } from './messages.ts';
import { type LocalTraceStore, openLocalTraceStore } from './store.ts';

const RETAIN_EVERY_MS = 600_000;
const TELL_EVERY_MS = 1000;
type Port = NonNullable<typeof parentPort>;

const toJson = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));

function serve(store: LocalTraceStore, port: Port, post: (reply: TraceReply) => void): void {
  const answer = (id: number, value: unknown): void => {
    const json = value === undefined ? undefined : toJson(value);
    port.postMessage({ kind: 'answer', id, json } satisfies TraceReply, json === undefined ? [] : [json.buffer]);
  };
  const handle = (request: TraceRequest): void => {
    const { id } = request;
    switch (request.kind) {
      case 'ingest':
        return store.ingest(request.format, request.body, (outcome) => post({ ...outcome, id }));
      case 'find':
        return answer(id, store.find(request.traceId));
      case 'search':
        return answer(id, store.search(request.filter));
      case 'services':
        return answer(id, store.services());
      case 'flush':
        return void store.flush().then(
          () => answer(id, {}),
          (error: unknown) => post({ kind: 'failed', id, message: explain(error) }),
        );
      case 'close':
        return void store.close().then(() => {
          answer(id, {});
          port.close();
        });
    }
  };
  // Old partitions go also when nothing arrives.
  setInterval(() => store.retain(), RETAIN_EVERY_MS).unref();
  port.on('message', (request: TraceRequest) => {
    try {
      handle(request);
    } catch (error) {
      post({ kind: 'failed', id: request.id, message: explain(error) });
    }
  });
}

function run(port: Port): void {
  const post = (reply: TraceReply): void => port.postMessage(reply);
  let store: LocalTraceStore | undefined;
  let toldAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (store === undefined) return;
    toldAt = performance.now();
    post({ kind: 'stats', stats: store.stats() });
  };
  try {
    store = openLocalTraceStore({
      ...(workerData as TraceThreadData),
      now: Date.now,
      onCommit(seconds, bytes) {
        post({ kind: 'committed', seconds, bytes });
        timer ??= setTimeout(tell, Math.max(0, toldAt + TELL_EVERY_MS - performance.now())).unref();
      },
      onTrouble: (message, cause) => post({ kind: 'trouble', message, cause }),
      onChange: tell,
    });
    serve(store, port, post);
    post({ kind: 'ready', stats: store.stats() });
  } catch (error) {
    post({ kind: 'unusable', message: explain(error) });
    port.close();
  }
}

if (parentPort !== null) run(parentPort);
