// A runtime in memory: processes that end when the clock says so, and a crash of the agent before or after any call.
import type { Pod } from '../../../src/orchestrator/objects/pod.ts';
import type {
  ObservedContainer,
  ObservedSandbox,
  Runtime,
  RuntimeFacts,
} from '../../../src/orchestrator/runtimes/runtime.ts';

export class Crash extends Error {}

export interface FakeClock {
  now(): number;
  wall(): number;
  after(ms: number, callback: () => void): Disposable;
  /** Moves both clocks; `wallToo` false moves the monotonic one only. */
  pass(ms: number): void;
  setWall(ms: number): void;
}

export function fakeClock(wall: number): FakeClock {
  let mono = 0;
  let offset = wall;
  return {
    now: () => mono,
    wall: () => mono + offset,
    after: () => ({ [Symbol.dispose]: () => undefined }),
    pass: (ms) => void (mono += ms),
    setWall: (ms) => void (offset = ms - mono),
  };
}

export interface FakeRuntime extends Runtime {
  /** When each container was started, by the monotonic clock. */
  readonly starts: { readonly name: string; readonly attempt: number; readonly at: number }[];
  facts(): RuntimeFacts;
  /** Changes a container, such as by ending it. */
  end(name: string, exitCode?: number): void;
  breakSandbox(): void;
  /** The agent dies at this call, counted from now; half a call is done when `half`. */
  crashAt(call: number, after: boolean): void;
  readonly calls: number;
  /** Every call rejects with this while it is set. */
  down: Error | undefined;
  /** Starts reject with this while it is set. */
  refuses: Error | undefined;
  /** How long a process runs and how it ends; by default it runs on. */
  behaviour: (name: string, attempt: number) => { readonly ms: number; readonly exitCode: number } | undefined;
}

export function fakeRuntime(clock: FakeClock): FakeRuntime {
  const sandboxes = new Map<string, ObservedSandbox>();
  const containers = new Map<string, ObservedContainer & { readonly mono: number }>();
  let crash: { call: number; after: boolean } | undefined;
  let calls = 0;

  const settle = (): void => {
    for (const [id, each] of containers) {
      const ends = each.state === 'running' ? fake.behaviour(each.name, each.attempt) : undefined;
      if (ends !== undefined && clock.now() >= each.mono + ends.ms) exit(id, ends.exitCode);
    }
  };
  const exit = (id: string, exitCode: number): void => {
    const each = containers.get(id);
    if (each?.state !== 'running') return;
    const { pid: _, ...rest } = each;
    const reason = exitCode === 0 ? ('Completed' as const) : ('Error' as const);
    containers.set(id, { ...rest, state: 'exited', finishedAt: clock.wall(), exitCode, reason });
  };
  /** Runs the parts of a call; the agent may die before it, or after it without hearing the answer. */
  const call = async <T>(...parts: readonly (() => T)[]): Promise<T> => {
    if (fake.down !== undefined) throw fake.down;
    calls += 1;
    const dies = crash !== undefined && calls === crash.call;
    if (dies && crash?.after === false) {
      for (const part of parts.slice(0, -1)) part();
      throw (fake.down = new Crash('before'));
    }
    let result: T | undefined;
    for (const part of parts) result = part();
    if (dies) throw (fake.down = new Crash('after'));
    return result as T;
  };
  const named = (pod: Pod) => ({
    podUid: pod.metadata.uid,
    namespace: pod.metadata.namespace ?? '',
    podName: pod.metadata.name,
  });

  const fake: FakeRuntime = {
    name: 'process',
    starts: [],
    behaviour: () => undefined,
    down: undefined,
    refuses: undefined,
    get calls() {
      return calls;
    },
    facts: () => ({ sandboxes: [...sandboxes.values()], containers: [...containers.values()] }),
    end: (name, exitCode = 1) => {
      for (const [id, each] of containers) if (each.name === name) exit(id, exitCode);
    },
    breakSandbox: () => {
      for (const [id, each] of sandboxes) sandboxes.set(id, { ...each, ready: false });
    },
    crashAt: (at, after) => {
      calls = 0;
      crash = { call: at, after };
    },
    check: async () => ({ state: 'available' }),
    async list() {
      if (fake.down !== undefined) throw fake.down;
      settle();
      return fake.facts();
    },
    watch: () => ({ [Symbol.asyncDispose]: async () => undefined }),
    createSandbox: (pod, attempt) => {
      const id = `${pod.metadata.uid}-s${attempt}`;
      const made = (ready: boolean) => () => {
        if (sandboxes.get(id)?.ready !== true)
          sandboxes.set(id, { id, ...named(pod), attempt, ready, createdAt: clock.wall(), ip: '10.0.0.7' });
        return { id, warnings: [] };
      };
      return call(made(false), made(true));
    },
    startContainer: ({ pod, container, attempt, sandboxId }) => {
      if (fake.refuses !== undefined) return Promise.reject(fake.refuses);
      const id = `${pod.metadata.uid}-${container.name}-${attempt}`;
      const made = (state: 'created' | 'running') => () => {
        const had = containers.get(id);
        if (had === undefined || had.state === 'created') {
          if (state === 'running') fake.starts.push({ name: container.name, attempt, at: clock.now() });
          containers.set(id, {
            id,
            sandboxId,
            ...named(pod),
            name: container.name,
            attempt,
            state,
            image: container.image ?? '',
            imageId: '',
            createdAt: clock.wall(),
            ...(state === 'running' ? { startedAt: clock.wall(), pid: 100 } : {}),
            mono: clock.now(),
          });
        }
        return { id, warnings: [] };
      };
      return call(made('created'), made('running'));
    },
    stopContainer: (id) => call(() => exit(id, 143)),
    removeContainer: (id) =>
      call(() => {
        if (containers.get(id)?.state === 'running') throw new Error('it runs');
        containers.delete(id);
      }),
    removeSandbox: (id) => call(() => void sandboxes.delete(id)),
    logFile: async () => undefined,
  };
  return fake;
}
