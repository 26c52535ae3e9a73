// One partition file: blocks of spans, the index of trace ids, the index of services and operations, the packed segments.
import { openThreadDatabase, type ThreadDatabase } from '../../drivers/sqlite/index.ts';
import { type Block, type Piece, unpack } from './block.ts';
import type { Seen } from './block.ts';
import type { Span } from '../span.ts';

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS block (
    id INTEGER PRIMARY KEY, spans INTEGER NOT NULL, raw INTEGER NOT NULL, pieces BLOB NOT NULL, data BLOB NOT NULL
  ) STRICT`,
  // The low 8 bytes of the id first, so that the 64-bit ids of Zipkin and old Jaeger clients find their trace.
  `CREATE TABLE IF NOT EXISTS trace (key BLOB NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (key, block)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS service (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`,
  `CREATE TABLE IF NOT EXISTS operation (
    id INTEGER PRIMARY KEY, service INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (service, name)
  ) STRICT`,
  // Rows of service 0 are about all services, of operation 0 about all operations of a service, of -1 about those unnamed.
  `CREATE TABLE IF NOT EXISTS seen (
    service INTEGER NOT NULL, operation INTEGER NOT NULL, newest INTEGER NOT NULL, block INTEGER NOT NULL,
    oldest INTEGER NOT NULL, longest INTEGER NOT NULL, errors INTEGER NOT NULL, spans INTEGER NOT NULL,
    rootless INTEGER NOT NULL,
    PRIMARY KEY (service, operation, newest, block)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS segment (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
];

const ALL = 0;
const UNNAMED = -1;
/** Names that carry ids would make the index as large as the spans: beyond these numbers they are not told apart. */
const MAX_OPERATIONS = 20_000;
const MAX_OPERATIONS_PER_BLOCK = 300;
const PIECE_BYTES = 60;

/** A block that may hold what is searched. */
export interface Candidate {
  readonly block: number;
  /** Starts of its newest and oldest trace, Unix microseconds. */
  readonly newest: number;
  readonly oldest: number;
  /** Whether it holds parts of traces whose root is elsewhere. */
  readonly rootless: boolean;
}

interface Wanted {
  readonly service?: string | undefined;
  readonly operation?: string | undefined;
  /** Microseconds. */
  readonly minDuration: number;
}

export interface Partition extends Disposable {
  readonly file: string;
  /** Writes blocks and the ids of the segments they come from, in one transaction that is on disk when it returns. */
  write(blocks: readonly Block[], segments: readonly string[]): void;
  hasSegment(id: string): boolean;
  /** Pieces of traces with this id (32 hex digits, or the last 16), and what reads their spans. */
  find(id: string): readonly { readonly piece: Piece; readonly read: () => readonly Span[] }[];
  /** Blocks that may hold matching spans, newest first. */
  candidates(wanted: Wanted): IterableIterator<Candidate>;
  pieces(block: number): readonly Piece[];
  /** Unpacks a block. */
  open(block: number): (piece: Piece) => readonly Span[];
  names(): readonly { readonly service: string; readonly operation: string | null }[];
  counts(): { readonly blocks: number; readonly spans: number };
}

/** Opens or makes the file. Throws the errors of SQLite. */
export function openPartition(file: string): Partition {
  const db = openThreadDatabase(file, SCHEMA);
  const names = nameBook(db);
  const pieces: Partition['pieces'] = (block) => {
    const row = db.get('SELECT pieces FROM block WHERE id = ?', block);
    return row === undefined ? [] : parsePieces(row['pieces'] as Uint8Array, names.operation);
  };
  const open: Partition['open'] = (block) => {
    const row = db.get('SELECT data FROM block WHERE id = ?', block);
    if (row === undefined) throw new RangeError(`there is no block ${block} in ${file}`);
    return unpack(row['data'] as Uint8Array);
  };
  return {
    file,
    write(blocks, segments) {
      try {
        db.transaction(() => {
          for (const block of blocks) writeBlock(db, names, block);
          for (const id of segments) db.run('INSERT OR IGNORE INTO segment VALUES (?)', id);
        });
      } catch (error) {
        names.forget();
        throw error;
      }
    },
    hasSegment: (id) => db.get('SELECT 1 AS found FROM segment WHERE id = ?', id) !== undefined,
    find(id) {
      const low = Buffer.from(id.slice(-16), 'hex');
      const high = (fill: string): Buffer => Buffer.from(id.length === 32 ? id.slice(0, 16) : fill.repeat(16), 'hex');
      const rows = db.all(
        'SELECT block FROM trace WHERE key BETWEEN ? AND ? ORDER BY block',
        Buffer.concat([low, high('0')]),
        Buffer.concat([low, high('f')]),
      );
      return [...new Set(rows.map(({ block }) => Number(block)))].flatMap((block) =>
        pieces(block)
          .filter(({ traceId }) => traceId.endsWith(id))
          .map((piece) => ({ piece, read: () => open(block)(piece) })),
      );
    },
    *candidates({ service, operation, minDuration }) {
      const serviceId = service === undefined ? ALL : names.findService(service);
      if (serviceId === undefined) return;
      const operationId = operation === undefined ? ALL : (names.findOperation(serviceId, operation) ?? UNNAMED);
      const sql = `SELECT block, newest, oldest, rootless FROM seen
        WHERE service = ? AND operation ${operation === undefined ? '= ?' : `IN (?, ${UNNAMED})`} AND longest >= ?
        ORDER BY newest DESC`;
      for (const row of db.rows(sql, serviceId, operationId, minDuration))
        yield {
          block: Number(row['block']),
          newest: Number(row['newest']),
          oldest: Number(row['oldest']),
          rootless: row['rootless'] === 1,
        };
    },
    pieces,
    open,
    names: () =>
      db
        .all('SELECT s.name AS service, o.name AS operation FROM service s LEFT JOIN operation o ON o.service = s.id')
        .map(({ service, operation }) => ({
          service: String(service),
          operation: operation === null || operation === undefined ? null : String(operation),
        })),
    counts() {
      const row = db.get(
        'SELECT count(*) AS blocks, coalesce(sum(spans), 0) AS spans FROM seen WHERE service = 0 AND operation = 0',
      );
      return { blocks: Number(row?.['blocks']), spans: Number(row?.['spans']) };
    },
    [Symbol.dispose]: () => db[Symbol.dispose](),
  };
}

interface NameBook {
  readonly service: (name: string) => number;
  /** Undefined where there are too many. */
  readonly operationId: (service: number, name: string) => number | undefined;
  readonly operation: (id: number) => Piece['root'];
  readonly findService: (name: string) => number | undefined;
  readonly findOperation: (service: number, name: string) => number | undefined;
  /** After a transaction that was undone: its ids are not in the file. */
  readonly forget: () => void;
}

function nameBook(db: ThreadDatabase): NameBook {
  const ids = new Map<string, number>();
  const roots = new Map<number, Piece['root']>();
  let operations = Number(db.get('SELECT count(*) AS n FROM operation')?.['n']);
  const remembered = (key: string, find: () => number | undefined): number | undefined => {
    const id = ids.get(key) ?? find();
    if (id !== undefined) ids.set(key, id);
    return id;
  };
  const idOf = (sql: string, ...values: (string | number)[]): number | undefined => {
    const row = db.get(sql, ...values);
    return row === undefined ? undefined : Number(row['id']);
  };
  const findService = (name: string) => remembered(name, () => idOf('SELECT id FROM service WHERE name = ?', name));
  const findOperation = (service: number, name: string) =>
    remembered(`${service}\0${name}`, () =>
      idOf('SELECT id FROM operation WHERE service = ? AND name = ?', service, name),
    );
  return {
    findService,
    findOperation,
    service(name) {
      const known = findService(name);
      if (known !== undefined) return known;
      db.run('INSERT INTO service (name) VALUES (?)', name);
      return findService(name) ?? 0;
    },
    operationId(service, name) {
      const known = findOperation(service, name);
      if (known !== undefined) return known;
      if (operations >= MAX_OPERATIONS) return undefined;
      operations += 1;
      db.run('INSERT INTO operation (service, name) VALUES (?, ?)', service, name);
      return findOperation(service, name);
    },
    operation(id) {
      if (id === 0 || roots.has(id)) return roots.get(id);
      const row = db.get(
        'SELECT s.name AS service, o.name AS operation FROM operation o JOIN service s ON s.id = o.service WHERE o.id = ?',
        id,
      );
      const root =
        row === undefined ? undefined : { service: String(row['service']), operation: String(row['operation']) };
      roots.set(id, root);
      return root;
    },
    forget() {
      ids.clear();
      roots.clear();
      operations = Number(db.get('SELECT count(*) AS n FROM operation')?.['n']);
    },
  };
}

function writeBlock(db: ThreadDatabase, names: NameBook, block: Block): void {
  const pieces = Buffer.alloc(block.pieces.length * PIECE_BYTES);
  for (const [index, piece] of block.pieces.entries()) {
    const root = piece.root;
    const id = root === undefined ? 0 : (names.operationId(names.service(root.service), root.operation) ?? 0);
    writePiece(pieces, index * PIECE_BYTES, piece, id);
  }
  db.run(
    'INSERT INTO block (spans, raw, pieces, data) VALUES (?, ?, ?, ?)',
    block.spans,
    block.rawBytes,
    pieces,
    block.data,
  );
  const id = Number(db.get('SELECT last_insert_rowid() AS id')?.['id']);
  for (const { traceId } of block.pieces)
    db.run('INSERT INTO trace VALUES (?, ?)', Buffer.from(traceId.slice(16) + traceId.slice(0, 16), 'hex'), id);
  const rootless = block.pieces.some(({ root }) => root === undefined) ? 1 : 0;
  const insert = 'INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';
  for (const { service, operation, newest, oldest, longest, errors, spans } of rowsOf(block.seen, names))
    db.run(insert, service, operation, newest, id, oldest, longest, errors, spans, rootless);
}

type SeenRow = Omit<Seen, 'service' | 'operation'> & { readonly service: number; readonly operation: number };

/** One row for all services, one for each service, one for each operation. */
function rowsOf(seen: readonly Seen[], names: NameBook): Iterable<SeenRow> {
  const rows = new Map<string, SeenRow>();
  const add = (service: number, operation: number, { newest, oldest, longest, errors, spans }: Seen): void => {
    const key = `${service} ${operation}`;
    const row = rows.get(key);
    rows.set(key, {
      service,
      operation,
      newest: Math.max(newest, row?.newest ?? 0),
      oldest: Math.min(oldest, row?.oldest ?? oldest),
      longest: Math.max(longest, row?.longest ?? 0),
      errors: errors + (row?.errors ?? 0),
      spans: spans + (row?.spans ?? 0),
    });
  };
  const tooMany = seen.length > MAX_OPERATIONS_PER_BLOCK;
  for (const one of seen) {
    const service = names.service(one.service);
    add(ALL, ALL, one);
    add(service, ALL, one);
    add(service, (tooMany ? undefined : names.operationId(service, one.operation)) ?? UNNAMED, one);
  }
  return rows.values();
}

function writePiece(into: Buffer, at: number, piece: Piece, root: number): void {
  into.write(piece.traceId, at, 'hex');
  into.writeDoubleLE(piece.start, at + 16);
  into.writeDoubleLE(piece.end, at + 24);
  into.writeDoubleLE(piece.longest, at + 32);
  for (const [index, value] of [piece.spans, piece.errors, root, piece.offset, piece.length].entries())
    into.writeUInt32LE(value, at + 40 + index * 4);
}

function parsePieces(blob: Uint8Array, rootOf: NameBook['operation']): readonly Piece[] {
  const from = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  const pieces: Piece[] = [];
  for (let at = 0; at + PIECE_BYTES <= from.length; at += PIECE_BYTES) {
    const rootId = from.readUInt32LE(at + 48);
    pieces.push({
      traceId: from.toString('hex', at, at + 16),
      start: from.readDoubleLE(at + 16),
      end: from.readDoubleLE(at + 24),
      longest: from.readDoubleLE(at + 32),
      spans: from.readUInt32LE(at + 40),
      errors: from.readUInt32LE(at + 44),
      root: rootOf(rootId),
      offset: from.readUInt32LE(at + 52),
      length: from.readUInt32LE(at + 56),
    });
  }
  return pieces;
}
