// The keeper of kernel events as a part of the serve process: takes them from the probe process, and answers for them.
import { setTimeout as sleep } from 'node:timers/promises';
import { backOffMs, type Component, type Health } from '../../base/component.ts';
import { explain, Fault, faultKind } from '../../base/fault.ts';
import type { Logger } from '../../base/logging.ts';
import { procedure, type Procedure, type Route } from '../../base/route.ts';
import { z } from '../../base/schema.ts';
import { formatBytes } from '../../base/units.ts';
import type { Resumption } from '../publication.ts';
import { packState, unpackState } from '../publication.ts';
import { kmsg } from './collector.ts';
import type { KmsgConfig } from './config.ts';
import { KernelEvent } from './event.ts';
import { openPartitions, type Partitions } from './partitions.ts';
import { kernelRoutes } from './routes.ts';
import { standOf } from './saved.ts';
import { readState, writeReport } from './store.ts';

const KERNEL_EVENTS_CLOSED = faultKind(
  'JD_KERNEL_EVENTS_CLOSED',
  503,
  'see the part `kernel-events` in `jdos status` for why they cannot be written or read; it is tried again by itself',
);

interface KernelEvents extends Component {
  readonly routes: readonly Route[];
  /** `Probes::events`, by which the probe process hands events over. */
  readonly procedures: readonly Procedure[];
  /** What a new probe process is given, with the state on disk where that is the newer one. */
  resume(resumption: Resumption): Promise<Resumption>;
}

interface KernelEventsOptions {
  readonly dir: string;
  readonly config: Pick<KmsgConfig, 'days' | 'maxBytes'>;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const RETAIN_EVERY_MS = 60_000;
/** A new probe process waits so long for a disk that is slow. */
const PATIENCE_MS = 3000;
const Report = z.object({ events: z.array(KernelEvent).max(1000), state: z.unknown() });

export function openKernelEvents({ dir, config, log, now }: KernelEventsOptions): KernelEvents {
  let partitions: Partitions | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failure: unknown;
  let [kept, bytes] = [0, 0];
  let writing = Promise.resolve();
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined);

  const need = (): Partitions => {
    if (partitions === undefined) throw new Fault(KERNEL_EVENTS_CLOSED, 'the events of the kernel are not open');
    return partitions;
  };
  const open = async (signal: AbortSignal): Promise<void> => {
    for (let tries = 0; partitions === undefined && !signal.aborted; tries += 1) {
      try {
        partitions = await openPartitions({
          dir,
          ...config,
          onDamaged: (file, fault) =>
            log.error({ file, err: fault }, 'a file of kernel events is damaged and set aside'),
        });
        failure = undefined;
      } catch (error) {
        if (tries === 0) log.error({ err: error }, 'the events of the kernel could not be opened');
        failure = error;
        await sleep(backOffMs(tries), undefined, { signal }).catch(() => undefined);
      }
    }
    opened.resolve();
    await retain();
    timer = setInterval(() => void retain(), RETAIN_EVERY_MS).unref();
  };
  const retain = async (): Promise<void> => {
    try {
      bytes = (await partitions?.retain(now())) ?? bytes;
    } catch (error) {
      log.error({ err: error }, 'old events of the kernel could not be deleted');
    }
  };
  const write = async (report: z.output<typeof Report>): Promise<void> => {
    try {
      await writeReport(need(), report, now());
      if (failure !== undefined) log.info('events of the kernel are kept again');
      failure = undefined;
      kept += report.events.length;
      if (bytes === 0) void retain();
    } catch (error) {
      if (failure === undefined) log.error({ err: error }, 'events of the kernel cannot be kept');
      failure = error;
      throw error;
    }
  };

  return {
    name: 'kernel-events',
    routes: kernelRoutes({ partitions: need }),
    procedures: [
      procedure({
        name: 'Probes::events',
        right: 'admin',
        request: Report,
        async handler(report) {
          const turn = writing.then(() => write(report));
          writing = turn.catch(() => undefined);
          await turn;
          return {};
        },
      }),
    ],
    async resume(resumption) {
      const patience = new AbortController();
      await Promise.race([
        opened.promise,
        sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
      ]);
      patience.abort();
      try {
        const stored = partitions === undefined ? undefined : await readState(partitions);
        return withStored(resumption, stored);
      } catch (error) {
        log.error({ err: error }, 'where reading of the kernel log stood is not known');
        return resumption;
      }
    },
    start(signal) {
      void open(signal);
      return Promise.resolve();
    },
    async stop() {
      clearInterval(timer);
      await writing;
      await partitions?.close();
    },
    health: () => healthOf(failure, kept, bytes, partitions !== undefined),
  };
}

/**
 * The state in memory is of the last collection, the one on disk of the last events: of one boot, whichever has read further.
 * When both have read as far, the one on disk knows which events are written.
 */
function withStored(resumption: Resumption, stored: unknown): Resumption {
  const stand = standOf(stored);
  const packed = resumption.states[kmsg.name];
  const inMemory = packed === undefined ? undefined : standOf(unpackState(Buffer.from(packed, 'base64')));
  if (stand === undefined) return resumption;
  if (inMemory !== undefined && (inMemory.bootId !== stand.bootId || inMemory.seq > stand.seq)) return resumption;
  const state = packState(stored)?.toString('base64');
  return state === undefined ? resumption : { states: { ...resumption.states, [kmsg.name]: state } };
}

function healthOf(failure: unknown, kept: number, bytes: number, open: boolean): Health {
  const summary = `${kept} events kept since the start, ${formatBytes(bytes)}`;
  if (failure !== undefined)
    return {
      state: 'failing',
      summary,
      reason: explain(failure),
      costs: 'events of the kernel are counted, and held for a while in the memory of the probe process',
      remedy: failure instanceof Fault ? failure.remedy : 'see the log',
    };
  return open ? { state: 'available', summary } : { state: 'starting' };
}
