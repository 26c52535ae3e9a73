// What the inspector keeps: runs, what it remembers of targets, observations for differences, and the report's schedule.
import type { Migrations, Row, StateStore, Statement } from '../drivers/sqlite/index.ts';
import type { Past } from './check.ts';
import type { History } from './facts.ts';
import type { Memory } from './judge.ts';
import type { Run } from './model.ts';
import type { Memories, RunOutcome } from './run.ts';
import type { ReportSchedule } from './schedule.ts';

export const inspectorMigrations: Migrations = {
  part: 'inspector',
  statements: [
    `CREATE TABLE inspector_runs (
      id TEXT PRIMARY KEY, started_at INTEGER NOT NULL, score INTEGER NOT NULL, run TEXT NOT NULL,
      report_key TEXT UNIQUE, asked INTEGER NOT NULL, reported_at INTEGER) STRICT`,
    'CREATE INDEX inspector_runs_by_time ON inspector_runs (started_at, id)',
    `CREATE TABLE inspector_states (
      code TEXT NOT NULL, target TEXT NOT NULL, memory TEXT NOT NULL, PRIMARY KEY (code, target)) STRICT`,
    `CREATE TABLE inspector_observations (
      series TEXT NOT NULL, at INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, at)) STRICT, WITHOUT ROWID`,
    'CREATE INDEX inspector_observations_by_time ON inspector_observations (at)',
    `CREATE TABLE inspector_schedules (
      id TEXT PRIMARY KEY, first_seen_at INTEGER NOT NULL, last_key TEXT) STRICT`,
  ],
};

const DAY_MS = 86_400_000;
/** Sweeps are for looking back a week; what was reported or asked for by a person stays for a year and its month. */
const KEEP_SWEEPS_MS = 8 * DAY_MS;
const KEEP_REPORTS_MS = 400 * DAY_MS;
const REPORT = 'report';

/** Why a run was made: by the clock, for the daily report (with its key), or because someone asked. */
export type Occasion = { readonly kind: 'sweep' | 'asked' } | { readonly kind: 'report'; readonly key: string };

/** Writes a run and everything it changed, in one transaction; also frees what is too old. */
export async function saveRun(store: StateStore, outcome: RunOutcome, occasion: Occasion): Promise<void> {
  const { run, memories, remember } = outcome;
  const key = occasion.kind === 'report' ? occasion.key : null;
  const states = [...memories].flatMap(([code, targets]) =>
    [...targets].map(([target, memory]): Statement => ({
      sql: 'INSERT INTO inspector_states VALUES (?, ?, ?)',
      values: [code, target, JSON.stringify(memory)],
    })),
  );
  const observations = remember.map(({ series, at, value }): Statement => ({
    sql: 'INSERT OR REPLACE INTO inspector_observations VALUES (?, ?, ?)',
    values: [series, Math.round(at), value],
  }));
  const asked = occasion.kind === 'sweep' ? 0 : 1;
  await store.write(
    {
      sql: `INSERT INTO inspector_runs (id, started_at, score, run, report_key, asked) VALUES (?, ?, ?, ?, ?, ?)`,
      values: [run.id, run.startedAt, run.score, JSON.stringify(run), key, asked],
    },
    { sql: 'DELETE FROM inspector_states' },
    ...states,
    ...observations,
    ...retention(run.startedAt),
  );
}

const retention = (now: number): readonly Statement[] => [
  { sql: 'DELETE FROM inspector_observations WHERE at < ?', values: [now - KEEP_SWEEPS_MS] },
  { sql: 'DELETE FROM inspector_runs WHERE started_at < ? AND asked = 0', values: [now - KEEP_SWEEPS_MS] },
  { sql: 'DELETE FROM inspector_runs WHERE started_at < ?', values: [now - KEEP_REPORTS_MS] },
];

export async function loadMemories(store: StateStore): Promise<Memories> {
  const memories = new Map<string, Map<string, Memory>>();
  for (const row of await store.all('SELECT code, target, memory FROM inspector_states')) {
    const code = String(row['code']);
    const targets = memories.get(code) ?? new Map<string, Memory>();
    targets.set(String(row['target']), JSON.parse(String(row['memory'])) as Memory);
    memories.set(code, targets);
  }
  return memories;
}

