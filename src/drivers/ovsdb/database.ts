// One connection to ovsdb-server (RFC 7047 and the extensions of ovsdb-server(7)): every call has a deadline.
import { Fault } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import { OVS_GARBLED, OVS_REFUSED } from './faults.ts';
import { chooseColumns, type Columns, type Described, type Wish } from './schema.ts';
import { applyUpdates, type Dialect, type Tables } from './tables.ts';
import { readResults, type Operation, type OperationResult } from './transact.ts';
import { openWire } from './wire.ts';

export interface Database extends Disposable {
  /** The names of the databases that the server has. */
  databases(): Promise<readonly string[]>;
  /** What of the wished columns a database has. */
  describe(database: string, wish: Wish): Promise<Described>;
  /** Resolves with all rows; later ones are handed to `onTables`. One monitor at a time for each connection. */
  monitor(database: string, columns: Columns, onTables: (tables: Tables) => void): Promise<Tables>;
  /** Does all of the operations or none; rejects with a Fault. */
  transact(
    database: string,
    operations: readonly Operation[],
    deadlineMs?: number,
  ): Promise<readonly OperationResult[]>;
  /** Asks whether the server is there. */
  echo(): Promise<void>;
  /** When something came last, by performance.now(). */
  readonly heardAt: number;
  /** Bytes that came so far. */
  readonly received: number;
}

/** The database of thousands of ports is some megabytes. */
const LIMITS = { bytes: 48 * 1024 * 1024, depth: 64 };
const CONNECT_MS = 2000;
const CALL_MS = 5000;
/** The first rows of a large database take their time. */
const MONITOR_MS = 20_000;
const MONITOR_ID = 'jdos';

const METHODS = { update2: 'monitor_cond', update: 'monitor' } as const satisfies Record<Dialect, string>;

/** Connects. `onClose` is called once, when the connection is no more. */
export async function openDatabase(socket: string, onClose: (why: Fault) => void): Promise<Database> {
  /** Updates can come in one piece with the first rows, before these are taken. */
  let early: (readonly [updates: unknown, dialect: Dialect])[] = [];
  let watched: ((updates: unknown, dialect: Dialect) => void) | undefined;
  const wire = await openWire({
    socket,
    who: 'ovsdb-server',
    limits: LIMITS,
    connectMs: CONNECT_MS,
    onClose,
    onCall(method, params) {
      if (method === 'echo') return params;
      if ((method === 'update' || method === 'update2') && Array.isArray(params) && params[0] === MONITOR_ID) {
        if (watched === undefined) early.push([params[1], method]);
        else watched(params[1], method);
      }
      return undefined;
    },
  });
  const call = (method: string, params: readonly unknown[], deadlineMs = CALL_MS): Promise<unknown> =>
    wire.call({ method, params, deadlineMs });

  const begin = async (database: string, columns: Columns, dialect: Dialect): Promise<Tables> => {
    const requests = Object.fromEntries(
      [...columns].map(([table, types]) => [table, [{ columns: [...types.keys()] }]]),
    );
    const rows = await call(METHODS[dialect], [database, MONITOR_ID, requests], MONITOR_MS);
    return applyUpdates(new Map([...columns.keys()].map((table) => [table, new Map()])), rows, columns, dialect);
  };

  return {
    async databases() {
      const parsed = z.array(z.string()).safeParse(await call('list_dbs', []));
      if (!parsed.success) throw new Fault(OVS_GARBLED, 'the list of databases cannot be understood');
      return parsed.data;
    },
    async describe(database, wish) {
      return chooseColumns(await call('get_schema', [database]), wish);
    },
    async monitor(database, columns, onTables) {
      let tables = await begin(database, columns, 'update2').catch((error: unknown) => {
        // Before Open vSwitch 2.6 there is no such method.
        if (error instanceof Fault && error.code === OVS_REFUSED.code) return begin(database, columns, 'update');
        throw error;
      });
      for (const [updates, dialect] of early) tables = applyUpdates(tables, updates, columns, dialect);
      early = [];
      watched = (updates, dialect) => onTables((tables = applyUpdates(tables, updates, columns, dialect)));
      return tables;
    },
    async transact(database, operations, deadlineMs = CALL_MS) {
      return readResults(await call('transact', [database, ...operations], deadlineMs), operations);
    },
    async echo() {
      await call('echo', []);
    },
    get heardAt() {
      return wire.heardAt;
    },
    get received() {
      return wire.received;
    },
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}
