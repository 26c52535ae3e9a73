// One pod, brought to where it should be: look, decide, act, tell the API; again until only waits are left.
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../base/logging.ts';
import { type Pod, type PodStatus, RUNTIME_ANNOTATION } from '../objects/pod.ts';
import type { Runtime, RuntimeName } from '../runtimes/runtime.ts';
import { apply, type Happening, type Hands } from './apply.ts';
import { troubled } from './back-off.ts';
import type { Clock } from '../clock.ts';
import { environmentOf } from './environment.ts';
import { type PodMemory, remember, SANDBOX, withTrouble } from './memory.ts';
import type { Observations } from './observations.ts';
import { planPod, type PodView } from './plan.ts';
import type { Pods } from './pods.ts';
import { lastRun, lastSandbox, podFacts } from './runs.ts';
import { chooseRuntime, refusalOf } from './runtime-choice.ts';
import { podStatus } from './status.ts';
import type { Step } from './step.ts';

/** What one pod's worker asks of the API. Pods come back as they are then, or undefined where they are gone. */
export interface PodApi {
  writeStatus(pod: Pod, status: PodStatus): Promise<Pod | undefined>;
  annotate(pod: Pod, annotations: Readonly<Record<string, string>>): Promise<Pod | undefined>;
  confirmDeletion(pod: Pod): Promise<void>;
  uidOf(namespace: string, name: string): Promise<string | undefined>;
}

interface SyncOptions {
  readonly runtimes: readonly Runtime[];
  readonly observations: Observations;
  readonly pods: Pods;
  readonly api: PodApi;
  readonly tell: (pod: Pod, happening: Happening) => void;
  readonly clock: Clock;
  readonly hostIP: () => string;
  /** The user that processes without a user of their own run as. */
  readonly ownUid: number;
  readonly log: Logger;
}

export interface PodSync {
  /** Milliseconds until the pod wants to be looked at again; undefined: when something changes. */
  sync(uid: string): Promise<number | undefined>;
  /** The view that a decision about this pod would rest on now; nothing is remembered of it. */
  look(uid: string, pod: Pod | undefined): Promise<PodView | undefined>;
}

const MAX_ROUNDS = 20;
const STATUS_RETRY_MS = 2000;
const UNKNOWN_RETRY_MS = 15_000;
const NOTHING = { sandboxes: [], runs: [] };

