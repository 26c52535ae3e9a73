// Runs the collectors in the probe process: one at a time, each at its period, each published before the next one reads.
import type { Component, Health } from '../base/component.ts';
import { Fault, faultKind } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Announcements } from './announcements.ts';
import type { Clock } from './clock.ts';
import { openCollection } from './collection.ts';
import type { Collection, QuarantineEntry } from './collection.ts';
import type { Census, Collector, CollectorContext, KnownContainers, NameSources } from './collector.ts';
import type { ProbesConfig } from './config.ts';
import type { Tell } from './kmsg/index.ts';
import { seriesOf, type Publication, type Resumption } from './publication.ts';
import { openMeter, type Spent } from './spending.ts';

const PROBES_STOPPED = faultKind(
  'JD_PROBES_STOPPED',
  503,
  'ask again in some seconds: the probe process is being stopped or started',
);

export interface RunnerOptions {
  readonly collectors: readonly Collector[];
  /** `/`, or where the host's root is mounted. */
  readonly hostRoot: string;
  readonly config: ProbesConfig;
  readonly sources?: NameSources;
  /** Hands events of the kernel over to be kept. */
  readonly tell?: Tell;
  readonly resumption: Resumption;
  readonly quarantine: readonly QuarantineEntry[];
  readonly announcements: Announcements;
  /** Hands one publication to the serve process. Must settle; a rejection is retried after a period. */
  readonly publish: (publication: Publication) => Promise<void>;
  /** Sees that what was published is handed over, before something is read that may have this process killed. Never rejects. */
  readonly handOver: () => Promise<void>;
  /** Called after each collection, when it is published. */
  readonly onTurn?: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface Runner extends Component {
  /**
   * Collects and publishes the fast collectors (or all of them) once, now, one after another; calls during a round
   * join it. Those whose period is stretched are not hurried: what was collected of them last has to do. Rejects with a Fault when the runner is stopped.
   */
  collectNow(which?: 'fast' | 'all'): Promise<void>;
  /** Has these collectors run soon, whatever their periods: whoever shows what they publish has lost it. */
  collectAgain(collectors: readonly string[]): void;
}

/** Collectors that run at least as often as this by themselves run every `probes.periodSeconds`. */
const FAST_SECONDS = 15;

/** The period of a collector in seconds. */
export const periodOf = (collector: Pick<Collector, 'periodSeconds'>, config: ProbesConfig): number =>
  collector.periodSeconds <= FAST_SECONDS ? config.periodSeconds : collector.periodSeconds;

/** When a collector is due next: on the grid of its period that begins at `start`, so that those of one period meet. */
export const nextDue = (now: number, start: number, periodMs: number): number =>
  start + Math.max(0, Math.floor((now - start) / periodMs) + 1) * periodMs;

interface Slot {
  readonly name: string;
  /** As configured. */
  readonly periodSeconds: number;
  readonly fast: boolean;
  readonly mayHang: boolean;
  readonly steady: boolean;
  readonly collection: Collection;
  /** Milliseconds of uptime when it is collected next. */
  due: number;
  /** It is due after so many of its periods. */
  times: number;
  /** What could not be published, and when to try again: the newest only. */
  unsent: { readonly publication: Publication; readonly retryAt: number } | undefined;
  series: number;
  error: Publication['error'];
}

export function openRunner(options: RunnerOptions): Runner {
  const { config, clock, log } = options;
  const stopping = new AbortController();
  const known: KnownContainers = { labels: new Map() };
  const declared = new Set(options.collectors.flatMap(({ metrics }) => metrics.map(({ name }) => name)));
  const census: Census = { states: undefined };
  const shared = { known, census, declared };
  const slots = options.collectors.map((one) => openSlot(one, options, shared, stopping.signal));
  let start = 0;
  let running = Promise.resolve();
  const alarm = openAlarm(clock);
  const round = openRound();
  const meter = openMeter(slots, config.budget.cpuRatio, clock);
  let publishFails = false;

  const send = async (slot: Slot, publication: Publication): Promise<void> => {
    try {
      await options.publish(publication);
      slot.unsent = undefined;
      publishFails = false;
    } catch (error) {
      slot.unsent = { publication, retryAt: clock.uptime() + config.periodSeconds * 1000 };
      if (!publishFails) log.warn({ collector: slot.name, err: error }, 'collection could not be published');
      publishFails = true;
    }
  };

  const note = (slot: Slot, publication: Publication): void => {
    const { error } = publication;
    if (error !== undefined && slot.error?.reason !== error.reason) {
      log.warn({ collector: slot.name, reason: error.reason, error: error.message }, 'collector fails');
    }
    if (error === undefined && slot.error !== undefined) log.info({ collector: slot.name }, 'collector works again');
    slot.error = error;
    if (error === undefined) slot.series = seriesOf(publication);
  };

  const settle = (slot: Slot, { times, cpuRatio }: Spent): void => {
    const [before, every] = [slot.times, slot.periodSeconds * times];
    slot.times = times;
    slot.due = nextDue(clock.uptime(), start, slot.periodSeconds * 1000) + (times - 1) * slot.periodSeconds * 1000;
    const about = { collector: slot.name, every_seconds: every, cpu_ratio: Number(cpuRatio.toFixed(4)) };
    if (before === 1 && times > 1) log.warn(about, 'collector runs less often: probes.budget.cpuRatio is exceeded');
    if (before > 1 && times === 1) log.info(about, 'collector runs at its own period again');
  };

  const turn = async (slot: Slot): Promise<void> => {
    if (slot.unsent !== undefined && clock.uptime() < slot.due) return send(slot, slot.unsent.publication);
    if (slot.mayHang) await options.handOver();
    const others = slots.reduce((sum, other) => sum + (other === slot ? 0 : other.series), 0);
    meter.begin();
    const collected = await slot.collection.collect(Math.max(0, config.maxSeries - others));
    const spent = meter.end(slot.name);
    if (stopping.signal.aborted) return;
    note(slot, collected);
    settle(slot, spent);
    await send(slot, priced(collected, spent));
    round.done(slot);
    options.onTurn?.();
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const next = slots.reduce<Slot | undefined>((a, b) => (a === undefined || at(b) < at(a) ? b : a), undefined);
      const wait = next === undefined ? Infinity : at(next) - clock.uptime();
      if (next !== undefined && wait <= 0) await turn(next);
      else await alarm.sleep(wait);
    }
  };

