// The serve process: the composition root of what answers: front door, snapshots, inspector, report, state.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component, Components } from '../base/component.ts';
import { Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import { procedure, type Procedure, roleHas } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { type FrontDoor, httpMigrations, openFrontDoor, type Parts } from '../http/index.ts';
import { inspectorMigrations, inspectorRoutes, openInspector } from '../inspector/index.ts';
import { agentCalls, openOrchestrator, orchestratorMigrations } from '../orchestrator/index.ts';
import {
  containerRoutes,
  enabledCollectors,
  fdsRoutes,
  openHistory,
  openKernelEvents,
  openSnapshots,
  probeRoutes,
  snapshotProcedures,
  unknownCollectors,
} from '../probes/index.ts';
import { openReporter, reportMigrations } from '../report/index.ts';
import {
  ledgerMetrics,
  listenRpc,
  openLedger,
  openRpcClient,
  openTracing,
  rpcHandler,
  type RpcClient,
  type RpcHandler,
  type RpcListener,
  rpcMetrics,
  yarpcRoute,
} from '../tracing/index.ts';
import type { ServeBoot } from './boot.ts';
import { runChild } from './child-process.ts';
import { allParts, daemonFacts, daemonView } from './daemon-view.ts';
import { frontSocket, processSocket } from './data-dir.ts';
import { firstReport } from './first-report.ts';
import { ownMetrics } from './own-metrics.ts';
import { probesHealth } from './probes-part.ts';
import { stateComponent } from './state-component.ts';
import type { Summary } from './welcome.ts';

/** Half a deadline of reading, a whole one until a hung read is killed, and a start of the probe process. */
const FDS_DEADLINE_MS = 20_000;

const isAway = (error: unknown): boolean => error instanceof Fault && error.status === 503;

function build(boot: ServeBoot, log: Logger, components: () => Components): readonly Component[] {
  const { config, dir } = boot;
  const now = Date.now;
  const state = stateComponent(dir, [httpMigrations, inspectorMigrations, reportMigrations, orchestratorMigrations]);
  const ledger = openLedger({
    dir: join(dir.state, 'ledger'),
    config: config.tracing.messages,
    services: ['jdos-serve', 'jdos'],
    log,
    now,
  });
  const { recorder } = ledger;
  const client = (process: 'agent' | 'probe'): RpcClient =>
    openRpcClient({
      socketPath: processSocket(dir, process),
      service: `jdos-${process}`,
      caller: 'jdos-serve',
      recorder,
      observe: (call) => observe(call),
    });
  const view = daemonView(client('agent'), log);
  const snapshots = openSnapshots({ collectors: enabledCollectors(config.probes), log, now });
  const probeFacts = () => ({
    root: boot.root,
    budget: config.probes.budget,
    ...view.status()?.processes.find(({ name }) => name === 'probe'),
    now: now(),
  });
  const parts = allParts(
    () => shownParts(components().health()),
    () => new Map([['probes', probesHealth(snapshots, probeFacts())]]),
    () => view.parts(),
  );
  const registry = ownMetrics({ version: boot.version, parts, view });
  const observe = rpcMetrics(registry);
  ledgerMetrics(registry, ledger.counts);
  const history = openHistory({
    dir: join(dir.state, 'history'),
    config: config.probes.history,
    registry,
    log,
    now,
  });
  const kernelEvents = openKernelEvents({ dir: join(dir.state, 'kernel'), config: config.probes.kmsg, log, now });
  const probe = client('probe');

  /** Asks the probe process; while it is being started, as after a read that hung, it is asked again. */
  const askProbe = async (procedure: string, request: unknown, deadlineMs: number): Promise<unknown> => {
    for (const until = now() + deadlineMs; ;) {
      try {
        return await probe.call(procedure, request, Math.max(1, until - now()));
      } catch (error) {
        if (!isAway(error) || now() + 200 > until) throw error;
        await sleep(200);
      }
    }
  };
  /** A fresh collection; while the probe process is being started, its first one. */
  const refresh = async (deadlineMs: number): Promise<void> => void (await askProbe('Probes::collect', {}, deadlineMs));

  const reporter = openReporter({
    store: state.store,
    config: config.report,
    dataDir: dir.state,
    templatesDir: join(boot.templatesDir, 'report'),
    hostname: hostname(),
    log,
    now,
  });
  const inspector = openInspector({
    view: snapshots,
    store: state.store,
    config: config.inspector,
    parts,
    now,
    log,
    refresh,
    onReport: async (input, kind) => void (await reporter.publish(input, { mail: true, kind })),
    cost: view.cost,
  });
  const first = firstReport({ inspector, reporter, log });
  const tracing = openTracing({ dir: join(dir.state, 'traces'), config: config.tracing, registry, log });

  const toNode = client('agent');
  const orchestrator = openOrchestrator({
    store: state.store,
    version: boot.version,
    log,
    now,
    call: agentCalls(toNode.call),
  });

  const procedures: readonly Procedure[] = [
    ...snapshotProcedures(snapshots, history.take, kernelEvents.resume),
    ...kernelEvents.procedures,
    ...ledger.procedures,
    procedure({ name: 'Daemon::summary', right: 'admin', request: z.object({}), handler: () => summary() }),
  ];
  const door: FrontDoor = openFrontDoor({
    config: config.http,
    routes: [
      ...probeRoutes({
        snapshots,
        own: registry,
        refresh: () => refresh(2000),
        fdsGrowth: history.fdsGrowth,
        version: boot.version,
        log,
        now,
      }),
      ...containerRoutes({ snapshots }),
      ...fdsRoutes({ snapshots, ask: (request) => askProbe('Probes::fds', request, FDS_DEADLINE_MS) }),
      ...history.routes,
      ...kernelEvents.routes,
      ...inspectorRoutes({ inspector, store: state.store, config: config.inspector }),
      ...reporter.routes,
      ...tracing.routes,
      ...ledger.routes,
      ...orchestrator.routes,
      yarpcRoute(
        rpcHandler({
          service: 'jdos',
          procedures: [],
          may: ({ role }, right) => roleHas(role, right),
          log,
          recorder,
          observe,
        }),
      ),
    ],
    tlsDir: join(dir.state, 'tls'),
    socketPath: frontSocket(dir),
    ...(dir.group === undefined ? {} : { socketGid: dir.group }),
    store: state.store,
    hostname: hostname(),
    version: boot.version,
    parts,
    facts: daemonFacts(view, () => snapshots.collectors().reduce((sum, { series }) => sum + series, 0)),
    latestReport: () => reporter.latestPath(),
    registry,
    log,
    now,
  });
  const summary = (): Summary => ({
    version: boot.version,
    addresses: Object.values(door.addresses()),
    parts: [...parts()].map(([name, health]) => ({ name, ...health })),
    inspection: first.text()?.slice(),
  });

  return [
    ledger,
    history,
    kernelEvents,
    answering(boot, rpcHandler({ service: 'jdos-serve', procedures, may: () => true, log, recorder, observe })),
    state,
    view,
    adminToken(door, boot),
    ...serveUserPart(boot),
    tracing,
    door,
    // After the front door, so that it is stopped before: that ends the watches the front door would wait for.
    orchestrator,
    reporter,
    inspector,
    first,
    ...unknownPart(unknownCollectors(config.probes)),
  ];
}

/** yaRPC on the socket that the agent and the probe process use; independent of the front door and its limits. */
function answering(boot: ServeBoot, handler: RpcHandler): Component {
  let listener: RpcListener | undefined;
  return {
    name: 'procedures',
    async start() {
      listener = await listenRpc(processSocket(boot.dir, 'serve'), handler, boot.dir.group);
    },
    stop: async () => listener?.[Symbol.asyncDispose](),
    health: () => ({ state: 'available' }),
  };
}

/** Helpers of other parts: worth a line only when they are in trouble. */
const HELPERS: ReadonlySet<string> = new Set(['procedures', 'token', 'first']);

const shownParts = (health: Parts): Parts =>
  new Map([...health].filter(([name, { state }]) => !HELPERS.has(name) || state === 'failing'));

/** Makes the token in the data directory's file the admin token; again later, when the store was not open at first. */
const adminToken = (door: FrontDoor, boot: ServeBoot): Component => ({
  name: 'token',
  start: () => door.tokens.ensureAdminToken(boot.adminTokenHash),
  stop: () => Promise.resolve(),
  health: () => ({ state: 'available', summary: boot.dir.adminTokenFile }),
});

/** A line of the status for what was decided about the user of this process, where there is something to say. */
const serveUserPart = ({ userNote }: ServeBoot): readonly Component[] =>
  userNote === undefined ? [] : [noted('user', userNote, 'a fault in the HTTP interfaces has the rights of root')];

const unknownPart = (unknown: readonly string[]): readonly Component[] =>
  unknown.length === 0
    ? []
    : [
        noted(
          'disable',
          `probes.disable or probes.enable names no collectors: ${unknown.join(', ')}`,
          'nothing is left out or added for them',
        ),
      ];

const noted = (name: string, reason: string, costs: string): Component => ({
  name,
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  health: () => ({ state: 'limited', reason, costs }),
});

await runChild<ServeBoot>({ name: 'serve', stopMs: 6000, build });
