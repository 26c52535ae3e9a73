// What the agent answers to the other processes: the state and the cost of the daemon's processes.
import type { Component, Health } from '../base/component.ts';
import type { Logger } from '../base/logging.ts';
import { procedure, type Procedure } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { listenRpc, type Recorder, rpcHandler, type RpcListener } from '../tracing/index.ts';
import { costOf } from './costs.ts';
import { type DataDir, processSocket } from './data-dir.ts';
import type { Quarantined } from './quarantine.ts';
import { END_REASONS } from './restart.ts';
import type { SupervisedChild } from './supervisor.ts';
import { PartStatus } from './welcome.ts';

const ProcessStatus = z.object({
  name: z.string(),
  pid: z.number().optional(),
  startedAt: z.number().optional(),
  restarts: z.number(),
  answers: z.boolean(),
  lastEnd: z.string().optional(),
  ends: z.array(z.object({ reason: z.enum(END_REASONS), count: z.number(), at: z.number() })).readonly(),
  cpuSeconds: z.number().optional(),
  residentBytes: z.number().optional(),
});

/** The answer of `Supervisor::status`. */
export const SupervisorStatus = z.object({
  at: z.number(),
  processes: z.array(ProcessStatus),
  quarantine: z.array(z.object({ collector: z.string(), target: z.string(), since: z.number(), until: z.number() })),
  reloadError: z.string().optional(),
  /** The parts that live in the agent process. */
  parts: z.array(PartStatus),
});
export type SupervisorStatus = z.output<typeof SupervisorStatus>;

interface AgentRpcOptions {
  readonly dir: DataDir;
  readonly log: Logger;
  readonly recorder: Recorder;
  readonly children: readonly SupervisedChild[];
  readonly quarantined: () => readonly Quarantined[];
  readonly reloadError: () => string | undefined;
  readonly parts: () => ReadonlyMap<string, Health>;
  /** What the parts of the agent process answer themselves. */
  readonly procedures: readonly Procedure[];
}

export function agentRpc(options: AgentRpcOptions): Component {
  const { dir, log, recorder, children, quarantined, reloadError, parts } = options;
  const startedAt = Date.now();
  const status = async (): Promise<SupervisorStatus> => {
    const own = {
      name: 'agent',
      pid: process.pid,
      startedAt,
      restarts: 0,
      answers: true,
      lastEnd: undefined,
      ends: [],
    };
    const processes = [own, ...children.map((child) => child.status())];
    return {
      at: Date.now(),
      processes: await Promise.all(
        processes.map(async (each) => ({ ...each, ...(each.pid === undefined ? {} : await costOf(each.pid)) })),
      ),
      quarantine: quarantined().map(({ collector, target, since, until }) => ({ collector, target, since, until })),
      reloadError: reloadError(),
      parts: [...parts()].map(([name, health]) => ({ name, ...health })),
    };
  };
  let listener: RpcListener | undefined;
  return {
    name: 'agent',
    async start() {
      const procedures = [
        procedure({ name: 'Supervisor::status', right: 'admin', request: z.object({}), handler: status }),
        ...options.procedures,
      ];
      const handler = rpcHandler({ service: 'jdos-agent', procedures, may: () => true, log, recorder });
      listener = await listenRpc(processSocket(dir, 'agent'), handler, dir.group);
    },
    stop: async () => listener?.[Symbol.asyncDispose](),
    health: () => ({ state: 'available' }),
  };
}
