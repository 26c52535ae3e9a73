// Publications on their way: few calls, no state kept waiting, nothing lost when nobody takes them.
import t from 'tap';
import type { Publication } from '../../src/probes/index.ts';
import { MOMENT_MS, openPublisher } from '../../src/probes/publisher.ts';
import { fakeClock } from './fake-clock.ts';

const publication = (collector: string, at = 0, state?: unknown): Publication => ({
  collector,
  view: 'node',
  at,
  periodSeconds: 15,
  durationSeconds: 0,
  families: [],
  watched: {},
  quarantined: [],
  ...(state === undefined ? {} : { state }),
});

function opened() {
  const clock = fakeClock();
  const calls: string[] = [];
  const answer: { fault: Error | undefined } = { fault: undefined };
  const publisher = openPublisher({
    clock,
    send: async (publications) => {
      calls.push(publications.map(({ collector, at }) => `${collector}@${at}`).join(' '));
      if (answer.fault !== undefined) throw answer.fault;
    },
  });
  return { publisher, clock, calls, answer };
}

t.test('the publications of one round go in one call, a moment after the first', async (t) => {
  const { publisher, clock, calls } = opened();
  await publisher.publish(publication('a'));
  await publisher.publish(publication('b'));
  await clock.advance(MOMENT_MS - 1);
  t.same(calls, []);
  await clock.advance(1);
  t.same(calls, ['a@0 b@0']);
});

t.test('one with state goes at once and takes along what waits', async (t) => {
  const { publisher, clock, calls } = opened();
  await publisher.publish(publication('a'));
  await publisher.publish(publication('processes', 1, { counters: 1 }));
  t.same(calls, ['a@0 processes@1']);
  await clock.advance(MOMENT_MS);
  t.equal(calls.length, 1);
});

t.test('a flush hands over what waits, and nothing when nothing does', async (t) => {
  const { publisher, calls } = opened();
  await publisher.flush();
  await publisher.publish(publication('a'));
  await publisher.flush();
  t.same(calls, ['a@0']);
});

t.test('after a failure the newest of each collector is tried again with the next, which hears of it', async (t) => {
  const { publisher, clock, calls, answer } = opened();
  answer.fault = new Error('nobody there');
  await publisher.publish(publication('a', 1));
  await clock.advance(MOMENT_MS);
  await t.rejects(publisher.publish(publication('a', 2)), /nobody there/);
  answer.fault = undefined;
  await publisher.publish(publication('b', 3));
  await publisher.publish(publication('c', 4));
  t.same(calls, ['a@1', 'a@2', 'a@2 b@3'], 'and then they wait for each other again');
});
