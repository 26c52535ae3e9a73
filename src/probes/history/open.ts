// The port to the history thread: collections go in without waiting, questions come back as promises.
import { Worker } from 'node:worker_threads';
import { Fault, faultKind } from '../../base/fault.ts';
import { siblingModule } from '../../base/sibling-module.ts';
import type { Lines } from './intake.ts';
import type {
  FdsGrowth,
  HistoryReply,
  HistoryRequest,
  HistoryStats,
  HistoryThreadData,
  NamesQuery,
  ProcessesQuery,
  SeriesQuery,
} from './messages.ts';
import type { Snapshot } from './process-log.ts';

export const HISTORY_FAILED = faultKind(
  'JD_HISTORY_FAILED',
  503,
  'see the part `history` in `jdos status` and the log; the thread is started again by itself',
);

export interface HistoryStore extends AsyncDisposable {
  /** Hands a collection over, its bytes with it. Dropped, and counted, while the thread does not keep up: its disk may hang. */
  take(lines: readonly Lines[], snapshot: Snapshot | undefined): void;
  /** JSON. */
  series(query: SeriesQuery): Promise<Buffer>;
  names(query: NamesQuery): Promise<Buffer>;
  processes(query: ProcessesQuery): Promise<Buffer>;
}

interface HistoryEvents {
  readonly onStats: (stats: HistoryStats) => void;
  readonly onGrowth: (growth: FdsGrowth) => void;
  readonly onTrouble: (message: string, cause: string) => void;
  /** Whether the thread is so far behind that collections are dropped. */
  readonly onBehind: (behind: boolean) => void;
  /** The thread ended without being asked to. */
  readonly onGone: (fault: Fault) => void;
}

type Question = Exclude<HistoryRequest, { kind: 'collected' }>;
type Asked = { [K in Question['kind']]: Omit<Extract<Question, { kind: K }>, 'id'> }[Question['kind']];
type Answered = Extract<HistoryReply, { id: number }>;

/** Collections on their way to the thread; about ten minutes of them. */
const MOST_UNTAKEN = 100;

/** Starts the thread and resolves when it has taken up what an earlier life left. Rejects with a Fault. */
export async function openHistoryStore(data: HistoryThreadData, events: HistoryEvents): Promise<HistoryStore> {
  const thread = new Worker(siblingModule(import.meta.url, 'history-thread'), { workerData: data });
  const waiting = new Map<number, { resolve: (reply: Answered) => void; reject: (error: unknown) => void }>();
  let [lastId, sent, taken] = [0, 0, 0];
  let gone: Fault | undefined;
  let closing = false;
  let behind = false;
  let cause: unknown;

  const { promise: ready, resolve: opened, reject: refused } = Promise.withResolvers<void>();
  const cannot = (why: string): Fault =>
    new Fault(HISTORY_FAILED, `history in ${data.dir} cannot be opened: ${why}`, cause === undefined ? {} : { cause });
  const onReply = (reply: HistoryReply): void => {
    switch (reply.kind) {
      case 'ready':
        return opened();
      case 'unusable':
        return refused(cannot(reply.message));
      case 'taken':
        taken = reply.taken;
        return;
      case 'stats':
        return events.onStats(reply.stats);
      case 'growth':
        return events.onGrowth(reply.growth);
      case 'trouble':
        return events.onTrouble(reply.message, reply.cause);
      default: {
        const caller = waiting.get(reply.id);
        waiting.delete(reply.id);
        if (reply.kind === 'failed') caller?.reject(new Fault(HISTORY_FAILED, reply.message));
        else caller?.resolve(reply);
      }
    }
  };
  thread.on('message', onReply);
  thread.on('error', (error) => (cause = error));
  thread.on('exit', () => {
    gone = new Fault(HISTORY_FAILED, `the thread of history in ${data.dir} ended`, { cause });
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
    refused(cannot('its thread ended'));
    if (!closing) events.onGone(gone);
  });
  await ready.catch((error: unknown) => {
    closing = true;
    throw error;
  });

  const post = (request: HistoryRequest): void => thread.postMessage(request);
  const ask = async (request: Asked): Promise<Buffer> => {
    const reply = await new Promise<Answered>((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      post({ ...request, id: lastId });
    });
    if (reply.kind !== 'answer') throw new Fault(HISTORY_FAILED, reply.message);
    return Buffer.from(reply.json.buffer);
  };
  return {
    take(lines, snapshot) {
      if (gone !== undefined || closing) return;
      const late = sent - taken >= MOST_UNTAKEN;
      if (late !== behind) events.onBehind((behind = late));
      if (late) return;
      sent += 1;
      const bytes = lines.flatMap(({ families }) => families.map(({ text }) => text.buffer));
      thread.postMessage({ kind: 'collected', lines, snapshot } satisfies HistoryRequest, bytes);
    },
    series: (query) => ask({ kind: 'series', query }),
    names: (query) => ask({ kind: 'names', query }),
    processes: (query) => ask({ kind: 'processes', query }),
    async [Symbol.asyncDispose]() {
      if (gone !== undefined || closing) return;
      closing = true;
      const exited = new Promise((resolve) => thread.once('exit', resolve));
      await ask({ kind: 'close' }).catch(() => undefined);
      await exited;
    },
  };
}