  return {
    name: 'collectors',
    async start() {
      start = clock.uptime();
      for (const slot of slots) slot.due = start;
      running = loop();
    },
    async stop() {
      stopping.abort();
      alarm.wake();
      round.fail(stopped());
      await running;
      for (const { collection } of slots) collection.close();
    },
    health: () => healthOf(slots, publishFails),
    collectNow(which = 'fast') {
      if (stopping.signal.aborted) return Promise.reject(stopped());
      if (which === 'fast' && round.running()) return round.join([]);
      const chosen = slots.filter((slot) => slot.times === 1 && (which === 'all' || slot.fast));
      for (const slot of chosen) slot.due = clock.uptime();
      alarm.wake();
      return round.join(chosen);
    },
    collectAgain(collectors) {
      const now = clock.uptime();
      for (const slot of slots) if (collectors.includes(slot.name)) slot.due = Math.min(slot.due, now);
      alarm.wake();
    },
  };
}

/** The publication with what it cost and when the next one comes. */
const priced = (publication: Publication, { cpuSeconds, times, cpuRatio }: Spent): Publication => ({
  ...publication,
  periodSeconds: publication.periodSeconds * times,
  cpuSeconds,
  ...(times === 1 ? {} : { stretched: { fromSeconds: publication.periodSeconds, cpuRatio } }),
});

const stopped = (): Fault => new Fault(PROBES_STOPPED, 'the collectors are stopped');

/** A round that was asked for: who waits for it, and what is left to collect. */
function openRound() {
  const left = new Set<Slot>();
  let all = Promise.withResolvers<void>();
  const end = (finish: (of: typeof all) => void): void => {
    left.clear();
    finish(all);
    all = Promise.withResolvers<void>();
  };
  return {
    running: () => left.size > 0,
    /** Resolves when these, and what the round has already, are collected. */
    join(slots: readonly Slot[]): Promise<void> {
      for (const slot of slots) left.add(slot);
      if (left.size === 0) return Promise.resolve();
      all.promise.catch(() => {}); // a caller that went away does not wait for it
      return all.promise;
    },
    done(slot: Slot): void {
      if (left.delete(slot) && left.size === 0) end(({ resolve }) => resolve());
    },
    fail(error: Fault): void {
      if (left.size > 0) end(({ reject }) => reject(error));
    },
  };
}

function openAlarm(clock: Clock) {
  let wake = (): void => {};
  return {
    /** Resolves after `ms` milliseconds, or at the next `wake`. */
    sleep: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const cancel = ms === Infinity ? (): void => {} : clock.after(Math.min(ms, LONGEST_SLEEP_MS), () => wake());
        wake = () => {
          cancel();
          resolve();
        };
      }),
    wake: () => wake(),
  };
}

/** setTimeout takes 31 bits of milliseconds. */
const LONGEST_SLEEP_MS = 3_600_000;

const at = (slot: Slot): number => Math.min(slot.due, slot.unsent?.retryAt ?? Infinity);

function openSlot(
  collector: Collector,
  options: RunnerOptions,
  shared: Pick<CollectorContext, 'known' | 'census' | 'declared'>,
  stopping: AbortSignal,
): Slot {
  const { hostRoot, config, quarantine, announcements, clock, log } = options;
  const periodSeconds = periodOf(collector, config);
  const saved = options.resumption.states[collector.name];
  return {
    name: collector.name,
    periodSeconds,
    fast: collector.periodSeconds <= FAST_SECONDS,
    mayHang: collector.mayHang ?? false,
    steady: collector.steady === true,
    collection: openCollection({
      collector,
      hostRoot,
      config,
      periodSeconds,
      sources: options.sources,
      ...shared,
      tell: options.tell,
      saved: saved === undefined ? undefined : Buffer.from(saved, 'base64'),
      quarantine,
      announcements,
      clock,
      log,
      stopping,
    }),
    due: 0,
    times: 1,
    unsent: undefined,
    series: 0,
    error: undefined,
  };
}

function healthOf(slots: readonly Slot[], publishFails: boolean): Health {
  const summary = `${slots.length} collectors, ${slots.reduce((sum, { series }) => sum + series, 0)} series`;
  if (publishFails) {
    return { state: 'failing', reason: 'collections cannot be handed to the serve process', summary };
  }
  const failed = slots.flatMap(({ name, error }) => (error === undefined ? [] : [`${name} (${error.reason})`]));
  if (failed.length === 0) return { state: 'available', summary };
  return {
    state: 'limited',
    reason: `collectors fail: ${failed.join(', ')}`,
    costs: 'the series of these collectors',
    remedy: 'see jdos_collector_success and the log for why',
    summary,
  };
}
