// The port to the trace thread: requests go out, promises come back, the caller never blocks.
import { Worker } from 'node:worker_threads';
import { Fault } from '../../base/fault.ts';
import { siblingModule } from '../../base/sibling-module.ts';
import { TRACE_STORE_FAILED } from '../faults.ts';
import type { OtlpFormat } from '../ingest/response.ts';
import type { Filter } from '../query/search.ts';
import type { Refused, Taken, TraceReply, TraceRequest, TraceStats, TraceThreadData } from './messages.ts';

export interface TraceStore extends AsyncDisposable {
  /** Resolves when the spans are on disk, or with why none is. `body` is not to be used afterwards. */
  ingest(format: OtlpFormat, body: Buffer): Promise<Taken | Refused>;
  /** JSON of the trace, or undefined. */
  find(traceId: string): Promise<Buffer | undefined>;
  /** JSON of the summaries. */
  search(filter: Filter): Promise<Buffer>;
  services(): Promise<Buffer>;
  /** Packs what is hot. */
  flush(): Promise<void>;
}

interface TraceStoreEvents {
  readonly onStats: (stats: TraceStats) => void;
  readonly onCommit: (seconds: number, bytes: number) => void;
  readonly onTrouble: (message: string, cause: string) => void;
  /** The thread ended without being asked to. */
  readonly onGone: (fault: Fault) => void;
}

type Asked = { [K in TraceRequest['kind']]: Omit<Extract<TraceRequest, { kind: K }>, 'id'> }[TraceRequest['kind']];
type Answered = Extract<TraceReply, { id: number }>;

/** Starts the thread and resolves when what an earlier life left has been taken up. Rejects with a Fault. */
export async function openTraceStore(data: TraceThreadData, events: TraceStoreEvents): Promise<TraceStore> {
  const thread = new Worker(siblingModule(import.meta.url, 'trace-thread'), { workerData: data });
  const waiting = new Map<number, { resolve: (reply: Answered) => void; reject: (error: unknown) => void }>();
  let lastId = 0;
  let gone: Fault | undefined;
  let closing = false;
  let cause: unknown;

  thread.on('error', (error) => (cause = error));
  thread.on('exit', () => {
    gone = new Fault(TRACE_STORE_FAILED, `the thread of the store in ${data.dir} ended`, { cause });
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
    if (!closing) events.onGone(gone);
  });
  thread.on('message', (reply: TraceReply) => {
    if ('id' in reply) {
      const caller = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.kind === 'failed') caller?.reject(new Fault(TRACE_STORE_FAILED, reply.message));
      else caller?.resolve(reply);
    } else if (reply.kind === 'committed') events.onCommit(reply.seconds, reply.bytes);
    else if (reply.kind === 'trouble') events.onTrouble(reply.message, reply.cause);
    else if (reply.kind === 'stats' || reply.kind === 'ready') events.onStats(reply.stats);
  });
  await ready(thread, data.dir).catch((error: unknown) => {
    closing = true;
    throw error;
  });

  const ask = (request: Asked, transfer: readonly ArrayBuffer[] = []): Promise<Answered> =>
    new Promise((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      thread.postMessage({ ...request, id: lastId }, [...transfer]);
    });
  const json = async (request: Asked): Promise<Buffer | undefined> => {
    const reply = await ask(request);
    return reply.kind === 'answer' && reply.json !== undefined
      ? Buffer.from(reply.json.buffer as ArrayBuffer)
      : undefined;
  };
  return {
    async ingest(format, body) {
      // A body with memory of its own is handed over, a small one from Node's pool is copied.
      const own = body.byteLength === body.buffer.byteLength && body.buffer instanceof ArrayBuffer;
      const bytes = own ? new Uint8Array(body.buffer) : Uint8Array.from(body);
      const reply = await ask({ kind: 'ingest', format, body: bytes }, [bytes.buffer as ArrayBuffer]);
      if (reply.kind === 'taken' || reply.kind === 'refused') return reply;
      throw new Fault(TRACE_STORE_FAILED, `the store answered ${reply.kind}`);
    },
    find: (traceId) => json({ kind: 'find', traceId }),
    search: async (filter) => (await json({ kind: 'search', filter })) ?? Buffer.from('[]'),
    services: async () => (await json({ kind: 'services' })) ?? Buffer.from('[]'),
    flush: async () => void (await ask({ kind: 'flush' })),
    async [Symbol.asyncDispose]() {
      if (gone !== undefined || closing) return;
      closing = true;
      const exited = new Promise((resolve) => thread.once('exit', resolve));
      await ask({ kind: 'close' }).catch(() => undefined);
      await exited;
    },
  };
}

function ready(thread: Worker, dir: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (why: string, cause?: unknown): void =>
      reject(new Fault(TRACE_STORE_FAILED, `the store of traces in ${dir} cannot be opened: ${why}`, { cause }));
    thread.once('message', function first(reply: TraceReply) {
      if (reply.kind === 'ready') return resolve();
      if (reply.kind === 'unusable') return failed(reply.message);
      thread.once('message', first);
    });
    thread.once('error', (error) => failed('its thread failed', error));
    thread.once('exit', () => failed('its thread ended'));
  });
}
