// What the process runtime has: read from the disk once, then kept, because this daemon alone writes there.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ContainerFile,
  containerId,
  ExitFile,
  isSafeName,
  podDirectory,
  readOwn,
  SandboxFile,
  sandboxId,
  StartedFile,
} from './layout.ts';

export interface Entry {
  readonly id: string;
  readonly directory: string;
  readonly spec: ContainerFile;
  started?: StartedFile | undefined;
  exit?: ExitFile | undefined;
  /** Node waits for it; false for what an earlier daemon started. */
  isChild: boolean;
  /** TERM was sent by this daemon; a second one may mean something else to the workload. */
  wasAsked: boolean;
}

export interface Registry {
  readonly sandboxes: Map<string, SandboxFile>;
  readonly containers: Map<string, Entry>;
}

/** Leftovers of a creation or removal that was cut short are taken away. */
export async function loadRegistry(dir: string): Promise<Registry> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const registry: Registry = { sandboxes: new Map(), containers: new Map() };
  for (const podUid of (await readdir(dir)).filter(isSafeName)) await loadPod(dir, podUid, registry);
  return registry;
}

async function loadPod(dir: string, podUid: string, registry: Registry): Promise<void> {
  const pod = podDirectory(dir, podUid);
  for (const item of await readdir(pod, { withFileTypes: true })) {
    const path = join(pod, item.name);
    if (item.isDirectory()) {
      const spec = await readOwn(ContainerFile, join(path, 'spec.json'));
      if (spec === undefined) await rm(path, { recursive: true, force: true });
      else {
        const id = containerId(spec.podUid, spec.name, spec.attempt);
        const [started, exit] = [
          await readOwn(StartedFile, join(path, 'started.json')),
          await readOwn(ExitFile, join(path, 'exit.json')),
        ];
        registry.containers.set(id, { id, directory: path, spec, started, exit, isChild: false, wasAsked: false });
      }
    } else if (/^sandbox_\d+\.json$/.test(item.name)) {
      const sandbox = await readOwn(SandboxFile, path);
      if (sandbox !== undefined) registry.sandboxes.set(sandboxId(sandbox.podUid, sandbox.attempt), sandbox);
    }
  }
}
