// Writes objects until it is killed, and says of each when it was acknowledged. Run by sqlite.test.ts.
import { openStateStore } from '../../../src/drivers/sqlite/index.ts';
import { orchestratorMigrations } from '../../../src/orchestrator/store/migrations.ts';
import { openSqliteObjects } from '../../../src/orchestrator/store/sqlite-store.ts';
import { object } from '../../contracts/object-store.ts';

const store = await openStateStore(process.argv[2] ?? '', [orchestratorMigrations]);
const objects = openSqliteObjects({ store, now: Date.now });
for (let i = 0; ; i += 1) {
  const name = `p${i}`;
  const made = await objects.create(`/registry/core/pods/default/${name}`, object(name));
  process.stdout.write(`${name} ${made.metadata.resourceVersion}\n`);
}
