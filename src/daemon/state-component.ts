// The state store as a part: opened at the start, retried when it fails, and until then refusing instead of waiting.
import { join } from 'node:path';
import type { Component } from '../base/component.ts';
import { Fault, faultKind } from '../base/fault.ts';
import { formatBytes } from '../base/units.ts';
import { type Migrations, openStateStore, type StateStore } from '../drivers/sqlite/index.ts';
import type { DataDir } from './data-dir.ts';

const STATE_UNAVAILABLE = faultKind(
  'JD_STATE_UNAVAILABLE',
  503,
  'see the part `state` in `jdos status` for why the store could not be opened',
);

interface StateComponent extends Component {
  /** Rejects with a Fault while the store is not open. */
  readonly store: StateStore;
}

const SIZE_EVERY_MS = 60_000;

export function stateComponent(dir: DataDir, migrations: readonly Migrations[]): StateComponent {
  const file = join(dir.state, 'state.db');
  let open: StateStore | undefined;
  let size: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const need = (): StateStore => {
    if (open === undefined) throw new Fault(STATE_UNAVAILABLE, 'the state store is not open');
    return open;
  };
  const measure = async (): Promise<void> => {
    size = await open?.size();
  };
  return {
    name: 'state',
    store: {
      all: async (...query) => need().all(...query),
      get: async (...query) => need().get(...query),
      write: async (...statements) => need().write(...statements),
      size: async () => need().size(),
      [Symbol.asyncDispose]: async () => open?.[Symbol.asyncDispose](),
    },
    async start() {
      open = await openStateStore(file, migrations);
      await measure();
      timer = setInterval(() => void measure(), SIZE_EVERY_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      await open?.[Symbol.asyncDispose]();
    },
    health: () => ({ state: 'available', ...(size === undefined ? {} : { summary: `${file}, ${formatBytes(size)}` }) }),
  };
}
