// What the process runtime keeps on disk: per pod a directory with its sandboxes and one directory per container attempt.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../../base/fault.ts';
import { z } from '../../../base/schema.ts';

/** What the start stub does. */
const RunSpec = z.object({
  argv: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
  uid: z.number().optional(),
  gid: z.number().optional(),
  groups: z.array(z.number()),
  oomScoreAdj: z.number(),
  cgroupProcs: z.array(z.string()),
});
export type RunSpec = z.output<typeof RunSpec>;

export const SandboxFile = z.object({
  podUid: z.string(),
  namespace: z.string(),
  podName: z.string(),
  attempt: z.number(),
  createdAt: z.number(),
  bootId: z.string(),
});
export type SandboxFile = z.output<typeof SandboxFile>;

/** `spec.json`: written before anything is started, never changed. */
export const ContainerFile = z.object({
  sandboxId: z.string(),
  podUid: z.string(),
  namespace: z.string(),
  podName: z.string(),
  name: z.string(),
  attempt: z.number(),
  image: z.string(),
  createdAt: z.number(),
  run: RunSpec,
});
export type ContainerFile = z.output<typeof ContainerFile>;

/** `started.json`: written by the start stub, by whom it comes into being once and for all. */
export const StartedFile = z.object({ pid: z.number(), startTicks: z.number(), bootId: z.string(), at: z.number() });
export type StartedFile = z.output<typeof StartedFile>;

/** `failure.json`: written by the start stub where it could not become the workload. */
export const FailureFile = z.object({ exitCode: z.number(), message: z.string() });

/** `exit.json`: how it ended. */
export const ExitFile = z.object({
  finishedAt: z.number(),
  exitCode: z.number().optional(),
  signal: z.number().optional(),
  reason: z.enum(['Completed', 'Error', 'OOMKilled', 'ContainerCannotRun', 'ExitCodeLost']),
  message: z.string().optional(),
});
export type ExitFile = z.output<typeof ExitFile>;

/** No separator of ours and nothing that a path could climb with. */
export const isSafeName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9-]{0,252}$/.test(name);

export const sandboxId = (podUid: string, attempt: number): string => `${podUid}_${attempt}`;
export const containerId = (podUid: string, name: string, attempt: number): string => `${podUid}_${name}_${attempt}`;
export const podDirectory = (dir: string, podUid: string): string => join(dir, podUid);
export const sandboxFile = (dir: string, podUid: string, attempt: number): string =>
  join(podDirectory(dir, podUid), `sandbox_${attempt}.json`);
export const containerDirectory = (
  dir: string,
  { podUid, name, attempt }: Pick<ContainerFile, 'podUid' | 'name' | 'attempt'>,
): string => join(podDirectory(dir, podUid), `${name}_${attempt}`);

/** Reads a file of ours; undefined where it is not there or not whole. */
export async function readOwn<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S> | undefined> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a file whole and returns when it is on disk, its name as well. */
export async function writeOwn(path: string, value: unknown): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncDirectory(dirname(path));
}

export async function makeOwnDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
