// Publications on their way: few calls, nothing lost when nobody takes them.
import t from 'tap';
import type { Publication } from '../../src/probes/publication.ts';
import { MOMENT_MS, openPublisher } from '../../src/probes/publisher.ts';
import { fakeClock } from './fake-clock.ts';

const publication = (collector: string, at = 0): Publication => ({
  collector,
  at,
  periodSeconds: 15,
  durationSeconds: 0,
  families: [],
  quarantined: [],
});

function opened() {
  const clock = fakeClock();
  const calls: string[] = [];
  const missed: string[] = [];
  const answer: { fault: Error | undefined; missing: readonly string[]; wait: Promise<void> | undefined } = {
    fault: undefined,
    missing: [],
    wait: undefined,
  };
  const publisher = openPublisher({
    clock,
    send: async (publications) => {
      calls.push(publications.map(({ collector, at }) => `${collector}@${at}`).join(' '));
      await answer.wait;
      if (answer.fault !== undefined) throw answer.fault;
      return answer.missing;
    },
    onMissing: (collectors) => missed.push(collectors.join(' ')),
  });
  return { publisher, clock, calls, answer, missed };
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

t.test('what the receiver has nothing of is asked for, unless it is on its way', async (t) => {
  const { publisher, answer, missed } = opened();
  answer.missing = ['a', 'b', 'c'];
  const held = Promise.withResolvers<void>();
  answer.wait = held.promise;
  await publisher.publish(publication('b'));
  const first = publisher.flush();
  answer.wait = undefined;
  await publisher.publish(publication('c'));
  await publisher.flush();
  t.same(missed, ['a c'], 'b is under way');
  await publisher.publish(publication('a'));
  held.resolve();
  await first;
  t.same(missed, ['a c', 'b c'], 'a waits to be sent');
});
