// The store thread: transactions, durability over kill -9, migrations, and what goes wrong with files and disks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openStateStore, takeLock } from '../../src/drivers/sqlite/index.ts';

const NOTES = { part: 'notes', statements: ['CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT'] };

t.test('a statement that fails undoes the whole write', async (t) => {
  await using store = await openStateStore(join(t.testdir(), 's.db'), [NOTES]);
  const insert = 'INSERT INTO note VALUES (?, ?)';
  await t.rejects(store.write({ sql: insert, values: [1, 'a'] }, { sql: insert, values: [1, 'again'] }), {
    code: 'JD_STORE_FAILED',
  });
  t.same(await store.all('SELECT * FROM note'), []);
  t.equal(await store.write({ sql: insert, values: [1, 'a'] }, { sql: insert, values: [2, 'b'] }), 2);
  t.match(await store.get('SELECT text FROM note WHERE id = ?', 2), { text: 'b' });
  t.equal(await store.get('SELECT text FROM note WHERE id = ?', 3), undefined);
  t.ok((await store.size()) > 0);
});

t.test('migrations run once, go on where they ended, and refuse tables of a newer version', async (t) => {
  const file = join(t.testdir(), 's.db');
  const more = { part: 'notes', statements: [...NOTES.statements, "ALTER TABLE note ADD COLUMN tag TEXT DEFAULT ''"] };
  await (await openStateStore(file, [NOTES]))[Symbol.asyncDispose]();
  await using store = await openStateStore(file, [more]);
  await store.write({ sql: "INSERT INTO note VALUES (1, 'a', 'x')" });
  await store[Symbol.asyncDispose]();
  await t.rejects(openStateStore(file, [NOTES]), { code: 'JD_STORE_NEWER' });
});

t.test('a migration that fails leaves the tables as they were', async (t) => {
  const file = join(t.testdir(), 's.db');
  const broken = { part: 'notes', statements: [...NOTES.statements, 'CREATE TABLE other (id INTEGER)', 'NONSENSE'] };
  await t.rejects(openStateStore(file, [broken]), { code: 'JD_STORE_FAILED' });
  await using store = await openStateStore(file, [NOTES]);
  t.same(await store.all("SELECT name FROM sqlite_schema WHERE name = 'other'"), []);
});

t.test('what was acknowledged is there after kill -9', async (t) => {
  const dir = t.testdir({
    'writer.ts': `
      import { openStateStore } from '${join(import.meta.dirname, '../../src/drivers/sqlite/index.ts')}';
      const store = await openStateStore(process.argv[2], ${JSON.stringify([NOTES])});
      for (let id = 1; ; id += 1) {
        await store.write({ sql: 'INSERT INTO note VALUES (?, ?)', values: [id, 'n'] });
        process.stdout.write(id + '\\n');
      }`,
  });
  const file = join(dir, 's.db');
  const writer = spawn(process.execPath, [join(dir, 'writer.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of writer.stdout.setEncoding('utf8')) {
    said += String(chunk);
    if (said.split('\n').length > 20) break;
  }
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  const acknowledged = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
  await using store = await openStateStore(file, [NOTES]);
  const row = await store.get('SELECT count(*) AS n FROM note WHERE id <= ?', acknowledged);
  t.equal(row?.['n'], acknowledged);
});

t.test('a file that is no database is named, and left as it is', async (t) => {
  const file = join(
    t.testdir({ 's.db': 'not a database, surely, but long enough to look like one'.repeat(20) }),
    's.db',
  );
  const before = await readFile(file);
  await t.rejects(openStateStore(file, [NOTES]), { code: 'JD_STORE_DAMAGED', message: new RegExp(file) });
  t.same(await readFile(file), before);
});

t.test('a damaged page is an error of the read, not an empty answer', async (t) => {
  const file = join(t.testdir(), 's.db');
  const store = await openStateStore(file, [NOTES]);
  const text = 'x'.repeat(500);
  for (let i = 0; i < 20; i += 1) await store.write({ sql: 'INSERT INTO note(text) VALUES (?)', values: [text] });
  await store[Symbol.asyncDispose]();
  const whole = await readFile(file);
  await truncate(file, 4096);
  await writeFile(file, Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(whole.length - 4096, 0x5a)]));
  const opened = openStateStore(file, [NOTES]).then((s) =>
    s.all('SELECT * FROM note').finally(() => s[Symbol.asyncDispose]()),
  );
  await t.rejects(opened, { code: 'JD_STORE_DAMAGED' });
});

t.test('a store that is closed says so', async (t) => {
  const store = await openStateStore(join(t.testdir(), 's.db'), [NOTES]);
  await store[Symbol.asyncDispose]();
  await t.rejects(store.all('SELECT 1'), { code: 'JD_STORE_CLOSED' });
});

t.test('the lock is held by one, and free again when its holder is killed', async (t) => {
  const dir = t.testdir({
    'holder.ts': `
      import { takeLock } from '${join(import.meta.dirname, '../../src/drivers/sqlite/index.ts')}';
      console.log(takeLock(process.argv[2]) === undefined ? 'busy' : 'held');
      setInterval(() => {}, 1000);`,
  });
  const file = join(dir, 'lock');
  const holder = spawn(process.execPath, [join(dir, 'holder.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(holder.stdout, 'data')) as [Buffer];
  t.equal(said.toString().trim(), 'held');
  t.equal(takeLock(file), undefined);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = takeLock(file);
  t.not(lock, undefined);
  lock?.[Symbol.dispose]();
});
