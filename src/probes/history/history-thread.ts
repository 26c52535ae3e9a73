// The history thread: owns the files of history, and wakes once a minute to write.
import { parentPort, workerData } from 'node:worker_threads';
import { explain } from '../../base/fault.ts';
import type { HistoryReply, HistoryRequest, HistoryThreadData } from './messages.ts';
import { type LocalHistory, openLocalHistory } from './store.ts';

type Port = NonNullable<typeof parentPort>;
const MINUTE_MS = 60_000;
/** After the end of a minute its last collections may still be under way. */
const LATE_MS = 1500;

function serve(history: LocalHistory, port: Port, post: (reply: HistoryReply) => void): void {
  const answer = (id: number, value: object): void => {
    const json = new TextEncoder().encode(JSON.stringify(value));
    port.postMessage({ kind: 'answer', id, json } satisfies HistoryReply, [json.buffer]);
  };
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    timer = setTimeout(
      () => {
        history.tick();
        post({ kind: 'stats', stats: history.stats() });
        arm();
      },
      MINUTE_MS - (Date.now() % MINUTE_MS) + LATE_MS,
    ).unref();
  };
  const handle = (request: HistoryRequest): void => {
    switch (request.kind) {
      case 'collected':
        taken += 1;
        try {
          history.take(request.lines, request.snapshot);
        } catch (error) {
          post({ kind: 'trouble', message: 'a collection could not be taken into history', cause: explain(error) });
        }
        return post({ kind: 'taken', taken });
      case 'series':
        return answer(request.id, history.series(request.query));
      case 'names':
        return answer(request.id, history.names(request.query));
      case 'processes':
        return answer(request.id, history.processes(request.query));
      case 'close':
        clearTimeout(timer);
        history.close();
        answer(request.id, {});
        return port.close();
    }
  };
  port.on('message', (request: HistoryRequest) => {
    try {
      handle(request);
    } catch (error) {
      if ('id' in request) post({ kind: 'failed', id: request.id, message: explain(error) });
    }
  });
  arm();
}

function run(port: Port): void {
  const post = (reply: HistoryReply): void => port.postMessage(reply);
  try {
    const history = openLocalHistory({
      ...(workerData as HistoryThreadData),
      now: Date.now,
      onTrouble: (message, cause) => post({ kind: 'trouble', message, cause }),
      onGrowth: (growth) => post({ kind: 'growth', growth }),
    });
    serve(history, port, post);
    post({ kind: 'stats', stats: history.stats() });
    post({ kind: 'growth', growth: history.growth() });
    post({ kind: 'ready' });
  } catch (error) {
    post({ kind: 'unusable', message: explain(error) });
    port.close();
  }
}

if (parentPort !== null) run(parentPort);
