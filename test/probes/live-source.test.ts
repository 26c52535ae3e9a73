// When a live source is looked at: at once again while much comes, ever more seldom when it does not, and never after a failure.
import { mock } from 'node:test';
import t from 'tap';
import { openLiveSource } from '../../src/probes/live-source.ts';

const PACE = { quietMs: 500, busyMs: 10 };

/** The milliseconds at which it looks, within so many, when each look finds what `finds` says. */
function looks(finds: (at: number) => boolean, ms: number): { readonly at: readonly number[]; failure(): unknown } {
  mock.timers.enable({ apis: ['setTimeout'] });
  const at: number[] = [];
  let now = 0;
  const source = openLiveSource(
    () => {
      at.push(now);
      return finds(now);
    },
    () => undefined,
    PACE,
  );
  source.begin();
  for (; now < ms; mock.timers.tick(1)) now += 1;
  mock.timers.reset();
  return {
    at,
    failure() {
      try {
        source.tellFailure();
        return undefined;
      } catch (error) {
        return error;
      }
    },
  };
}

t.test('what is quiet is looked at seldom', async (t) => {
  t.same(looks(() => false, 1100).at, [0, 500, 1000]);
});

t.test('while more comes it is looked at soon, and one pause is not yet quiet', async (t) => {
  t.same(looks((at) => at <= 30 && at !== 10, 1500).at, [0, 10, 30, 40, 60, 100, 180, 340, 660, 1160]);
});

t.test('a look that fails is the last one, and is told once', async (t) => {
  const { at, failure } = looks((now) => {
    if (now > 0) throw new Error('the trace is gone');
    return true;
  }, 1000);
  t.same(at, [0, 10]);
  t.match(failure(), { message: 'the trace is gone' });
  t.equal(failure(), undefined);
});
