// Opens a SQLite file in a thread of its own and hands out the asynchronous port to it.
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { Fault } from '../../base/fault.ts';
import { siblingModule } from '../../base/sibling-module.ts';
import { storeFault, STORE_CLOSED } from './faults.ts';
import type { StoreReply, StoreRequest, StoreThreadData } from './messages.ts';
import type { Migrations, StateStore, StoreOptions } from './state-store.ts';

interface Waiting {
  readonly resolve: (reply: StoreReply) => void;
  readonly reject: (error: unknown) => void;
}

type Asked = { [K in StoreRequest['kind']]: Omit<Extract<StoreRequest, { kind: K }>, 'id'> }[StoreRequest['kind']];

/**
 * Opens the database, applies the migrations, and resolves when it can be used.
 * Rejects with a Fault: the disk is full, the file is no database or damaged, or a newer version wrote it.
 */
export async function openStateStore(
  file: string,
  migrations: readonly Migrations[],
  options: StoreOptions = {},
): Promise<StateStore> {
  const thread = new Worker(siblingModule(import.meta.url, 'store-thread'), {
    workerData: { file, migrations, ...options } satisfies StoreThreadData,
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let gone: Fault | undefined;

  const abandon = (fault: Fault): void => {
    gone ??= fault;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  thread.on('exit', () => abandon(new Fault(STORE_CLOSED, `the store ${file} is closed`)));
  await ready(thread, file);
  thread.on('error', (error) =>
    abandon(new Fault(STORE_CLOSED, `the thread of the store ${file} failed`, { cause: error })),
  );
  thread.on('message', (reply: StoreReply) => {
    if (!('id' in reply)) return;
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.kind === 'failed') caller?.reject(storeFault(file, reply.problem));
    else caller?.resolve(reply);
  });

  const ask = (request: Asked): Promise<StoreReply> =>
    new Promise((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      thread.postMessage({ ...request, id: lastId });
    });

  const all: StateStore['all'] = async (sql, ...values) => {
    const reply = await ask({ kind: 'read', statement: { sql, values } });
    return reply.kind === 'rows' ? reply.rows : [];
  };
  return {
    all,
    get: async (sql, ...values) => (await all(sql, ...values))[0],
    async write(...statements) {
      const reply = await ask({ kind: 'write', statements });
      return reply.kind === 'changes' ? reply.changes : 0;
    },
    async size() {
      const sizes = await Promise.all(
        [file, `${file}-wal`].map((path) =>
          stat(path).then(
            (s) => s.size,
            () => 0,
          ),
        ),
      );
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    async [Symbol.asyncDispose]() {
      if (gone !== undefined) return;
      const exited = new Promise((resolve) => thread.once('exit', resolve));
      await ask({ kind: 'close' });
      await exited;
    },
  };
}

function ready(thread: Worker, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause?: unknown): void =>
      reject(new Fault(STORE_CLOSED, `the thread of the store ${file} did not start`, { cause }));
    thread.once('message', (reply: StoreReply) => {
      if (reply.kind === 'ready') return resolve();
      if (reply.kind === 'unusable') reject(storeFault(file, reply.problem));
    });
    thread.once('error', failed);
    thread.once('exit', () => failed());
  });
}