/** The remembered values for the declared ages, and the oldest of each series. */
export async function loadHistory(store: StateStore, ages: readonly number[], now: number): Promise<History> {
  const pick = (order: 'max' | 'min', until: number): Promise<readonly Row[]> =>
    store.all(
      `SELECT series, ${order}(at) AS at, value FROM inspector_observations WHERE at <= ? GROUP BY series`,
      until,
    );
  const byAge = new Map<number, ReadonlyMap<string, Past>>();
  for (const age of new Set(ages)) byAge.set(age, pasts(await pick('max', now - age * 1000)));
  return { byAge, oldest: pasts(await pick('min', now)) };
}

const pasts = (rows: readonly Row[]): ReadonlyMap<string, Past> =>
  new Map(rows.map((row) => [String(row['series']), { at: Number(row['at']), value: Number(row['value']) }]));

const runOf = (row: Row): Run => JSON.parse(String(row['run'])) as Run;

export async function latestRun(store: StateStore): Promise<Run | undefined> {
  const row = await store.get('SELECT run FROM inspector_runs ORDER BY started_at DESC, id DESC LIMIT 1');
  return row === undefined ? undefined : runOf(row);
}

export async function findRun(store: StateStore, id: string): Promise<Run | undefined> {
  const row = await store.get('SELECT run FROM inspector_runs WHERE id = ?', id);
  return row === undefined ? undefined : runOf(row);
}

/** Where a page of runs ended. */
export interface RunCursor {
  readonly startedAt: number;
  readonly id: string;
}

/** Runs older than the cursor, newest first. */
export async function listRuns(
  store: StateStore,
  after: RunCursor | undefined,
  limit: number,
): Promise<readonly Run[]> {
  const { startedAt, id } = after ?? { startedAt: Number.MAX_SAFE_INTEGER, id: '' };
  const rows = await store.all(
    'SELECT run FROM inspector_runs WHERE (started_at, id) < (?, ?) ORDER BY started_at DESC, id DESC LIMIT ?',
    startedAt,
    id,
    limit,
  );
  return rows.map(runOf);
}

/** The run of a daily report that was made but perhaps not handed over. */
export async function runForKey(store: StateStore, key: string): Promise<Run | undefined> {
  const row = await store.get('SELECT run FROM inspector_runs WHERE report_key = ?', key);
  return row === undefined ? undefined : runOf(row);
}

/** The last reported run that began before a moment. */
export async function reportedBefore(store: StateStore, before: number): Promise<Run | undefined> {
  const row = await store.get(
    `SELECT run FROM inspector_runs WHERE reported_at IS NOT NULL AND report_key IS NOT NULL AND started_at < ?
     ORDER BY started_at DESC LIMIT 1`,
    before,
  );
  return row === undefined ? undefined : runOf(row);
}

/** Scores of the daily reports begun in a span, oldest first. */
export async function reportScores(store: StateStore, from: number, before: number): Promise<readonly number[]> {
  const rows = await store.all(
    `SELECT score FROM inspector_runs WHERE report_key IS NOT NULL AND reported_at IS NOT NULL
     AND started_at >= ? AND started_at < ? ORDER BY started_at`,
    from,
    before,
  );
  return rows.map((row) => Number(row['score']));
}

/** The report's schedule; made at the first call. */
export async function loadSchedule(store: StateStore, now: number): Promise<ReportSchedule> {
  await store.write({
    sql: 'INSERT OR IGNORE INTO inspector_schedules (id, first_seen_at) VALUES (?, ?)',
    values: [REPORT, now],
  });
  const row = await store.get('SELECT first_seen_at, last_key FROM inspector_schedules WHERE id = ?', REPORT);
  const lastKey = row?.['last_key'];
  return {
    firstSeenAt: Number(row?.['first_seen_at'] ?? now),
    lastKey: typeof lastKey === 'string' ? lastKey : undefined,
  };
}

/** Notes that the report of a fire was handed over, or (without a run) given up. */
export async function closeReport(
  store: StateStore,
  key: string,
  done: { readonly runId: string; readonly at: number } | undefined,
): Promise<void> {
  const handed =
    done === undefined
      ? []
      : [{ sql: 'UPDATE inspector_runs SET reported_at = ? WHERE id = ?', values: [done.at, done.runId] }];
  await store.write(...handed, {
    sql: 'UPDATE inspector_schedules SET last_key = ? WHERE id = ?',
    values: [key, REPORT],
  });
}
