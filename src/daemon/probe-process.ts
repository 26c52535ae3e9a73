// The probe process: reads the host and publishes what it saw to the serve process. It may block, and be killed for it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from '../base/component.ts';
import { Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { openSpareBuffer } from '../base/spare-buffer.ts';
import {
  type Announcements,
  announceTo,
  enabledCollectors,
  encodePublications,
  fdsProcedures,
  openFdsInspection,
  openMemoryGuard,
  openPublisher,
  openRunner,
  Published,
  Resumption,
  type Runner,
  runnerProcedures,
  systemClock,
} from '../probes/index.ts';
import {
  bufferedRecorder,
  listenRpc,
  openRpcClient,
  type Recorder,
  rpcHandler,
  type RpcClient,
  type RpcListener,
} from '../tracing/index.ts';
import type { ProbeBoot } from './boot.ts';
import { runChild } from './child-process.ts';
import { processSocket } from './data-dir.ts';
import { NOT_COLLECTING } from './faults.ts';
import { MEMORY_EXIT } from './restart.ts';

/** The pipe on which risky reads are announced to the agent, see supervisor.ts. */
const ANNOUNCEMENTS_FD = 3;
const PUBLISH_DEADLINE_MS = 5000;
const SERVE_START_MS = 15_000;
const LAST_ROUND_MS = 5000;

/** Asks until the serve process, which starts at the same time, is there to answer. */
async function resume(serve: RpcClient, signal: AbortSignal): Promise<Resumption> {
  for (const until = Date.now() + SERVE_START_MS; ;) {
    try {
      return Resumption.parse(await serve.call('Probes::resume', {}, PUBLISH_DEADLINE_MS));
    } catch (error) {
      if (signal.aborted || Date.now() > until) throw error;
      await sleep(100);
    }
  }
}

type CollectNow = Runner['collectNow'];

/** The collectors, from when the serve process has said what it watches and what was saved. */
function collecting(
  boot: ProbeBoot,
  serve: RpcClient,
  announcements: Announcements,
  log: Logger,
  opened: (collectNow: CollectNow) => void,
  end: (exitCode: number) => void,
): Component {
  const spare = openSpareBuffer();
  const publisher = openPublisher({
    async send(publications) {
      const bytes = encodePublications(publications, spare.take);
      const reply = await serve.call('Probes::publish', bytes, PUBLISH_DEADLINE_MS);
      spare.giveBack(bytes); // what was answered was sent whole
      return Published.parse(reply).missing;
    },
    onMissing: (collectors) => runner?.collectAgain(collectors),
    clock: systemClock,
  });
  let runner: Runner | undefined;
  return {
    name: 'collectors',
    async start(signal) {
      const resumption = await resume(serve, signal);
      const checkMemory = openMemoryGuard({
        maxRssBytes: boot.config.probes.budget.maxRssBytes,
        lastEndAt: boot.memoryEndAt,
        residentBytes: () => process.memoryUsage.rss(),
        free: () => globalThis.gc?.(),
        end: () => void endAfter(() => collectAndFlush('all'), end),
        clock: systemClock,
        log,
      });
      const running = openRunner({
        collectors: enabledCollectors(boot.config.probes),
        hostRoot: boot.config.hostRoot,
        config: boot.config.probes,
        sources: {
          dockerSocket: boot.config.docker.socket,
          podsDir: boot.dir.pods,
          ovsRundir: boot.config.ovs.rundir,
        },
        resumption,
        quarantine: boot.quarantine,
        announcements,
        publish: publisher.publish,
        handOver: () => publisher.flush().catch(() => undefined), // the next publication hears of it
        onTurn: checkMemory,
        tell: async (report) => void (await serve.call('Probes::events', report, PUBLISH_DEADLINE_MS)),
        log,
        clock: systemClock,
      });
      runner = running;
      const collectAndFlush: CollectNow = async (which) => {
        await running.collectNow(which);
        await publisher.flush();
      };
      opened(collectAndFlush);
      await running.start(signal);
    },
    stop: async () => runner?.stop(),
    health: () => runner?.health() ?? { state: 'starting' },
  };
}

/** The counters of a process that ends go on from its last collection, which is made now: each has as long as a read may take. */
async function endAfter(lastRound: () => Promise<void>, end: (exitCode: number) => void): Promise<void> {
  await Promise.race([lastRound().catch(() => undefined), sleep(LAST_ROUND_MS)]);
  end(MEMORY_EXIT);
}

/** Answers `Meta::health` and `Probes::fds`, and `Probes::collect` once the collectors run. */
function answering(
  boot: ProbeBoot,
  announcements: Announcements,
  log: Logger,
  recorder: Recorder,
  collectors: () => CollectNow | undefined,
): Component {
  let listener: RpcListener | undefined;
  const runner = runnerProcedures({
    async collectNow(which) {
      const collectNow = collectors();
      if (collectNow === undefined) throw new Fault(NOT_COLLECTING, 'the collectors have not been started yet');
      await collectNow(which);
    },
  });
  const { hostRoot, probes } = boot.config;
  const inspectFds = openFdsInspection({
    hostRoot,
    deadlineSeconds: probes.deadlineSeconds,
    announcements,
    quarantine: boot.quarantine,
  });
  const procedures = [...runner, ...fdsProcedures(inspectFds)];
  return {
    name: 'procedures',
    async start() {
      const handler = rpcHandler({ service: 'jdos-probe', procedures, may: () => true, log, recorder });
      listener = await listenRpc(processSocket(boot.dir, 'probe'), handler, boot.dir.group);
    },
    stop: async () => listener?.[Symbol.asyncDispose](),
    health: () => ({ state: 'available' }),
  };
}

await runChild<ProbeBoot>({
  name: 'probe',
  stopMs: 800,
  build(boot, log, _components, end) {
    let collectNow: CollectNow | undefined;
    const announcements = announceTo(ANNOUNCEMENTS_FD);
    const toServe = { socketPath: processSocket(boot.dir, 'serve'), service: 'jdos-serve', caller: 'jdos-probe' };
    const messages = bufferedRecorder({ services: ['jdos-probe'], call: openRpcClient(toServe).call, log });
    const { recorder } = messages;
    const serve = openRpcClient({ ...toServe, recorder });
    return [
      messages,
      answering(boot, announcements, log, recorder, () => collectNow),
      collecting(boot, serve, announcements, log, (opened) => (collectNow = opened), end),
    ];
  },
});
