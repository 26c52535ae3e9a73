// The agent process: the composition root that prepares the data directory, keeps the probe and the serve process alive,
// reloads the configuration, and stops everything in time.
import { join } from 'node:path';
import { runComponents } from '../base/component.ts';
import { explain } from '../base/fault.ts';
import { type Logger, openLog } from '../base/logging.ts';
import { siblingModule } from '../base/sibling-module.ts';
import { openDocker } from '../drivers/docker/index.ts';
import { openDockerRuntime, openNodeAgent, openProcessRuntime } from '../orchestrator/index.ts';
import { clearTraces, watchAnnouncements } from '../probes/index.ts';
import { bufferedRecorder, openRpcClient, type Recorder, type RpcClient } from '../tracing/index.ts';
import { closedDirectory, hostAccount, type Account } from './account.ts';
import { agentRpc } from './agent-rpc.ts';
import type { ProbeBoot, ServeBoot } from './boot.ts';
import { changedParts, type Config, loadConfig, type Overrides } from './config.ts';
import {
  adminTokenHash,
  type DataDir,
  frontSocket,
  installationId,
  prepareDataDir,
  processSocket,
} from './data-dir.ts';
import { inForce, quarantine, type Quarantined } from './quarantine.ts';
import { superviseChild, type SupervisedChild } from './supervisor.ts';
import { defaultDataDir, PACKAGE_ROOT, VERSION } from './version.ts';
import { welcome } from './welcome.ts';

export interface DaemonArguments extends Overrides {
  readonly config?: string | undefined;
}

const effectiveConfig = ({ config, ...overrides }: DaemonArguments): Config => loadConfig(config, overrides);

/** What the agent decided about the serve process' user. */
interface ServeUser {
  readonly account: Account | undefined;
  readonly note: string | undefined;
}

function serveUser(config: Config): ServeUser {
  if (process.getuid?.() !== 0) return { account: undefined, note: undefined };
  const { user } = config.serve;
  const account = hostAccount(user);
  if (account === undefined)
    return { account: undefined, note: `runs as root: there is no user ${user} (useradd --system ${user})` };
  const closed = closedDirectory(join(PACKAGE_ROOT, 'src', 'main.ts'), account);
  if (closed === undefined) return { account, note: undefined };
  return {
    account: undefined,
    note: `runs as root: ${user} may not enter ${closed} (install jdos where that user can read it)`,
  };
}

/** V8 takes no more room for what is short-lived than it needs; with thousands of series, 2 MB doubled the work of its collector. */
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
const STOP_MS = 9500;

