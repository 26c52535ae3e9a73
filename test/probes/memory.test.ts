// What a process does that holds more memory than it may: free, end, or bear it, and never in a loop.
import t from 'tap';
import { openLog } from '../../src/base/logging.ts';
import { memoryStep, openMemoryGuard, type MemoryFacts } from '../../src/probes/memory.ts';
import { fakeClock } from './fake-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const facts = (more: Partial<MemoryFacts>): MemoryFacts => ({
  residentBytes: 600,
  maxRssBytes: 500,
  ageMs: HOUR,
  freshBytes: 200,
  sinceFreedMs: 0,
  sinceEndMs: undefined,
  ...more,
});

for (const [name, more, expected] of [
  ['what is within the budget is fine', { residentBytes: 500 }, 'fine'],
  ['what is beyond is freed first', { sinceFreedMs: undefined }, 'free'],
  ['and again after a while', { sinceFreedMs: 5 * MINUTE }, 'free'],
  ['what stays beyond ends', {}, 'end'],
  ['a young process does not end', { ageMs: MINUTE - 1 }, 'bear'],
  ['nor one of which it is not known what it needs', { freshBytes: undefined }, 'bear'],
  ['one that was beyond when it was fresh bears it', { freshBytes: 550 }, 'bear'],
  ['until it has grown by half', { freshBytes: 550, residentBytes: 826 }, 'end'],
  ['none ends within an hour of another', { sinceEndMs: HOUR - 1 }, 'bear'],
  ['after an hour one may', { sinceEndMs: HOUR }, 'end'],
] as const) {
  t.equal(memoryStep(facts(more)), expected, name);
}

function guarded(lastEndAt?: number) {
  const clock = fakeClock();
  const did: string[] = [];
  let bytes = 100;
  let garbage = 0;
  const check = openMemoryGuard({
    maxRssBytes: 500,
    lastEndAt,
    residentBytes: () => bytes + garbage,
    free: () => {
      garbage = 0;
      did.push('free');
    },
    end: () => did.push('end'),
    clock,
    log: openLog('test', 'silent'),
  });
  /** Checks each second, as after collections. */
  const goOn = async (seconds: number, grow = 0): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1000);
      bytes += grow;
      check();
    }
  };
  return { clock, did, goOn, set: (live: number, unused = 0) => ([bytes, garbage] = [live, unused]) };
}

t.test('a process that leaks frees what it can, and ends once', async (t) => {
  const { did, goOn } = guarded();
  await goOn(120);
  t.same(did, []);
  await goOn(600, 1);
  t.same(did, ['free', 'end']);
});

t.test('garbage is collected instead of ending', async (t) => {
  const { did, goOn, set } = guarded();
  await goOn(120);
  set(300, 400);
  await goOn(600);
  t.same(did, ['free']);
});

t.test('a fresh process that needs more than it may goes on, and frees now and then', async (t) => {
  const { did, goOn, set } = guarded();
  set(700);
  await goOn(3 * 3600);
  t.same([...new Set(did)], ['free']);
  t.equal(did.length, (3 * 3600) / 300);
});

t.test('after an end for memory there is no other one for an hour', async (t) => {
  const { did, goOn, set } = guarded(Date.UTC(2026, 10, 22) - 1000);
  await goOn(120);
  set(700);
  await goOn(3400);
  t.notOk(did.includes('end'));
  await goOn(600);
  t.equal(did.at(-1), 'end');
});
