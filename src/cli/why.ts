// `jdos why pod/NAME`: the story of one pod in a few lines: bound, started, how it ended, what it waits for, what to do.
import { Fault, faultKind } from '../base/fault.ts';
import { z } from '../base/schema.ts';
import { formatSeconds } from '../base/units.ts';
import { type CliCommand, readOptions, type ReadOptions, withClient } from './command.ts';
import { printable } from './io.ts';

const WHY_WHAT = faultKind('JD_WHY_WHAT', 400, 'name a pod, as in `jdos why pod/hello -n default`');

const Terminated = z.object({
  exitCode: z.number(),
  signal: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  finishedAt: z.string().optional(),
});
const State = z.object({
  waiting: z.object({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  running: z.object({ startedAt: z.string().optional() }).optional(),
  terminated: Terminated.optional(),
});
type State = z.output<typeof State>;
const ContainerStatus = z.object({ name: z.string(), state: State, lastState: State, restartCount: z.number() });
type ContainerStatus = z.output<typeof ContainerStatus>;

const Pod = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({ nodeName: z.string().optional(), restartPolicy: z.string().optional() }),
  status: z.object({
    phase: z.string(),
    reason: z.string().optional(),
    message: z.string().optional(),
    podIP: z.string().optional(),
    startTime: z.string().optional(),
    initContainerStatuses: z.array(ContainerStatus).default([]),
    containerStatuses: z.array(ContainerStatus).default([]),
  }),
});
const Events = z.object({
  items: z.array(
    z.object({
      involvedObject: z.object({ uid: z.string().optional() }),
      type: z.string().optional(),
      reason: z.string().default(''),
      message: z.string().default(''),
      count: z.number().optional(),
      lastTimestamp: z.string().nullish(),
    }),
  ),
});

type WhyPod = z.output<typeof Pod>;
type WhyEvent = z.output<typeof Events>['items'][number];

const NO_POD = faultKind('JD_WHY_NO_POD', 404, 'see `kubectl get pods -A` for the pods that there are');

const absent =
  (namespace: string, name: string) =>
  (error: unknown): never => {
    if (error instanceof Fault && /status 404/.test(error.message))
      throw new Fault(NO_POD, `there is no pod ${namespace}/${name}`);
    throw error;
  };

interface WhyOptions extends ReadOptions {
  readonly namespace: string;
}

const MOST_EVENTS = 3;

export const whyCommand: CliCommand = (program, { io }) => {
  readOptions(program.command('why <what>'))
    .description('why a pod is as it is: jdos why pod/hello')
    .option('-n, --namespace <name>', 'the namespace of the pod', 'default')
    .action(async (what: string, { json, namespace, ...server }: WhyOptions) => {
      const name = /^(?:(?:pods?|po)\/)?([a-z0-9][a-z0-9.-]*)$/.exec(what)?.[1];
      if (name === undefined) throw new Fault(WHY_WHAT, `${JSON.stringify(what)} names no pod`);
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
      const { pod, events } = await withClient(server, io, async (client) => {
        const pod = Pod.parse(await client.get(`${path}/pods/${name}`).catch(absent(namespace, name)));
        const fieldSelector = `involvedObject.uid=${pod.metadata.uid}`;
        return { pod, events: Events.parse(await client.get(`${path}/events`, { fieldSelector })).items };
      });
      const lines = story(pod, events, Date.now());
      if (json) io.out(JSON.stringify({ pod: `${namespace}/${name}`, phase: pod.status.phase, story: lines }));
      else for (const line of lines) io.out(printable(line));
    });
};