/** Runs the daemon in the foreground until a signal ends it. `say` prints to the operator. */
export async function runDaemon(args: DaemonArguments, say: (line: string) => void): Promise<void> {
  let config = effectiveConfig(args);
  const logLevel = config.log.level ?? (process.stderr.isTTY ? 'warn' : 'info');
  const log = openLog('agent', logLevel);
  const user = serveUser(config);
  const { dir, lock } = prepareDataDir(config.dataDir ?? defaultDataDir(), user.account);
  using _held = lock;
  const boot = { version: VERSION, dir, logLevel };
  const tokenHash = adminTokenHash(dir);
  let hangs: readonly Quarantined[] = [];

  const toLedger = peer(dir, 'serve');
  const messages = bufferedRecorder({ services: ['jdos-agent'], call: toLedger.call, log });
  const { recorder } = messages;
  const toProbe = peer(dir, 'probe', recorder);
  const toServe = peer(dir, 'serve', recorder);
  const probe: SupervisedChild = superviseChild(
    {
      name: 'probe',
      entry: siblingModule(import.meta.url, 'probe-process'),
      nodeOptions: [...NODE_OPTIONS, '--expose-gc'],
      account: undefined,
      boot: (): ProbeBoot => ({
        ...boot,
        config,
        quarantine: inForce(hangs, Date.now()),
        memoryEndAt: probe.status().ends.find(({ reason }) => reason === 'memory')?.at,
      }),
      ping: (ms) => toProbe.call('Meta::health', {}, ms),
      onAnnouncements: (pipe) =>
        watchAnnouncements(pipe, {
          onHang(collector, target) {
            hangs = quarantine(hangs, collector, target, Date.now());
            probe.restart(`reading ${target || collector} hung`, true);
          },
        }),
      graceMs: 1000,
    },
    log,
  );
  const serve = superviseChild(
    {
      name: 'serve',
      entry: siblingModule(import.meta.url, 'serve-process'),
      nodeOptions: NODE_OPTIONS,
      account: user.account,
      boot: (): ServeBoot => ({
        ...boot,
        config,
        adminTokenHash: tokenHash,
        root: process.getuid?.() === 0,
        templatesDir: join(PACKAGE_ROOT, 'templates'),
        userNote: user.note,
      }),
      ping: (ms) => toServe.call('Meta::health', {}, ms),
      graceMs: 7000,
    },
    log,
  );
  const reloading: { error: string | undefined } = { error: undefined };
  using docker = openDocker({ socket: config.docker.socket });
  const node = openNodeAgent({
    socketPath: frontSocket(dir),
    runtimes: [
      openDockerRuntime({
        docker,
        installation: installationId(dir),
        pauseImage: () => config.docker.pauseImage,
        dir: dir.volumes,
        log,
      }),
      openProcessRuntime({ dir: dir.pods, log, now: Date.now }),
    ],
    version: VERSION,
    log,
  });
  const rpc = agentRpc({
    dir,
    log,
    recorder,
    children: [serve, probe],
    quarantined: () => inForce(hangs, Date.now()),
    reloadError: () => reloading.error,
    parts: () => node.parts(),
    procedures: node.procedures,
  });
  const components = runComponents([rpc, serve, probe, node, messages], log);

  const reload = (): void => {
    try {
      const next = effectiveConfig(args);
      reloading.error = undefined;
      const changed = changedParts(config, next);
      config = next;
      log.info({ changed }, 'configuration was read again');
      if (changed.some((part) => part === 'probes' || part === 'hostRoot' || part === 'ovs'))
        probe.restart('its configuration changed', false);
      if (changed.some((part) => part !== 'dataDir' && part !== 'hostRoot' && part !== 'docker' && part !== 'ovs'))
        serve.restart('its configuration changed', false);
    } catch (error) {
      reloading.error = explain(error);
      log.error({ err: error }, 'configuration is not valid and changes nothing');
    }
  };
  const stopped = stopOnSignals(log, () => components.stop(STOP_MS), [serve, probe]);
  process.on('SIGHUP', reload);

  await components.start();
  await Promise.race([welcome({ call: toServe.call, dir, say }), stopped]);
  await stopped;
  await clearTraces(); // of a probe process that had to be killed
  await Promise.all([toProbe, toServe, toLedger].map((client) => client[Symbol.asyncDispose]()));
}

const peer = (dir: DataDir, process: 'probe' | 'serve', recorder?: Recorder): RpcClient =>
  openRpcClient({
    socketPath: processSocket(dir, process),
    service: `jdos-${process}`,
    caller: 'jdos-agent',
    ...(recorder === undefined ? {} : { recorder }),
  });

/** Resolves when the daemon was asked to stop and has stopped. A second signal kills at once. */
function stopOnSignals(
  log: Logger,
  stop: () => Promise<readonly string[]>,
  children: readonly SupervisedChild[],
): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) {
          for (const child of children) kill(child.status().pid);
          process.exit(signal === 'SIGINT' ? 130 : 143);
        }
        asked = true;
        log.info({ signal }, 'stopping');
        void stop().then((late) => {
          if (late.length > 0) log.error({ late }, 'stopped, but not everything ended in time');
          resolve();
        });
      });
    }
  });
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
