// What the runtimes have: asked for when somebody wants to know, once for all who ask at the same time.
import type { Health } from '../../base/component.ts';
import { explain } from '../../base/fault.ts';
import type { Runtime, RuntimeFacts, RuntimeName } from '../runtimes/runtime.ts';

export interface Observations {
  /** Facts that are younger than the question; undefined where the runtime cannot say. */
  fresh(name: RuntimeName): Promise<RuntimeFacts | undefined>;
  /** The last answer. */
  latest(name: RuntimeName): RuntimeFacts | undefined;
  /** Why the last question had no answer. */
  failure(name: RuntimeName): string | undefined;
  /** Asks all runtimes whether pods can be started. */
  check(): Promise<void>;
  health(name: RuntimeName): Health | undefined;
  /** Whether pods can be started there, by the last answer. */
  works(name: RuntimeName): boolean;
  /** Whether this host has it, though it may be down at the moment. */
  isHere(name: RuntimeName): boolean;
}

export function observe(runtimes: readonly Runtime[]): Observations {
  const latest = new Map<RuntimeName, RuntimeFacts>();
  const failures = new Map<RuntimeName, string>();
  const health = new Map<RuntimeName, Health>();
  const pending = new Map<
    RuntimeName,
    { running: Promise<unknown>; next: Promise<RuntimeFacts | undefined> | undefined }
  >();

  const works = (name: RuntimeName): boolean => ['available', 'limited'].includes(health.get(name)?.state ?? 'missing');
  const look = async (runtime: Runtime): Promise<void> => {
    const found = await runtime
      .check()
      .catch((error: unknown): Health => ({ state: 'failing', reason: explain(error) }));
    health.set(runtime.name, found);
  };
  const ask = async (runtime: Runtime): Promise<RuntimeFacts | undefined> => {
    try {
      const facts = await runtime.list();
      latest.set(runtime.name, facts);
      failures.delete(runtime.name);
      if (!works(runtime.name) && health.has(runtime.name)) void look(runtime);
      return facts;
    } catch (error) {
      failures.set(runtime.name, explain(error));
      // Nobody waits for the next look to be told that it is down.
      if (works(runtime.name)) void look(runtime);
      return undefined;
    }
  };
  const begin = (runtime: Runtime): Promise<RuntimeFacts | undefined> => {
    const answer = ask(runtime);
    const state = { running: answer, next: undefined };
    pending.set(runtime.name, state);
    void answer.then(() => {
      if (pending.get(runtime.name) === state) pending.delete(runtime.name);
    });
    return answer;
  };
  return {
    async fresh(name) {
      const runtime = runtimes.find((each) => each.name === name);
      if (runtime === undefined) return undefined;
      const under = pending.get(name);
      if (under === undefined) return begin(runtime);
      // The question under way may be older than what the asker has just done: the next one is for all who wait.
      under.next ??= under.running.then(() => begin(runtime));
      return under.next;
    },
    latest: (name) => latest.get(name),
    failure: (name) => failures.get(name),
    async check() {
      await Promise.all(runtimes.map(look));
    },
    health: (name) => health.get(name),
    works,
    isHere: (name) => (health.get(name)?.state ?? 'missing') !== 'missing',
  };
}
