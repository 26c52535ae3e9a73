// Tracing as a part of the daemon: the store in its thread, opened again when it fails, and the routes before it.
import { setTimeout as sleep } from 'node:timers/promises';
import { backOffMs, type Component, type Health } from '../base/component.ts';
import { explain, Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Registry } from '../base/metrics.ts';
import type { Route } from '../base/route.ts';
import { formatBytes } from '../base/units.ts';
import type { TracingConfig } from './config.ts';
import { TRACE_DISK_FULL, TRACE_STORE_FAILED } from './faults.ts';
import { ingestRoute } from './ingest/route.ts';
import { traceMetrics } from './metrics.ts';
import { queryRoutes } from './query/routes.ts';
import type { TraceStats } from './store/messages.ts';
import { openTraceStore, type TraceStore } from './store/open.ts';

interface TracingOptions {
  /** Directory of segments and partitions; made where it is not there. */
  readonly dir: string;
  readonly config: TracingConfig;
  readonly registry: Registry;
  readonly log: Logger;
}

export interface Tracing extends Component {
  readonly routes: readonly Route[];
  /** Throws a Fault while the store is not open. */
  store(): TraceStore;
}

export function openTracing({ dir, config, registry, log }: TracingOptions): Tracing {
  let open: TraceStore | undefined;
  let stats: TraceStats | undefined;
  let failure: unknown;
  let stopping: AbortSignal | undefined;

  const store = (): TraceStore => {
    if (open === undefined) throw new Fault(TRACE_STORE_FAILED, 'the store of traces is not open');
    return open;
  };
  const metrics = traceMetrics(registry, () => stats);
  const start = async (): Promise<void> => {
    const { retentionHours, maxBytes, hotBytes, hotSeconds } = config;
    const limits = {
      retentionMs: retentionHours * 3_600_000,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      hotBytes,
      hotMs: hotSeconds * 1000,
    };
    open = await openTraceStore(
      { dir, limits },
      {
        onStats: (told) => (stats = told),
        onCommit: metrics.committed,
        onTrouble: (message, cause) => log.warn({ part: 'traces', why: cause }, message),
        onGone: (fault) => void again(fault),
      },
    );
    failure = undefined;
  };
  /** What was acknowledged is in segments: the next thread takes it up. */
  const again = async (fault: Fault): Promise<void> => {
    open = undefined;
    stats = undefined;
    failure = fault;
    log.error({ part: 'traces', err: fault }, 'the trace thread ended and is started again');
    for (let tries = 0; open === undefined && stopping?.aborted === false; tries += 1) {
      await sleep(backOffMs(tries), undefined, { signal: stopping }).catch(() => undefined);
      if (stopping.aborted) return;
      await start().catch((error: unknown) => (failure = error));
    }
  };

  return {
    name: 'traces',
    store,
    routes: [
      ingestRoute({
        store,
        maxInFlightBytes: config.maxInFlightBytes,
        onTaken: metrics.taken,
        onRefused: metrics.refused,
      }),
      ...queryRoutes(store),
    ],
    async start(signal) {
      stopping = signal;
      await start();
    },
    async stop() {
      await open?.[Symbol.asyncDispose]();
    },
    health: () => healthOf(stats, failure),
  };
}

function healthOf(stats: TraceStats | undefined, failure: unknown): Health {
  if (failure !== undefined)
    return {
      state: 'failing',
      reason: explain(failure),
      costs: 'no spans are taken in or found',
      remedy: TRACE_STORE_FAILED.remedy,
    };
  if (stats === undefined) return { state: 'starting' };
  if (stats.full)
    return {
      state: 'failing',
      reason: `the file system is ${Math.round(stats.usedRatio * 100)} % full`,
      costs: 'spans are refused until there is room; those that are stored can be read',
      remedy: TRACE_DISK_FULL.remedy,
    };
  if (stats.trouble !== null)
    return {
      state: 'failing',
      reason: stats.trouble,
      costs: 'spans may be refused; what was acknowledged is kept and can be read',
      remedy: TRACE_STORE_FAILED.remedy,
    };
  return {
    state: 'available',
    summary: `${stats.spans + stats.hotSpans} spans, ${formatBytes(stats.diskBytes)} of ${formatBytes(stats.maxBytes)}`,
  };
}