export function openPodSync(options: SyncOptions): PodSync {
  const { runtimes, observations, pods, api, tell, clock, hostIP, ownUid, log } = options;
  const memories = new Map<string, PodMemory>();
  /** Up to which run a back-off was told, by uid and container. */
  const told = new Map<string, number>();

  /** The pod's runtime; for a pod that the API forgot, the one that has something of it. */
  const runtimeOf = async (uid: string, pod: Pod | undefined): Promise<RuntimeName | undefined> => {
    if (pod !== undefined) return chooseRuntime(pod, observations.isHere('docker'));
    for (const { name } of runtimes) {
      const facts = await observations.fresh(name);
      if (facts !== undefined && [...facts.sandboxes, ...facts.containers].some(({ podUid }) => podUid === uid))
        return name;
    }
    return undefined;
  };

  const look = async (uid: string, pod: Pod | undefined, keep: boolean): Promise<PodView | undefined> => {
    const runtime = await runtimeOf(uid, pod);
    if (runtime === undefined) return undefined;
    const observed = await observations.fresh(runtime);
    const facts = observed === undefined ? undefined : podFacts(pod, uid, observed);
    const moment = { now: clock.now(), wall: clock.wall() };
    const known = memories.get(uid);
    const memory =
      facts === undefined ? (known ?? remember(undefined, pod, NOTHING, moment)) : remember(known, pod, facts, moment);
    if (facts !== undefined && keep) memories.set(uid, memory);
    const some = facts?.sandboxes[0] ?? facts?.runs[0];
    const about = pod?.metadata ?? { namespace: some?.namespace ?? '', name: some?.podName ?? '' };
    const refusal = pod === undefined ? undefined : refusalOf(pod, runtime, ownUid);
    return {
      uid,
      key: `${about.namespace ?? 'default'}/${about.name}`,
      pod,
      runtime,
      facts,
      memory,
      ...(refusal === undefined ? {} : { refusal }),
    };
  };

  /** The status of a pod whose runtime does not answer: of a new one it is said, of a known one nothing is. */
  const statusOf = (pod: Pod, view: PodView): PodStatus | undefined => {
    const { facts, runtime, memory, refusal } = view;
    if (facts === undefined && pod.status.containerStatuses !== undefined) return undefined;
    const message = `${observations.failure(runtime) ?? `there is no runtime ${runtime} here`}`;
    const unknown = { reason: 'ContainerCreating', message, failures: 1, retryAt: 0 };
    return podStatus({
      pod,
      runtime,
      facts: facts ?? NOTHING,
      memory: facts === undefined ? withTrouble(memory, SANDBOX, unknown) : memory,
      now: clock.now(),
      wall: clock.wall(),
      hostIP: hostIP(),
      ...(refusal === undefined ? {} : { refusal }),
    });
  };

  const writeStatus = async (view: PodView): Promise<void> => {
    const pod = pods.get(view.uid);
    const status = pod === undefined ? undefined : statusOf(pod, view);
    if (pod === undefined || status === undefined || isDeepStrictEqual(status, pod.status)) return;
    const written = await api.writeStatus(pod, status);
    if (written !== undefined) pods.put(written);
  };

  const handsFor = (view: PodView, runtime: Runtime): Hands => {
    const { uid, pod, facts = NOTHING } = view;
    const addresses = { hostIP: hostIP(), podIP: lastSandbox(facts)?.ip };
    const change = (update: (memory: PodMemory) => PodMemory): void => {
      memories.set(uid, update(memories.get(uid) ?? view.memory));
    };
    return {
      runtime,
      pod,
      environment: (container) => (pod === undefined ? [] : environmentOf(pod, container, addresses)),
      tell: (happening) => (pod === undefined ? undefined : tell(pod, happening)),
      started: (key) => change((memory) => withTrouble(memory, key, undefined)),
      failed: (key, reason, message) =>
        change((memory) =>
          withTrouble(memory, key, troubled(memory.troubles.get(key), { reason, message }, clock.now())),
        ),
      async writeStatus() {
        const now = await look(uid, pods.get(uid), true);
        if (now !== undefined) await writeStatus(now);
      },
      confirmDeletion: async () => (pod === undefined ? undefined : api.confirmDeletion(pod)),
    };
  };

  const tellWaits = ({ pod, uid, facts, memory }: PodView, steps: readonly Step[]): void => {
    for (const step of steps) {
      if (pod === undefined || step.kind !== 'wait' || step.container === undefined || step.seconds === undefined)
        continue;
      const attempt = lastRun(facts ?? NOTHING, step.container)?.attempt ?? 0;
      const key = `${uid}/${step.container}`;
      if (told.get(key) === attempt || memory.troubles.has(step.container)) continue;
      told.set(key, attempt);
      const message = `Back-off restarting failed container ${step.container} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${uid})`;
      tell(pod, { type: 'Warning', reason: 'BackOff', message, container: step.container });
    }
  };

  /** The pod with its runtime written on it, so that Docker's coming or going later changes nothing for it. */
  const annotated = async (pod: Pod | undefined): Promise<Pod | undefined> => {
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return pod;
    const runtime = chooseRuntime(pod, observations.isHere('docker'));
    if (pod.metadata.annotations?.[RUNTIME_ANNOTATION] === runtime) return pod;
    const after = await api.annotate(pod, { [RUNTIME_ANNOTATION]: runtime });
    if (after !== undefined) pods.put(after);
    return after;
  };

  const forget = (uid: string): undefined => {
    memories.delete(uid);
    for (const key of told.keys()) if (key.startsWith(`${uid}/`)) told.delete(key);
  };

  return {
    look: (uid, pod) => look(uid, pod, false),
    async sync(uid) {
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const pod = await annotated(pods.get(uid));
        const view = await look(uid, pod, true);
        if (view === undefined) return forget(uid);
        const runtime = runtimes.find(({ name }) => name === view.runtime);
        const steps = planPod(view, clock.now());
        const toldApi = await writeStatus(view).then(
          () => true,
          (error: unknown) => {
            // The API is being restarted: what runs goes on, and it is told later.
            log.debug({ err: error, pod: view.key }, 'status of a pod was not written');
            return false;
          },
        );
        const acts = steps.filter(({ kind }) => kind !== 'wait');
        if (pod === undefined && acts.length > 0 && (await stillThere(view, pods, api))) return undefined;
        if (acts.length === 0 || runtime === undefined) {
          if (view.facts === undefined) return unknown(view, observations, tell);
          tellWaits(view, steps);
          return soonest(steps, toldApi);
        }
        await apply(steps, handsFor(view, runtime));
        if (acts.at(-1)?.kind === 'confirm-deletion') return undefined;
      }
      return STATUS_RETRY_MS;
    },
  };
}

/** Before anything is taken away for want of a pod, the API is asked about this very pod. */
async function stillThere({ uid, key }: PodView, pods: Pods, api: PodApi): Promise<boolean> {
  if (!pods.listed || pods.get(uid) !== undefined) return true;
  const [namespace = '', name = ''] = key.split('/');
  return (await api.uidOf(namespace, name)) === uid;
}

function unknown(view: PodView, observations: Observations, tell: SyncOptions['tell']): number {
  const message = `${view.runtime} does not say what it runs, so nothing is changed: ${observations.failure(view.runtime) ?? 'it is not there'}`;
  if (view.pod !== undefined) tell(view.pod, { type: 'Warning', reason: 'RuntimeUnknown', message });
  return UNKNOWN_RETRY_MS;
}

function soonest(steps: readonly Step[], toldApi: boolean): number | undefined {
  const waits = steps.flatMap((step) =>
    step.kind === 'wait' && step.seconds !== undefined ? [Math.max(1, Math.ceil(step.seconds * 1000))] : [],
  );
  if (!toldApi) waits.push(STATUS_RETRY_MS);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
