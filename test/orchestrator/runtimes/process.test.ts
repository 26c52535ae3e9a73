// The process runtime honours the contract of runtimes.
import { join } from 'node:path';
import { openLog } from '../../../src/base/logging.ts';
import { openProcessRuntime } from '../../../src/orchestrator/index.ts';
import { honoursRuntime } from '../../contracts/runtime.ts';
import { privateDirectory } from '../../support/daemon.ts';

honoursRuntime('process', async (t) => {
  const options = { dir: join(privateDirectory(t), 'pods'), log: openLog('test', 'silent'), now: Date.now };
  return { runtime: openProcessRuntime(options), reopen: () => openProcessRuntime(options) };
});
