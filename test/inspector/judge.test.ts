// Two-limit hysteresis with streaks: when a verdict is entered, held and left.
import t from 'tap';
import { judge, type Memory } from '../../src/inspector/judge.ts';
import type { Limits } from '../../src/inspector/model.ts';
import { FUZZ_SEED, random } from '../support/random.ts';

const ABOVE: Limits = { bad: 'above', warn: 0.8, crit: 0.9, clearWarn: 0.78, clearCrit: 0.88 };
const BELOW: Limits = { bad: 'below', warn: 0.1, crit: 0.05, clearWarn: 0.12, clearCrit: 0.06 };

/** `?` is a value that cannot be seen. */
type Step = number | '?';

function verdicts(limits: Limits, steps: readonly Step[], atMost?: 'ok' | 'warn'): string[] {
  let memory: Memory | undefined;
  return steps.map((step, i) => {
    const observation = { value: step === '?' ? undefined : step, ...(atMost === undefined ? {} : { atMost }) };
    const judged = judge(memory, observation, limits, i);
    memory = judged.memory;
    return judged.verdict;
  });
}

const TABLE: readonly (readonly [string, Limits, readonly Step[], string])[] = [
  ['the first sight is believed at once', ABOVE, [0.85], 'warn'],
  ['a limit is crossed when it is reached', ABOVE, [0.8], 'warn'],
  ['just below the limit is fine', ABOVE, [0.7999], 'ok'],
  ['warn is entered after two sweeps', ABOVE, [0.5, 0.85, 0.85], 'ok ok warn'],
  ['one sweep beyond warn is forgotten', ABOVE, [0.5, 0.85, 0.5, 0.85, 0.5], 'ok ok ok ok ok'],
  ['crit is entered at once', ABOVE, [0.5, 0.95], 'ok crit'],
  ['crit is entered at once from a half-believed warn', ABOVE, [0.5, 0.85, 0.95], 'ok ok crit'],
  ['warn is left after two sweeps below its clear limit', ABOVE, [0.85, 0.5, 0.5], 'warn warn ok'],
  ['between clear limit and limit warn is held', ABOVE, [0.85, 0.79, 0.79, 0.79], 'warn warn warn warn'],
  ['flapping at the limit is one warning', ABOVE, [0.81, 0.79, 0.81, 0.79, 0.81, 0.77, 0.81], 'warn '.repeat(7).trim()],
  ['crit is held in its dead band', ABOVE, [0.91, 0.89, 0.89], 'crit crit crit'],
  ['crit falls to warn after two sweeps', ABOVE, [0.91, 0.85, 0.85], 'crit crit warn'],
  ['crit, warn, ok is not yet ok', ABOVE, [0.91, 0.85, 0.5, 0.5], 'crit crit warn ok'],
  ['crit falls to ok after two good sweeps', ABOVE, [0.91, 0.5, 0.5], 'crit crit ok'],
  ['unknown keeps the side', ABOVE, [0.91, '?', '?', 0.89], 'crit unknown unknown crit'],
  ['unknown does not count as a good sweep', ABOVE, [0.85, 0.5, '?', 0.5], 'warn warn unknown ok'],
  ['unknown first, then at once', ABOVE, ['?', 0.95], 'unknown crit'],
  ['a value that is not a number is unknown', ABOVE, [0.5, NaN], 'ok unknown'],
  ['less can be worse', BELOW, [0.5, 0.04, 0.055, 0.07, 0.07, 0.13, 0.13], 'ok crit crit crit warn warn ok'],
];

t.test('verdicts follow the table', async (t) => {
  for (const [name, limits, steps, want] of TABLE) t.equal(verdicts(limits, steps).join(' '), want, name);
});

t.test('a value never gets a worse verdict than it may have', async (t) => {
  t.same(verdicts(ABOVE, [0.99, 0.99], 'warn'), ['warn', 'warn']);
  t.same(verdicts(ABOVE, [0.99], 'ok'), ['ok']);
});

t.test('since is when the side was entered, and is taken up again after unknown', async (t) => {
  const first = judge(undefined, { value: 0.95 }, ABOVE, 10);
  const blind = judge(first.memory, { value: undefined }, ABOVE, 20);
  const still = judge(blind.memory, { value: undefined }, ABOVE, 30);
  const again = judge(still.memory, { value: 0.95 }, ABOVE, 40);
  t.same([first.since, blind.since, still.since, again.since], [10, 20, 20, 10]);
});

t.test('the streak tells that something recovers', async (t) => {
  const first = judge(undefined, { value: 0.95 }, ABOVE, 0);
  const better = judge(first.memory, { value: 0.5 }, ABOVE, 1);
  t.same([better.verdict, better.streak], ['crit', 1]);
});

t.test('whatever happens: crit at or beyond its limit, never crit for a target that stayed below', async (t) => {
  const next = random();
  for (let round = 0; round < 300; round += 1) {
    const steps = Array.from({ length: 30 }, (): Step => (next() < 0.1 ? '?' : Number(next().toFixed(3))));
    const got = verdicts(ABOVE, steps);
    const wrong = steps.some((step, i) => step !== '?' && step >= 0.9 && got[i] !== 'crit');
    const early =
      got.indexOf('crit') !== -1 && !steps.slice(0, got.indexOf('crit') + 1).some((s) => s !== '?' && s >= 0.9);
    const calm = steps.some(
      (step, i) =>
        i > 1 && [step, steps[i - 1]].every((s) => s !== '?' && s !== undefined && s < 0.78) && got[i] !== 'ok',
    );
    if (wrong || early || calm) t.fail(`seed ${FUZZ_SEED}: ${steps.join(' ')} gave ${got.join(' ')}`);
  }
  t.pass('held');
});
