// Follows the tables of a database for as long as it is wanted: connects again whenever the connection ends or is silent.
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../base/fault.ts';
import { openDatabase, type Database } from './database.ts';
import { OVS_DOWN, OVS_MISSING } from './faults.ts';
import type { Wish } from './schema.ts';
import type { Tables } from './tables.ts';

/** What is known of the database at this moment. */
export type DatabaseState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'down'; readonly why: Fault }
  | { readonly kind: 'followed'; readonly tables: Tables; readonly schemaVersion: string | undefined };

export interface Following extends Disposable {
  readonly state: DatabaseState;
  /** Connections that were opened, and bytes that came over all of them. */
  readonly connections: number;
  readonly received: number;
  /** Resolves when the state is no longer `connecting`, or after `ms`. */
  settled(ms: number): Promise<void>;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 15_000;
/** A server that said nothing for so long is asked whether it is there. */
const SILENCE_MS = 30_000;

/** Begins at once. Never throws: what went wrong is in the state. */
export function followDatabase(socket: string, name: string, wish: Wish): Following {
  const stopping = new AbortController();
  const { signal } = stopping;
  const first = Promise.withResolvers<void>();
  let state: DatabaseState = { kind: 'connecting' };
  let database: Database | undefined;
  let connections = 0;
  let received = 0;

  const become = (next: DatabaseState): void => {
    state = next;
    if (next.kind !== 'connecting') first.resolve();
  };
  /** Resolves with why the connection ended. */
  const follow = async (): Promise<Fault> => {
    const closed = Promise.withResolvers<Fault>();
    try {
      database = await openDatabase(socket, (why) => closed.resolve(why));
      connections += 1;
      const there = await database.databases();
      if (!there.includes(name)) throw new Fault(OVS_MISSING, `ovsdb-server at ${socket} has no database ${name}`);
      const { columns, version: schemaVersion } = await database.describe(name, wish);
      const show = (tables: Tables): void => become({ kind: 'followed', tables, schemaVersion });
      show(await database.monitor(name, columns, show));
      return await Promise.race([closed.promise, silent(database, signal)]);
    } catch (error) {
      return error instanceof Fault ? error : new Fault(OVS_DOWN, 'ovsdb-server cannot be followed', { cause: error });
    } finally {
      received += database?.received ?? 0;
      database?.[Symbol.dispose]();
      database = undefined;
    }
  };
  const run = async (): Promise<void> => {
    let delayMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const before = state;
      const why = await follow();
      if (state !== before && state.kind === 'followed') delayMs = FIRST_RETRY_MS;
      become({ kind: 'down', why });
      await pause(delayMs, signal);
      delayMs = Math.min(LAST_RETRY_MS, delayMs * 2);
    }
  };
  void run();
  return {
    get state() {
      return state;
    },
    get connections() {
      return connections;
    },
    get received() {
      return received + (database?.received ?? 0);
    },
    settled: async (ms) => {
      if (state.kind === 'connecting') await Promise.race([first.promise, pause(ms, signal)]);
    },
    [Symbol.dispose]() {
      stopping.abort();
      database?.[Symbol.dispose]();
    },
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);

/** Resolves with why, when the server does not answer any more. */
async function silent(database: Database, signal: AbortSignal): Promise<Fault> {
  try {
    for (;;) {
      await sleep(SILENCE_MS, undefined, { signal, ref: false });
      if (performance.now() - database.heardAt >= SILENCE_MS) await database.echo();
    }
  } catch (error) {
    return error instanceof Fault ? error : new Fault(OVS_DOWN, 'nobody follows any more');
  }
}
