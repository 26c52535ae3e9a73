// The Docker Engine, as far as pods need it: containers, their images and volumes, and what happens to them.
import { Fault } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import { type EventListener, followEvents } from './events.ts';
import { DOCKER_DOWN, DOCKER_HUNG, DOCKER_REFUSED } from './faults.ts';
import { jsonLines } from './lines.ts';
import {
  ContainerDetails,
  type ContainerSpec,
  ContainerSummary,
  Created,
  ImageDetails,
  Progress,
  Refusal,
  Volumes,
} from './shapes.ts';
import { type Call, type Engine, openWire, type Reply, type Wire } from './wire.ts';

/** Every call has a deadline and rejects with a Fault; what is not there is `undefined` or counts as done. */
export interface Docker extends Disposable {
  /** Asks the engine who it is; also after it was replaced by another version. */
  version(): Promise<Engine>;
  /** All containers, running or not, that have these labels (`name=value`). */
  containers(labels: readonly string[]): Promise<readonly ContainerSummary[]>;
  inspect(container: string): Promise<ContainerDetails | undefined>;
  /** Undefined where there is a container of this name already. */
  create(
    name: string,
    spec: ContainerSpec,
  ): Promise<{ readonly id: string; readonly warnings: readonly string[] } | undefined>;
  /** Resolves with why it does not run, or undefined where it does. */
  start(container: string): Promise<string | undefined>;
  /** Sends the image's stop signal, after `graceSeconds` KILL, and resolves when it has ended. */
  stop(container: string, graceSeconds: number): Promise<void>;
  /** False where it runs. Its anonymous volumes go with it. */
  remove(container: string): Promise<boolean>;
  image(name: string): Promise<ImageDetails | undefined>;
  /** Ends when the image is there; has no deadline but one between two signs of life. Rejects with the registry's words. */
  pull(name: string): Promise<void>;
  /** Removes the volumes that have these labels and that no container has. */
  removeUnusedVolumes(labels: readonly string[]): Promise<void>;
  /** Calls back for each event of the containers with these labels, and when some may have been missed. */
  events(labels: readonly string[], listener: EventListener): AsyncDisposable;
  /** The same engine, with one deadline over all calls together. */
  within(ms: number): Docker;
}

const READ_MS = 10_000;
/** The engine answers nothing about a container that it is stopping or removing at the moment. */
const INSPECT_MS = 30_000;
const WRITE_MS = 60_000;
/** What ending a container may take beyond its grace: KILL, and the engine's own book-keeping. */
const STOP_MS = 60_000;
/** A pull that says nothing for so long hangs. */
const PULL_SILENCE_MS = 120_000;

/** Opens nothing before the first call. */
export const openDocker = ({ socket }: { readonly socket: string }): Docker => dockerOver(openWire(socket));

