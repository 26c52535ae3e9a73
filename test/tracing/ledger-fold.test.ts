// Reports from both sides become the same row in whatever order, however often, in memory and in the table.
import t from 'tap';
import { openStateStore } from '../../src/drivers/sqlite/index.ts';
import { type Facts, fold, keyOf } from '../../src/tracing/ledger/facts.ts';
import { isOfNow, messageTime, newMessageId, parseMessageId } from '../../src/tracing/ledger/message-id.ts';
import { factsOf, ledgerMigrations, upsert } from '../../src/tracing/ledger/table.ts';
import { privateDirectory } from '../support/daemon.ts';
import { random } from '../support/random.ts';
import { shuffled, someFacts } from './ledger-facts.ts';

const foldAll = (reports: readonly Facts[]): Map<string, Facts> => {
  const rows = new Map<string, Facts>();
  for (const facts of reports) {
    const before = rows.get(keyOf(facts));
    rows.set(keyOf(facts), before === undefined ? facts : fold(before, facts));
  }
  return rows;
};

t.test('the order of reports and their repetition change nothing', async (t) => {
  const next = random();
  for (let round = 0; round < 200; round += 1) {
    const ids = [newMessageId(), newMessageId()];
    const reports = Array.from({ length: 12 }, () => someFacts(next, ids));
    const once = foldAll(reports);
    const again = foldAll(shuffled([...reports, ...reports.slice(0, 5)], next));
    t.same(Object.fromEntries(again), Object.fromEntries(once));
  }
});

t.test('the table folds as memory does', async (t) => {
  const next = random();
  await using store = await openStateStore(`${privateDirectory(t)}/ml.db`, [ledgerMigrations], {
    synchronous: 'NORMAL',
  });
  const ids = Array.from({ length: 40 }, () => newMessageId());
  const reports = Array.from({ length: 600 }, () => someFacts(next, ids));
  for (let at = 0; at < reports.length; at += 50) await store.write(...reports.slice(at, at + 50).map(upsert));
  await store.write(...shuffled(reports, next).map(upsert));
  const rows = (await store.all('SELECT * FROM message')).map(factsOf);
  const expected = foldAll(reports);
  t.equal(rows.length, expected.size);
  for (const row of rows) t.same(row, expected.get(keyOf(row)));
});

t.test('an id tells its time and is a UUIDv7', async (t) => {
  const now = Date.UTC(2026, 10, 25, 10, 14, 3, 123);
  const id = newMessageId(now);
  t.equal(parseMessageId(id.toUpperCase()), id);
  t.equal(messageTime(id), now);
  t.ok(isOfNow(id, now + 1000));
  t.notOk(isOfNow(id, now + 2 * 86_400_000), 'an id of the day before yesterday is not of now');
  t.ok(newMessageId(now + 1) > id, 'ids sort by time');
  for (const wrong of ['', 'x', id.slice(1), `${id}0`, id.replace(/-7/, '-4'), '00000000-0000-0000-0000-000000000000'])
    t.equal(parseMessageId(wrong), undefined, `${wrong} is none`);
});
