// GET pods/NAME/log: a container's output, in pieces from the node agent, as it is written where `follow` says so.
import { Readable } from 'node:stream';
import { type Route, route, type RouteReply } from '../../base/route.ts';
import type { ReadLogReply, ReadLogRequest } from '../node/procedures.ts';
import type { Pod } from '../objects/pod.ts';
import type { AgentCalls } from './agent-calls.ts';
import { type ApiContext, read, targetOf } from './context.ts';
import { badRequest } from './faults.ts';
import { pods } from './pods.ts';
import { isTrue, type KubeRequest, parameter, wholeNumber } from './request.ts';
import { statusBody } from './status.ts';

const FOLLOW_MS = 15_000;
const REPLY_MS = 20_000;
const DEADLINE_MS = 86_400_000;

interface LogOptions {
  readonly request: ReadLogRequest;
  readonly follow: boolean;
  readonly limitBytes: number | undefined;
}

function optionsOf(request: KubeRequest, pod: Pod, now: number): LogOptions {
  const sinceSeconds = wholeNumber(request, 'sinceSeconds');
  const sinceTime = parameter(request, 'sinceTime') ?? '';
  if (sinceSeconds !== undefined && sinceTime !== '') {
    throw badRequest('at most one of sinceTime or sinceSeconds may be specified');
  }
  const at = sinceTime === '' ? undefined : Date.parse(sinceTime);
  if (at !== undefined && Number.isNaN(at)) throw badRequest(`sinceTime is no time: ${sinceTime.slice(0, 40)}`);
  const since = sinceSeconds === undefined ? at : now - sinceSeconds * 1000;
  const tailLines = wholeNumber(request, 'tailLines');
  const limitBytes = wholeNumber(request, 'limitBytes');
  if (limitBytes === 0) throw badRequest('limitBytes must be greater than 0');
  const { name, namespace = '', uid } = pod.metadata;
  return {
    follow: isTrue(parameter(request, 'follow')),
    limitBytes,
    request: {
      namespace,
      pod: name,
      uid,
      container: containerOf(request, pod),
      previous: isTrue(parameter(request, 'previous')),
      timestamps: isTrue(parameter(request, 'timestamps')),
      waitMs: 0,
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(since === undefined ? {} : { since }),
    },
  };
}

/** The container named, or the only one. Throws 400 in Kubernetes' words. */
function containerOf(request: KubeRequest, { spec, metadata }: Pod): string {
  const asked = parameter(request, 'container') ?? '';
  const main = spec.containers.map(({ name }) => name);
  const init = (spec.initContainers ?? []).map(({ name }) => name);
  const [only] = main;
  if (asked === '' && only !== undefined && main.length === 1) return only;
  if (asked === '') {
    const more = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`;
    throw badRequest(
      `a container name must be specified for pod ${metadata.name}, choose one of: [${main.join(' ')}]${more}`,
    );
  }
  if (!main.includes(asked) && !init.includes(asked)) {
    throw badRequest(`container ${asked.slice(0, 100)} is not valid for pod ${metadata.name}`);
  }
  return asked;
}

async function log(context: ApiContext, calls: AgentCalls, request: KubeRequest): Promise<RouteReply> {
  const pod = (await read(context, pods, targetOf(pods, request))) as unknown as Pod;
  const options = optionsOf(request, pod, context.now());
  if ((pod.spec.nodeName ?? '') === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  // The first piece before the answer begins, so that what is wrong is told by its status.
  const first = await calls.readLog(options.request, REPLY_MS);
  const signal = AbortSignal.any([request.signal, context.stopping()]);
  const body = Readable.from(pieces(calls, options, first, signal), { objectMode: true, highWaterMark: 1 });
  return { type: 'text/plain', body };
}

async function* pieces(
  calls: AgentCalls,
  { request, follow, limitBytes }: LogOptions,
  first: ReadLogReply,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  for (let reply = first; ;) {
    const data = Buffer.from(reply.data, 'base64').subarray(0, left);
    left -= data.length;
    if (data.length > 0) yield data;
    // Without `follow` what is there now is all. An empty piece is not its end: a file that was rotated away may end so.
    if (reply.ended || left <= 0 || signal.aborted || (!follow && reply.atEnd)) return;
    const next = { ...request, cursor: reply.cursor, waitMs: follow ? FOLLOW_MS : 0 };
    reply = await calls.readLog(next, FOLLOW_MS + REPLY_MS);
  }
}

export const logRoute = (context: ApiContext, calls: AgentCalls): Route =>
  route({
    method: 'GET',
    path: '/api/v1/namespaces/:namespace/pods/:name/log',
    right: 'logs',
    summary: 'Output of a container',
    deadlineMs: DEADLINE_MS,
    problem: statusBody,
    handler: (request) => log(context, calls, request as unknown as KubeRequest),
  });
