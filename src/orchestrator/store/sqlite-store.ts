// Objects in SQLite: each write is one transaction with a compare-and-set, and goes to the watchers once it is on disk.
import { Fault } from '../../base/fault.ts';
import type { Row, StateStore, Statement } from '../../drivers/sqlite/index.ts';
import type { AnyObject } from '../objects/meta.ts';
import {
  HISTORY_EXPIRED,
  OBJECT_CONFLICT,
  OBJECT_EXISTS,
  OBJECT_NOT_FOUND,
  type ObjectStore,
  type WatchEvent,
} from './object-store.ts';
import { openWatcher, type Watcher } from './watcher.ts';

const KEEP_MS = 10 * 60_000;
const KEEP_ROWS = 10_000;
/** Changes read at once from the history. */
const HISTORY_PAGE = 200;
/** History kept at most, where objects are large. */
const KEEP_BYTES = 64 * 1024 * 1024;
const MAX_ITEMS = 50_000;

interface SqliteObjectsOptions {
  /** Holds the tables of `orchestratorMigrations`; nothing else writes them. */
  readonly store: StateStore;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const HEAD = "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes')";

/** For a key and a revision. */
const UNCHANGED = 'EXISTS (SELECT 1 FROM objects WHERE key = ? AND rv = ?)';

const parse = (json: unknown, revision: unknown): AnyObject => {
  const object = JSON.parse(String(json)) as AnyObject;
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
};

const eventOf = ({ seq, key, type, json, previous }: Row): WatchEvent => ({
  type: type as WatchEvent['type'],
  key: String(key),
  revision: Number(seq),
  object: parse(json, seq),
  // The revision it had then is not kept; it only serves to compare with selectors.
  ...(previous === null || previous === undefined ? {} : { previous: parse(previous, 0) }),
});

/** The first key after all that begin with the prefix. */
const after = (prefix: string): string => `${prefix}\u{10ffff}`;

export function openSqliteObjects({ store, now }: SqliteObjectsOptions): ObjectStore {
  const watchers = new Set<Watcher>();
  let last: number | undefined;
  /** Writes and what is told to watchers, in order. */
  let tail: Promise<unknown> = Promise.resolve();

  /** Called by one write at a time. */
  const nextRevision = async (): Promise<number> => {
    last ??= Number((await store.get(`SELECT ${HEAD} AS head`))?.['head'] ?? 0);
    last += 1;
    return last;
  };

  interface Change {
    readonly type: WatchEvent['type'];
    readonly key: string;
    readonly object: AnyObject;
    readonly previous?: AnyObject;
    /** Holds before the change, or nothing is changed. */
    readonly when: { readonly sql: string; readonly values: readonly (string | number)[] };
    readonly apply: (revision: number, json: string) => Statement;
  }

  /** Makes the change and tells the watchers; undefined where the condition did not hold. */
  const change = ({ type, key, object, previous, when, apply }: Change): Promise<AnyObject | undefined> => {
    const done = tail.then(async () => {
      const revision = await nextRevision();
      const json = JSON.stringify(object);
      const changes = await store.write(
        {
          sql: `INSERT INTO changes (seq, at, key, type, json, previous) SELECT ?, ?, ?, ?, ?, (SELECT json FROM objects WHERE key = ?) WHERE ${when.sql}`,
          values: [revision, now(), key, type, json, key, ...when.values],
        },
        apply(revision, json),
      );
      if (changes === 0) return undefined;
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
      const event: WatchEvent = {
        type,
        key,
        revision,
        object: stored,
        ...(previous === undefined ? {} : { previous }),
      };
      const bytes = json.length * (previous === undefined ? 1 : 2);
      for (const watcher of watchers) watcher.offer(event, bytes);
      return stored;
    });
    tail = done.catch(() => undefined);
    return done;
  };

  const get = async (key: string): Promise<AnyObject | undefined> => {
    const row = await store.get('SELECT rv, json FROM objects WHERE key = ?', key);
    return row === undefined ? undefined : parse(row['json'], row['rv']);
  };
  const replace = async (
    type: 'MODIFIED' | 'DELETED',
    key: string,
    object: AnyObject,
    apply: (expected: number) => Change['apply'],
  ): Promise<AnyObject> => {
    const expected = Number(object.metadata.resourceVersion);
    const before = await get(key);
    if (before === undefined) throw new Fault(OBJECT_NOT_FOUND, `there is no ${key}`);
    const stored = await change({
      type,
      key,
      object,
      previous: before,
      when: { sql: UNCHANGED, values: [key, expected] },
      apply: apply(expected),
    });
    if (stored === undefined) throw new Fault(OBJECT_CONFLICT, `${key} has been changed since it was read`);
    return stored;
  };

  return {
    get,
    async list(prefix, { limit = MAX_ITEMS, after: from } = {}) {
      // One statement, so that the revision is that of the items.
      const rows = await store.all(
        `SELECT ${HEAD} AS head, o.key, o.rv, o.json FROM (SELECT 1) LEFT JOIN
          (SELECT key, rv, json FROM objects WHERE key > ? AND key < ? ORDER BY key LIMIT ?) o ON TRUE`,
        from ?? prefix,
        after(prefix),
        limit + 1,
      );
      const found = rows.filter((row) => row['key'] !== null);
      const items = found.slice(0, limit);
      const end = items.at(-1);
      return {
        items: items.map((row) => parse(row['json'], row['rv'])),
        revision: Number(rows[0]?.['head'] ?? 0),
        ...(found.length > limit && end !== undefined ? { next: String(end['key']) } : {}),
      };
    },
    async create(key, object, guard) {
      const stored = await change({
        type: 'ADDED',
        key,
        object,
        when: {
          sql: `NOT EXISTS (SELECT 1 FROM objects WHERE key = ?)${guard === undefined ? '' : ` AND ${UNCHANGED}`}`,
          values: guard === undefined ? [key] : [key, guard.key, Number(guard.resourceVersion)],
        },
        // The change was written before, in the same transaction, where its conditions held.
        apply: (revision, json) => ({
          sql: 'INSERT INTO objects (key, rv, uid, json) SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM changes WHERE seq = ?)',
          values: [key, revision, object.metadata.uid, json, revision],
        }),
      });
      if (stored !== undefined) return stored;
      if (guard === undefined || (await get(key)) !== undefined)
        throw new Fault(OBJECT_EXISTS, `${key} already exists`);
      throw new Fault(OBJECT_CONFLICT, `${guard.key} has been changed since it was read`);
    },
    update: (key, object) =>
      replace('MODIFIED', key, object, (expected) => (revision, json) => ({
        sql: 'UPDATE objects SET rv = ?, json = ? WHERE key = ? AND rv = ?',
        values: [revision, json, key, expected],
      })),
    remove: (key, object) =>
      replace('DELETED', key, object, (expected) => () => ({
        sql: 'DELETE FROM objects WHERE key = ? AND rv = ?',
        values: [key, expected],
      })),
    watch: (prefix, since) => openWatch(store, watchers, prefix, since),
    async compact() {
      await store.write({
        sql: `DELETE FROM changes WHERE at < ? OR seq <= ${HEAD} - ? OR seq <= coalesce((SELECT max(seq) FROM (SELECT seq,
          sum(octet_length(json) + coalesce(octet_length(previous), 0)) OVER (ORDER BY seq DESC) AS bytes FROM changes)
          WHERE bytes > ?), 0)`,
        values: [now() - KEEP_MS, KEEP_ROWS, KEEP_BYTES],
      });
    },
  };
}

/** Live changes are taken down from the first moment; the history up to the store's state then goes before them. */
async function openWatch(
  store: StateStore,
  watchers: Set<Watcher>,
  prefix: string,
  since: number | undefined,
): Promise<Watcher> {
  const early: Parameters<Watcher['offer']>[] = [];
  const listening = openWatcher(prefix, 0, () => undefined);
  const recording: Watcher = { ...listening, offer: (...offered) => void early.push(offered) };
  watchers.add(recording);
  try {
    const row = await store.get(`SELECT ${HEAD} AS head, (SELECT min(seq) FROM changes) AS oldest`);
    const head = Number(row?.['head'] ?? 0);
    const from = since ?? head;
    const oldest = row?.['oldest'] === null ? head + 1 : Number(row?.['oldest']);
    if (from > head || from < oldest - 1) {
      throw new Fault(HISTORY_EXPIRED, `too old resource version: ${from} (${oldest - 1})`);
    }
    const watcher = openWatcher(prefix, from, (one) => watchers.delete(one));
    for (let at = from; at < head && !watcher.ended();) {
      const rows = await store.all(
        'SELECT seq, key, type, json, previous FROM changes WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
        at,
        head,
        HISTORY_PAGE,
      );
      if (rows.length === 0) break;
      for (const row of rows)
        watcher.offer(eventOf(row), String(row['json']).length + String(row['previous'] ?? '').length);
      at = Number(rows.at(-1)?.['seq']);
    }
    for (const [event, bytes] of early) if (event.revision > head) watcher.offer(event, bytes);
    if (watcher.ended()) throw new Fault(HISTORY_EXPIRED, `more changes since ${from} than are handed out at once`);
    watchers.add(watcher);
    return watcher;
  } finally {
    watchers.delete(recording);
  }
}
