// Watches over the processes: starts them, learns how they end, stops them, and leaves nothing of them behind.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../../base/fault.ts';
import type { Logger } from '../../../base/logging.ts';
import { CONTAINER_START_FAILED, CONTAINER_STOP_LATE } from '../faults.ts';
import { type Cgroups, containerGroup, killAll } from './cgroups.ts';
import { endOf } from './ends.ts';
import { ExitFile, FailureFile, readOwn, StartedFile, writeOwn } from './layout.ts';
import { isAlive, readStat, sessionMembers, signal } from './proc.ts';
import type { Entry } from './registry.ts';
import { spawnStub } from './spawn.ts';

const POLL_MS = 1000;
const STOP_POLL_MS = 50;
/** How long after SIGKILL a process may take to be gone. */
const KILL_DEADLINE_MS = 30_000;
const SWEEP_DEADLINE_MS = 10_000;

export interface Watch {
  /** Resolves with warnings when the workload runs, or with none of it running but its end noted. */
  start(entry: Entry): Promise<readonly string[]>;
  stop(entry: Entry, graceSeconds: number): Promise<void>;
  /** Looks after what no event will tell of: processes that an earlier daemon started. */
  refresh(): Promise<void>;
  /** Kills what an ended container left behind. */
  sweep(entry: Entry): Promise<void>;
}

interface Ground {
  readonly containers: ReadonlyMap<string, Entry>;
  readonly cgroups: Cgroups;
  readonly bootId: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly changed: () => void;
}

type WaitStatus = Parameters<typeof endOf>[0]['status'];

/** Begins at once, and polls only while there are processes that nobody waits for. */
export function watchOver({ containers, cgroups, bootId, log, now, changed }: Ground): Watch {
  const starting = new Set<Entry>();
  const concluding = new Map<Entry, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  const sweep = async (entry: Entry): Promise<void> => {
    const { started, spec, isChild } = entry;
    const group = containerGroup(spec);
    const members = async (): Promise<readonly number[]> => {
      if (spec.run.cgroupProcs.length > 0) return cgroups.members(group);
      // Without cgroups the session is what is left to go by, and only where its number cannot have been used again.
      if (started === undefined || !isChild || (await readStat(started.pid)) !== undefined) return [];
      return sessionMembers(started.pid);
    };
    if (!(await killAll(members, SWEEP_DEADLINE_MS)))
      log.warn({ container: entry.id }, 'processes of an ended container survive SIGKILL');
  };

  const finish = async (entry: Entry, status?: WaitStatus): Promise<void> => {
    const file = join(entry.directory, 'exit.json');
    const failure = await readOwn(FailureFile, join(entry.directory, 'failure.json'));
    const oomKills = await cgroups.oomKills(containerGroup(entry.spec));
    const rebooted = entry.started !== undefined && entry.started.bootId !== bootId;
    const known = await readOwn(ExitFile, file);
    const end = known ?? endOf({ ...(status === undefined ? {} : { status }), failure, oomKills, rebooted }, now());
    if (known === undefined)
      await writeOwn(file, end).catch((err: unknown) =>
        log.error({ container: entry.id, err }, 'how a container ended could not be written down'),
      );
    await sweep(entry);
    entry.exit = end;
    changed();
  };

  const conclude = (entry: Entry, status?: WaitStatus): Promise<void> => {
    const under = concluding.get(entry);
    if (under !== undefined || entry.exit !== undefined) return under ?? Promise.resolve();
    const work = finish(entry, status).finally(() => concluding.delete(entry));
    concluding.set(entry, work);
    return work;
  };

  const isUnwatched = (entry: Entry): boolean => entry.exit === undefined && !entry.isChild && !starting.has(entry);

  const look = async (entry: Entry): Promise<void> => {
    if (!isUnwatched(entry)) return;
    // The stub of a daemon that died may come into being after this one has read the disk.
    const started = entry.started ?? (await readOwn(StartedFile, join(entry.directory, 'started.json')));
    if (started === undefined || !isUnwatched(entry)) return;
    entry.started = started;
    if (started.bootId !== bootId || !(await isAlive(started.pid, started.startTicks))) await conclude(entry);
  };

  const refresh = async (): Promise<void> => {
    await Promise.all([...containers.values()].map(look));
    schedule();
  };

  const schedule = (): void => {
    if (timer !== undefined || ![...containers.values()].some(isUnwatched)) return;
    timer = setTimeout(() => {
      timer = undefined;
      refresh().catch((err: unknown) => log.error({ err }, 'adopted processes could not be looked after'));
    }, POLL_MS).unref();
  };
  schedule();

  const hasEnded = async (entry: Entry, withinMs: number): Promise<boolean> => {
    const until = performance.now() + withinMs;
    for (;;) {
      await look(entry);
      await concluding.get(entry);
      if (entry.exit !== undefined) return true;
      if (performance.now() >= until) return false;
      await sleep(Math.min(STOP_POLL_MS, Math.max(1, until - performance.now())));
    }
  };

  return {
    sweep,
    refresh,
    async start(entry) {
      starting.add(entry);
      try {
        const { child, settled } = await spawnStub(entry.directory);
        const exited = new Promise<NonNullable<WaitStatus>>((resolve) =>
          child.once('exit', (code, signalName) => resolve({ code, signal: signalName })),
        );
        const warnings = await settled;
        const started = await readOwn(StartedFile, join(entry.directory, 'started.json'));
        if (started === undefined) throw await stubFailed(entry);
        entry.started = started;
        entry.isChild = started.pid === child.pid;
        if (entry.isChild)
          exited
            .then((status) => conclude(entry, status))
            .catch((err: unknown) => log.error({ container: entry.id, err }, 'the end of a container was not handled'));
        return warnings;
      } finally {
        starting.delete(entry);
        schedule();
        changed();
      }
    },
    async stop(entry, graceSeconds) {
      await look(entry);
      await concluding.get(entry);
      const { started } = entry;
      if (started === undefined || entry.exit !== undefined) return;
      if (!entry.wasAsked && (await isAlive(started.pid, started.startTicks))) {
        entry.wasAsked = true;
        signal(-started.pid, 'SIGTERM');
      }
      if (await hasEnded(entry, graceSeconds * 1000)) return;
      if (await isAlive(started.pid, started.startTicks)) signal(-started.pid, 'SIGKILL');
      // The rest of the group goes with the sweep that follows the end.
      if (!(await hasEnded(entry, KILL_DEADLINE_MS)))
        throw new Fault(CONTAINER_STOP_LATE, `process ${started.pid} of container ${entry.id} survives SIGKILL`);
    },
  };
}

const OUTPUT_CHARS = 500;

async function stubFailed(entry: Entry): Promise<Fault> {
  const output = await readFile(join(entry.directory, 'log'), 'utf8').catch(() => '');
  return new Fault(CONTAINER_START_FAILED, `the start stub of ${entry.id} failed: ${output.slice(-OUTPUT_CHARS)}`);
}