/** The story in the order in which it happened. `now` is in Unix milliseconds. */
export function story({ metadata, spec, status }: WhyPod, events: readonly WhyEvent[], now: number): readonly string[] {
  const ago = (time: string | null | undefined): string =>
    time == null ? '' : ` ${formatSeconds(Math.max(0, (now - Date.parse(time)) / 1000))} ago`;
  const runtime = metadata.annotations?.['jdos.io/runtime'];
  const containers = [...status.initContainerStatuses, ...status.containerStatuses];
  const told = containers.some(({ state }) => state.waiting?.message !== undefined);
  return [
    `pod ${metadata.namespace}/${metadata.name} is ${phrase(status, metadata.deletionTimestamp)}; made${ago(metadata.creationTimestamp)}`,
    spec.nodeName === undefined
      ? 'it is bound to no node: see `kubectl get nodes` for one that is Ready'
      : `bound to ${spec.nodeName}${runtime === undefined ? '; its agent has not taken it up yet' : `, runs on ${runtime}`}${status.podIP === undefined ? '' : `, address ${status.podIP}`}`,
    ...containers.flatMap((each) => containerLines(each, ago, now)),
    ...(told ? [] : warningLines(events, ago)),
  ];
}

const phrase = ({ phase, reason, message }: WhyPod['status'], deletion: string | undefined): string =>
  [deletion === undefined ? phase : `${phase}, being deleted`, reason, message].filter(Boolean).join(': ');

function containerLines(
  { name, state, lastState, restartCount }: ContainerStatus,
  ago: (time: string | undefined) => string,
  now: number,
): readonly string[] {
  const lines: string[] = [];
  const last = lastState.terminated;
  if (last !== undefined)
    lines.push(
      `${name}: run ${Math.max(0, restartCount - (state.waiting ? 0 : 1))} ${ending(last)}${ago(last.finishedAt)}`,
    );
  if (state.running !== undefined)
    lines.push(`${name}: has run for${ago(state.running.startedAt).replace(/ ago$/, '')}, ${times(restartCount)}`);
  if (state.terminated !== undefined)
    lines.push(`${name}: ${ending(state.terminated)}${ago(state.terminated.finishedAt)}`);
  if (state.waiting !== undefined) {
    const { reason = 'waiting', message } = state.waiting;
    lines.push(`${name}: waits, ${reason}${message === undefined ? '' : `: ${message}`}`);
    if (reason === 'CrashLoopBackOff') {
      lines.push(`${name}: ${nextTry(message, last?.finishedAt, now)}`);
      lines.push(`try: kubectl logs with -c ${name} --previous, what the last run said`);
    }
  }
  return lines;
}

const times = (restarts: number): string => (restarts === 1 ? '1 restart' : `${restarts} restarts`);

/** When the back-off is over: its length after the end of the last run. */
function nextTry(message: string | undefined, finishedAt: string | undefined, now: number): string {
  const [, minutes = '0', seconds = '0'] = /back-off (?:(\d+)m)?(\d+)s/.exec(message ?? '') ?? [];
  const delay = Number(minutes) * 60 + Number(seconds);
  if (delay === 0 || finishedAt === undefined) return 'started again when the back-off is over';
  const at = Date.parse(finishedAt) + delay * 1000;
  const left = (at - now) / 1000;
  return left <= 0
    ? 'is being started again now'
    : `started again in ${formatSeconds(left)}, at ${new Date(at).toISOString().slice(11, 19)}Z`;
}

/** Reasons that say no more than the exit code does. */
const PLAIN: ReadonlySet<string | undefined> = new Set(['Completed', 'Error', 'ExitCodeLost', undefined]);

const ending = ({ exitCode, signal, reason, message }: z.output<typeof Terminated>): string => {
  if (reason === 'ExitCodeLost') return 'ended, nobody saw how';
  const how = signal === undefined ? `ended with exit code ${exitCode}` : `ended by signal ${signal}`;
  return `${how}${PLAIN.has(reason) ? '' : ` (${reason})`}${message === undefined ? '' : `: ${message}`}`;
};

/** The last things that went wrong, where the status does not say them already. */
const warningLines = (
  events: readonly WhyEvent[],
  ago: (time: string | null | undefined) => string,
): readonly string[] =>
  events
    .filter(({ type, reason }) => type === 'Warning' && reason !== 'BackOff')
    .sort((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
    .slice(-MOST_EVENTS)
    .map(
      ({ reason, message, count = 1, lastTimestamp }) =>
        `${reason}${count > 1 ? ` ×${count}` : ''}${ago(lastTimestamp)}: ${message}`,
    );
