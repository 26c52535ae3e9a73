// What the API asks of the node agent by yaRPC, with its replies checked.
import type { Call } from '../../base/route.ts';
import { PlanReply, ReadLogReply, type ReadLogRequest } from '../node/procedures.ts';

export interface AgentCalls {
  readonly readLog: (request: ReadLogRequest, deadlineMs: number) => Promise<ReadLogReply>;
  readonly plan: (request: { readonly pods: readonly unknown[] }, deadlineMs: number) => Promise<PlanReply>;
}

/** `call` reaches the service `jdos-agent` of this host. */
export const agentCalls = (call: Call): AgentCalls => ({
  readLog: async (request, deadlineMs) => ReadLogReply.parse(await call('Node::readLog', request, deadlineMs)),
  plan: async (request, deadlineMs) => PlanReply.parse(await call('Node::plan', request, deadlineMs)),
});