function dockerOver(wire: Wire): Docker {
  const containerPath = (id: string): string => `/containers/${encodeURIComponent(id)}`;
  /** The answer, where its status is one of those that are expected. */
  const ask = async (call: Omit<Call, 'deadlineMs'> & { readonly deadlineMs?: number }, ...fine: readonly number[]) => {
    const reply = await wire.send({ deadlineMs: call.method === 'GET' ? READ_MS : WRITE_MS, ...call });
    if (reply.status < 300 || fine.includes(reply.status)) return reply;
    throw refused(call.what, reply);
  };
  const labelled = (labels: readonly string[]) => ({ filters: { label: labels } });

  return {
    version: () => wire.version(),
    async containers(labels) {
      const what = 'list containers';
      const query = { all: true, ...labelled(labels) };
      const { body } = await ask({ what, method: 'GET', path: '/containers/json', query });
      return understood(z.array(ContainerSummary), body, what);
    },
    async inspect(id) {
      const what = `inspect container ${id}`;
      const call = { what, method: 'GET', path: `${containerPath(id)}/json`, deadlineMs: INSPECT_MS } as const;
      const { status, body } = await ask(call, 404);
      return status === 404 ? undefined : understood(ContainerDetails, body, what);
    },
    async create(name, spec) {
      const what = `create container ${name}`;
      const call = { what, method: 'POST', path: '/containers/create', query: { name }, body: spec } as const;
      const { status, body } = await ask(call, 409);
      if (status === 409) return undefined;
      const { Id, Warnings } = understood(Created, body, what);
      return { id: Id, warnings: Warnings };
    },
    async start(id) {
      const what = `start container ${id}`;
      const reply = await wire.send({ what, method: 'POST', path: `${containerPath(id)}/start`, deadlineMs: WRITE_MS });
      return reply.status < 300 || reply.status === 304 ? undefined : messageOf(reply);
    },
    async stop(id, graceSeconds) {
      const what = `stop container ${id}`;
      const path = `${containerPath(id)}/stop`;
      const deadlineMs = graceSeconds * 1000 + STOP_MS;
      await ask({ what, method: 'POST', path, query: { t: graceSeconds }, deadlineMs }, 304, 404);
    },
    async remove(id) {
      const what = `remove container ${id}`;
      const reply = await ask({ what, method: 'DELETE', path: containerPath(id), query: { v: true } }, 404, 409);
      // Another removal that is under way is as good as ours.
      return reply.status !== 409 || /already in progress/.test(messageOf(reply));
    },
    async image(name) {
      const what = `inspect image ${name}`;
      const { status, body } = await ask({ what, method: 'GET', path: `/images/${name}/json` }, 404);
      return status === 404 ? undefined : understood(ImageDetails, body, what);
    },
    pull: (name) => pull(wire, name),
    async removeUnusedVolumes(labels) {
      const what = 'list unused volumes';
      const query = { filters: { label: labels, dangling: ['true'] } };
      const { body } = await ask({ what, method: 'GET', path: '/volumes', query });
      for (const { Name } of understood(Volumes, body, what).Volumes ?? []) {
        const path = `/volumes/${encodeURIComponent(Name)}`;
        // A container that has just taken it keeps it.
        await ask({ what: `remove volume ${Name}`, method: 'DELETE', path }, 404, 409);
      }
    },
    events: (labels, listener) => followEvents(wire, labels, listener),
    within: (ms) => dockerOver(wire.within(ms)),
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}

async function pull(wire: Wire, image: string): Promise<void> {
  const what = `pull image ${image}`;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), PULL_SILENCE_MS);
  try {
    // Without a tag Docker would pull all of them.
    const query = { fromImage: image, ...(/[:@][^/]*$/.test(image) ? {} : { tag: 'latest' }) };
    const call = { what, method: 'POST', path: '/images/create', query, deadlineMs: PULL_SILENCE_MS } as const;
    const stream = await wire.stream(call, silence.signal);
    if ('status' in stream) throw refused(what, stream);
    for await (const line of jsonLines(stream)) {
      timer.refresh();
      const { error } = Progress.safeParse(line).data ?? {};
      if (error !== undefined) throw new Fault(DOCKER_REFUSED, `Docker could not ${what}: ${error}`);
    }
  } catch (error) {
    if (silence.signal.aborted)
      throw new Fault(DOCKER_HUNG, `Docker said nothing for ${PULL_SILENCE_MS / 1000} s: ${what}`, { cause: error });
    if (error instanceof Fault) throw error;
    throw new Fault(DOCKER_DOWN, `Docker broke off: ${what}`, { cause: error });
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

const messageOf = ({ status, body }: Reply): string =>
  // A body that docker-modem has read from a stream comes with its own words before it.
  (Refusal.safeParse(body).data?.message ?? `status ${status}`).replace(/^\(HTTP code \d+\) [\w ]+ - /, '').trim();

const refused = (what: string, reply: Reply): Fault =>
  new Fault(DOCKER_REFUSED, `Docker refused to ${what}: ${messageOf(reply)}`);

function understood<S extends z.ZodType>(schema: S, body: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Fault(DOCKER_REFUSED, `Docker answered what cannot be understood to: ${what}`, { cause: parsed.error });
}
