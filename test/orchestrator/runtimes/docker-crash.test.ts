// A daemon that dies between any two calls to Docker, on a real engine.
import t from 'tap';
import type { Docker } from '../../../src/drivers/docker/index.ts';
import type { Runtime } from '../../../src/orchestrator/runtimes/runtime.ts';
import { clear, logOf, run, scriptPod, SLEEP } from '../../contracts/runtime.ts';
import { eventually } from '../../support/daemon.ts';
import { BUSYBOX, startDockerd } from '../../support/dockerd.ts';
import { needs, needsRoot } from '../../support/needs.ts';
import { onDocker } from './on-docker.ts';

const skip = needsRoot() || needs('dockerd', 'busybox');

/** More than the start of a pod takes, or its end. */
const MOST_CALLS = 14;

/** An engine that the daemon dies in the middle of asking: before call number `at`, or after it without hearing the answer. */
function dying(docker: Docker, at: number, after: boolean, onDeath: () => void): Docker {
  let calls = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    onDeath();
    throw new Error('the daemon dies');
  };
  const wrap = (inner: Docker): Docker =>
    new Proxy(inner, {
      get(target, name, receiver) {
        const member = Reflect.get(target, name, receiver) as unknown;
        if (typeof member !== 'function' || typeof name === 'symbol' || name === 'events') return member;
        if (name === 'within') return (ms: number) => wrap(target.within(ms));
        return async (...args: unknown[]) => {
          if (isDead) throw new Error('the daemon is dead');
          calls += 1;
          const isLast = calls === at;
          if (isLast && !after) die();
          const answer = await (member as (...given: unknown[]) => Promise<unknown>).apply(target, args);
          return isLast ? die() : answer;
        };
      },
    });
  return wrap(docker);
}

t.test(
  'a daemon that dies between any two calls leaves what the next one goes on with; nothing runs twice',
  { skip },
  async (t) => {
    const open = onDocker(t, await startDockerd(t));
    const calls = Array.from({ length: MOST_CALLS }, (_, i) => i + 1);
    const cases = calls.flatMap((at) => [
      { at, after: false },
      { at, after: true },
    ]);
    let deaths = 0;
    const live = async ({ at, after }: { readonly at: number; readonly after: boolean }): Promise<void> => {
      const where = `${after ? 'after' : 'before'} call ${at}`;
      const wanted = scriptPod(`echo begun; ${SLEEP}`, { image: BUSYBOX });
      const { uid } = wanted.metadata;
      const mortal = (): Runtime => open({ between: (docker) => dying(docker, at, after, () => (deaths += 1)) });
      await run({ runtime: mortal() }, wanted).catch(() => undefined);
      const next = open();
      const { id } = await run({ runtime: next }, wanted);
      const facts = await next.list();
      const mine = <T extends { readonly podUid: string }>(all: readonly T[]): readonly T[] =>
        all.filter(({ podUid }) => podUid === uid);
      t.match(mine(facts.containers), [{ id, state: 'running', attempt: 0 }], where);
      t.match(mine(facts.sandboxes), [{ ready: true }], where);
      await eventually('it spoke', async () => (await logOf(next, id)) !== '' || undefined);
      t.equal(await logOf(next, id), 'begun\n', where);
      // And its end, in the same way.
      await clear(mortal(), uid).catch(() => undefined);
      await clear(open(), uid);
      const left = await open().list();
      t.same([mine(left.containers), mine(left.sandboxes)], [[], []], where);
    };
    const work = async (): Promise<void> => {
      for (let one = cases.pop(); one !== undefined; one = cases.pop()) await live(one);
    };
    await Promise.all(Array.from({ length: 8 }, work));
    t.ok(deaths > 2 * MOST_CALLS, `${deaths} deaths`);
  },
);
