// The collector of what disks say of their own health (SMART), asked with smartctl where it is installed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collecting, Collector, CollectorContext, Metric, SampleWriter } from '../collector.ts';
import { runCommand, type Outcome } from '../host/child.ts';
import { listDisks, type Disk } from './disks.ts';
import { learn, nextDue, restoreKnown, saveKnown } from './rounds.ts';
import { SMART_SAMPLES } from './samples.ts';
import { judge, type State } from './verdict.ts';

const INFO: Metric = {
  name: 'jdos_disk_smart_info',
  help: 'What the disk says of its own health, or why that is not known. The value is 1.',
  type: 'gauge',
  source: '/sys/block, and what became of smartctl',
  labels: ['device', 'state'],
};
const READ_AT: Metric = {
  name: 'jdos_disk_smart_read_timestamp_seconds',
  help: 'When the values of the disk (smartctl_*) were read, in unixtime: those of a sleeping disk stay.',
  type: 'gauge',
  source: 'the last answer of smartctl with values',
  labels: ['device'],
};

/** A disk that corrects errors can take seconds for an answer; one that hangs is given up. */
const DEADLINE_MS = 30_000;
/** Collectors run one after another: an answer that takes longer is written by the next collection. */
const PATIENCE_MS = 250;

/** `-n standby`: a disk that sleeps is not woken. */
const askDisk = (disk: string): Promise<Outcome> =>
  runCommand('smartctl', { args: ['--json', '-a', '-n', 'standby', `/dev/${disk}`], timeoutMs: DEADLINE_MS });

interface SmartOptions {
  readonly ask: (disk: string) => Promise<Outcome>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly patienceMs?: number;
  /** Why none may be asked, if so. */
  readonly barred: State | undefined;
}

/** Each collection asks at most one disk, so that they take turns: the first hour begins with one a minute. */
export function openSmart({ host, saved, log }: CollectorContext, options: SmartOptions): Collecting {
  const { ask, now, barred, patienceMs = PATIENCE_MS } = options;
  const known = restoreKnown(saved);
  /** Those of which an answer is awaited, or whose smartctl was given up and is still there. */
  const busy = new Set<string>();
  const complained = new Map<string, string>();

  const complain = (disk: string, why: string | undefined): void => {
    if (why !== undefined && complained.get(disk) !== why)
      log?.warn({ disk, why }, 'SMART of a disk could not be read');
    if (why === undefined) complained.delete(disk);
    else complained.set(disk, why);
  };
  const askNow = async (disk: string): Promise<void> => {
    busy.add(disk);
    const outcome = await ask(disk);
    const verdict = judge(outcome);
    complain(disk, verdict.why);
    known.set(disk, learn(known.get(disk), verdict, now()));
    if (outcome.kind === 'killed') void outcome.gone.then(() => busy.delete(disk));
    else busy.delete(disk);
  };
  const forget = (disks: readonly Disk[]): void => {
    const there = new Set(disks.map(({ name }) => name));
    for (const map of [known, complained]) for (const disk of map.keys()) if (!there.has(disk)) map.delete(disk);
  };
  const write = (out: SampleWriter, { name, virtual }: Disk): void => {
    const one = known.get(name);
    out.add(INFO.name, 1, name, virtual ? 'virtual' : (barred ?? one?.state ?? 'waiting'));
    if (virtual || barred !== undefined || one?.readAt == null) return;
    out.add(READ_AT.name, one.readAt / 1000, name);
    for (const [metric, value, labels] of one.samples) out.add(metric, value, name, ...labels);
  };

  return {
    async collect(out) {
      const disks = listDisks(host);
      forget(disks);
      const asked = disks.filter(({ virtual }) => !virtual).map(({ name }) => name);
      const next = barred === undefined ? nextDue(asked, known, busy, now()) : undefined;
      if (next !== undefined) {
        const enough = new AbortController();
        const waited = sleep(patienceMs, undefined, { signal: enough.signal }).catch(() => undefined);
        await Promise.race([askNow(next), waited]);
        enough.abort();
      }
      for (const disk of disks) write(out, disk);
    },
    save: () => (known.size === 0 ? undefined : saveKnown(known)),
  };
}

const barredHere = (root: string): State | undefined => {
  if (root !== '/') return 'other_root';
  return process.getuid?.() === 0 ? undefined : 'no_permission';
};

export const smart: Collector = {
  name: 'smart',
  view: 'node',
  periodSeconds: 60,
  metrics: [INFO, READ_AT, ...SMART_SAMPLES],
  open: (context) => openSmart(context, { ask: askDisk, now: Date.now, barred: barredHere(context.host.root) }),
};
