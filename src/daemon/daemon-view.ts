// The daemon's processes as the serve process sees them: asked of the agent now and then, and when an operator looks.
import type { Component, Health } from '../base/component.ts';
import type { Logger } from '../base/logging.ts';
import type { DaemonFacts, Parts, ProcessFacts } from '../http/index.ts';
import type { RpcClient } from '../tracing/index.ts';
import { SupervisorStatus } from './agent-rpc.ts';

export interface DaemonView extends Component {
  /** Asks now, unless that was just done; resolves whatever comes of it. */
  refresh(): Promise<void>;
  /** The last answer of the agent. */
  status(): SupervisorStatus | undefined;
  processes(): readonly ProcessFacts[];
  /** The parts that live in the agent process. */
  parts(): Parts;
  /** What all processes cost together over the last period. */
  cost(): { readonly cpuRatio: number | undefined; readonly memoryBytes: number | undefined };
}

const ASK_EVERY_MS = 15_000;
/** While a part of the agent is starting, the operator is waiting to read that it has. */
const ASK_AGAIN_MS = 500;
const DEADLINE_MS = 2000;
/** An answer that is younger is news enough for who asks for the status. */
const FRESH_MS = 500;

/** `agent` is closed with this part. */
export function daemonView(agent: RpcClient, log: Logger): DaemonView {
  /** Two answers a period apart, for what the processes cost; the newest one, for how they are. */
  let last: SupervisorStatus | undefined;
  let before: SupervisorStatus | undefined;
  let newest: SupervisorStatus | undefined;
  let newestAt = -Infinity;
  let asking: Promise<void> | undefined;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;

  const ask = async (): Promise<void> => {
    try {
      const answer = SupervisorStatus.parse(await agent.call('Supervisor::status', {}, DEADLINE_MS));
      [newest, newestAt] = [answer, performance.now()];
      failing = false;
      clearTimeout(again);
      if (answer.parts.some(({ state }) => state === 'starting'))
        again = setTimeout(() => void refresh(), ASK_AGAIN_MS).unref();
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the agent did not answer');
      failing = true;
    }
  };
  const refresh = (): Promise<void> => (asking ??= ask().finally(() => (asking = undefined)));
  const period = async (): Promise<void> => {
    await refresh();
    [before, last] = [last, newest];
  };
  const ratioOf = (name: string): number | undefined => cpuRatio(name, before, last);

  return {
    name: 'agent',
    async start() {
      await period();
      timer = setInterval(() => void period(), ASK_EVERY_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      clearTimeout(again);
      await agent[Symbol.asyncDispose]();
    },
    health(): Health {
      if (failing) return { state: 'failing', reason: 'the agent process does not answer', remedy: 'see its log' };
      if (newest?.reloadError !== undefined) {
        return {
          state: 'limited',
          reason: newest.reloadError,
          costs: 'the new configuration is not in force',
          remedy: 'correct the file and send SIGHUP again',
        };
      }
      const restarts = (newest?.processes ?? [])
        .filter((each) => each.restarts > 0)
        .map((each) => `${each.name} restarted ${each.restarts} times`);
      return { state: 'available', summary: [`${newest?.processes.length ?? 0} processes`, ...restarts].join(', ') };
    },
    refresh: () => (performance.now() - newestAt < FRESH_MS ? Promise.resolve() : refresh()),
    status: () => newest,
    parts: () =>
      new Map(
        (newest?.parts ?? []).map(({ name, state, ...words }): [string, Health] => [
          name,
          { state, ...(Object.fromEntries(Object.entries(words)) as Omit<Health, 'state'>) },
        ]),
      ),
    processes: () =>
      (newest?.processes ?? []).flatMap((each) => {
        if (each.pid === undefined) return [];
        const ratio = ratioOf(each.name);
        return [
          {
            name: each.name,
            pid: each.pid,
            restarts: each.restarts,
            ...(ratio === undefined ? {} : { cpuRatio: ratio }),
            ...(each.residentBytes === undefined ? {} : { residentBytes: each.residentBytes }),
          },
        ];
      }),
    cost() {
      const known = newest?.processes ?? [];
      return {
        cpuRatio: sum(known.map(({ name }) => ratioOf(name))),
        memoryBytes: sum(known.map(({ residentBytes }) => residentBytes)),
      };
    },
  };
}

/** Shares of one core between two answers; undefined where the process was not the same one in both. */
export function cpuRatio(
  name: string,
  before: SupervisorStatus | undefined,
  last: SupervisorStatus | undefined,
): number | undefined {
  const [was, is] = [before, last].map((status) => status?.processes.find((each) => each.name === name));
  if (was?.cpuSeconds === undefined || is?.cpuSeconds === undefined || was.pid !== is.pid) return undefined;
  const seconds = ((last?.at ?? 0) - (before?.at ?? 0)) / 1000;
  return seconds > 0 ? Math.max(0, is.cpuSeconds - was.cpuSeconds) / seconds : undefined;
}

const sum = (values: readonly (number | undefined)[]): number | undefined =>
  values.length === 0 || values.some((value) => value === undefined)
    ? undefined
    : values.reduce<number>((total, value) => total + (value ?? 0), 0);

/** Facts of the daemon for the status route. */
export const daemonFacts =
  (view: DaemonView, series: () => number): (() => Promise<DaemonFacts>) =>
  async () => {
    await view.refresh();
    return { processes: view.processes(), series: series() };
  };

/** The health of parts from several sources under one roof; a later source wins over an earlier one of the same name. */
export const allParts =
  (...sources: readonly (() => Parts)[]): (() => Parts) =>
  () =>
    new Map(sources.flatMap((source) => [...source()]));
