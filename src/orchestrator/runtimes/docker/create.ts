// A container of a name, made once: where another call, or one before a crash, has made it already, it is found.
import { Fault } from '../../../base/fault.ts';
import type { ContainerSpec, Docker } from '../../../drivers/docker/index.ts';
import { CONTAINER_START_FAILED } from '../faults.ts';
import { ours } from './names.ts';

export interface Made {
  readonly id: string;
  /** What Docker discarded of the limits, in its words. */
  readonly warnings: readonly string[];
}

/** Docker says this of every container, also of those that have no network of its own. */
const NO_CONCERN = /IPv[46] forwarding is disabled/;

export async function created(engine: Docker, name: string, spec: ContainerSpec, installation: string): Promise<Made> {
  const made = await engine.create(name, spec);
  if (made !== undefined) return { ...made, warnings: made.warnings.filter((text) => !NO_CONCERN.test(text)) };
  const there = await engine.inspect(name);
  if (there !== undefined) return { id: ours(there, installation).Id, warnings: [] };
  throw new Fault(CONTAINER_START_FAILED, `container ${name} is being removed`);
}
