// The audit: who changed what, or was refused, when and from where; written before the answer to a change is sent.
import { explain, Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { route, type Caller, type Right, type Route } from '../base/route.ts';
import { z } from '../base/schema.ts';
import type { Row, Statement, StateStore } from '../drivers/sqlite/index.ts';
import type { Listener } from './access.ts';
import { AUDIT_UNAVAILABLE } from './faults.ts';

const MAX_QUEUE = 10_000;
const MAX_PATH = 500;
const KEEP_ROWS = 100_000;
const KEEP_MS = 90 * 86_400_000;
const PRUNE_EVERY = 1000;

export interface AuditEntry {
  /** Unix milliseconds. */
  readonly at: number;
  readonly request: string;
  readonly caller: Caller;
  readonly listener: Listener;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly right: Right;
  readonly status: number;
}

export interface Audit {
  /** Resolves when the entry is on disk, or kept in memory to be tried again with the next when it cannot be written. */
  record(entry: AuditEntry): Promise<void>;
  /** Rejects with a Fault while earlier entries cannot be written: no change may be made then. */
  ready(): Promise<void>;
  /** Why entries cannot be written, if so. */
  failure(): unknown;
}

const INSERT = `INSERT INTO audit (at, request, name, role, origin, listener, method, path, permission, status)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const insertion = ({ caller, ...entry }: AuditEntry): Statement => ({
  sql: INSERT,
  values: [
    entry.at,
    entry.request,
    caller.name,
    caller.role,
    caller.from,
    entry.listener,
    entry.method,
    entry.path.slice(0, MAX_PATH),
    entry.right,
    entry.status,
  ],
});

/** Keeps 90 days and 100,000 rows. */
const pruning = (now: number): readonly Statement[] => [
  { sql: 'DELETE FROM audit WHERE at < ?', values: [now - KEEP_MS] },
  { sql: 'DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?', values: [KEEP_ROWS] },
];

/** The audit in a store with the tables of {@link file://./migrations.ts}. */
export function openAudit(store: StateStore, log: Logger): Audit {
  let queue: AuditEntry[] = [];
  let sincePruned = PRUNE_EVERY;
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;

  const write = async (): Promise<void> => {
    const batch = queue;
    if (batch.length === 0) return;
    queue = [];
    const prune = sincePruned + batch.length > PRUNE_EVERY;
    try {
      await store.write(...batch.map(insertion), ...(prune ? pruning(batch.at(-1)?.at ?? 0) : []));
      sincePruned = prune ? 0 : sincePruned + batch.length;
      failure = undefined;
    } catch (error) {
      if (failure === undefined) log.error({ err: error }, 'the audit cannot be written, changes are refused');
      failure = error;
      // The newest are dropped beyond the bound: the oldest tell how it began.
      queue = [...batch, ...queue].slice(0, MAX_QUEUE);
    }
  };
  // One write at a time takes along all that was queued meanwhile.
  const flush = (): Promise<void> => (writing = writing.then(write));

  return {
    async record(entry) {
      if (queue.length < MAX_QUEUE) queue.push(entry);
      await flush();
    },
    async ready() {
      if (failure === undefined) return;
      await flush();
      if (failure !== undefined) {
        const why = explain(failure);
        throw new Fault(AUDIT_UNAVAILABLE, `no change is made, because the audit cannot be written: ${why}`);
      }
    },
    failure: () => failure,
  };
}

const AuditRow = z.object({
  id: z.number().int(),
  at: z.number().describe('Unix milliseconds'),
  request: z.string(),
  name: z.string(),
  role: z.string(),
  from: z.string(),
  listener: z.string(),
  method: z.string(),
  path: z.string(),
  right: z.string(),
  status: z.number().int(),
});

const rowOf = ({ origin, permission, ...row }: Row): Row => ({
  ...row,
  from: origin ?? null,
  right: permission ?? null,
});

/** GET /jdos/v1/audit, newest first. */
export const auditRoute = (store: StateStore): Route =>
  route({
    method: 'GET',
    path: '/jdos/v1/audit',
    right: 'admin',
    summary: 'Who changed what or was refused, newest first',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      cursor: z.coerce.number().int().min(1).default(Number.MAX_SAFE_INTEGER).describe('next of the page before'),
    }),
    reply: z.object({ items: z.array(AuditRow), next: z.string().optional() }),
    async handler({ query: { limit, cursor } }) {
      const rows = await store.all('SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?', cursor, limit + 1);
      const items = rows.slice(0, limit).map(rowOf);
      const last = items.at(-1);
      const next = rows.length > limit && last !== undefined ? { next: String(last['id']) } : {};
      return { body: { items, ...next } };
    },
  });
