// SQLite honours the contract of object stores, and keeps what it acknowledged through kill -9.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openStateStore } from '../../../src/drivers/sqlite/index.ts';
import { orchestratorMigrations } from '../../../src/orchestrator/index.ts';
import { openSqliteObjects } from '../../../src/orchestrator/store/sqlite-store.ts';
import { honoursObjectStore, type OpenedStore } from '../../contracts/object-store.ts';
import { privateDirectory } from '../../support/daemon.ts';

async function open(t: Test, file = join(privateDirectory(t), 'objects.db')): Promise<OpenedStore> {
  // What the contract is about does not depend on fsync; the kill below is with it.
  const store = await openStateStore(file, [orchestratorMigrations], { synchronous: 'NORMAL' });
  t.teardown(() => store[Symbol.asyncDispose]());
  let now = Date.now();
  return { objects: openSqliteObjects({ store, now: () => now }), age: () => (now += 11 * 60_000) };
}

honoursObjectStore('SQLite', open);

t.test('what was acknowledged is there after kill -9, and revisions go on', async (t) => {
  const file = join(privateDirectory(t), 'objects.db');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (acknowledged += text));
  while (acknowledged.split('\n').length < 50) await sleep(20);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  const { objects } = await open(t, file);
  const { items, revision } = await objects.list('/registry/core/pods/');
  const kept = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  const lines = acknowledged.split('\n').slice(0, -1);
  t.ok(lines.length >= 49);
  for (const line of lines) {
    const [name = '', version = ''] = line.split(' ');
    t.equal(kept.get(name), version, name);
  }
  t.ok(revision >= Number(lines.at(-1)?.split(' ')[1]));
});
