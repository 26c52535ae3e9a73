// How often each collector runs, so that all of them together stay within `probes.budget.cpuRatio`: a pure decision.

/** A period is stretched to so many times its length at most. */
export const MOST_TIMES = 8;
/** A collector that takes no more than this share of the budget keeps its period: stretching it would free nothing. */
const SLIGHT = 0.02;
/** A period shrinks when everything would fit into this share of the budget, and by one step at a time. */
const EASE = 0.8;
/** Collections whose mean counts, when the last one was cheaper. */
const REMEMBERED = 8;

/** What one collector costs, and what was decided about it last. */
export interface Spending {
  readonly name: string;
  /** As configured. */
  readonly periodSeconds: number;
  /** Its period is never stretched. */
  readonly steady: boolean;
  /** CPU seconds of its last collections, the newest last. */
  readonly recent: readonly number[];
  /** Its period is this many times as long as configured. */
  readonly times: number;
}

/** The costs after one more collection. */
export const afterOne = (recent: readonly number[], cpuSeconds: number): readonly number[] =>
  [...recent, cpuSeconds].slice(-REMEMBERED);

/** CPU seconds that the next collection is taken to cost: as the last one or the mean, whichever is more. */
export const costOf = ({ recent }: Pick<Spending, 'recent'>): number =>
  recent.length === 0 ? 0 : Math.max(recent.at(-1) ?? 0, sum(recent) / recent.length);

/** Share of a core that a collector takes when its period is `times` as long as configured. */
export const shareOf = (spending: Spending, times: number): number =>
  costOf(spending) / (spending.periodSeconds * times);

interface Budget {
  /** Share of one core for everything. */
  readonly cpuRatio: number;
  /** Share of one core that goes by between the collections. */
  readonly elsewhere: number;
}

/**
 * How many times its configured period a collector shall wait after the collection it just did.
 *
 * It waits long enough that what it spent, spread over its wait, and what the others spread over theirs is no more than the
 * budget. So over any stretch of time all together spend at most the budget and one collection of each; more only where
 * what may not be stretched, or not further, is beyond the budget by itself.
 */
export function timesFor(name: string, all: readonly Spending[], budget: Budget): number {
  const own = all.find((one) => one.name === name);
  if (own === undefined || !isStretchable(own, budget)) return 1;
  const needed = timesWithin(own, all, budget);
  if (needed >= own.times) return needed;
  const easily = timesWithin(own, all, { ...budget, cpuRatio: budget.cpuRatio * EASE });
  return Math.max(needed, Math.min(own.times, Math.max(easily, own.times - 1)));
}

const isStretchable = (one: Spending, { cpuRatio }: Budget): boolean =>
  !one.steady && shareOf(one, 1) > cpuRatio * SLIGHT;

/** Its part of what is fair, and not before the others have made room for it. */
const timesWithin = (own: Spending, all: readonly Spending[], budget: Budget): number =>
  Math.max(fairly(own, all, budget), withOthersAsTheyAre(own, all, budget));

/** Stretches whoever takes most by one step, again and again, until all fit. */
function fairly(own: Spending, all: readonly Spending[], budget: Budget): number {
  const plan = all.map((one) => ({ one, times: 1, stretchable: isStretchable(one, budget) }));
  const total = (): number => budget.elsewhere + sum(plan.map(({ one, times }) => shareOf(one, times)));
  while (total() > budget.cpuRatio) {
    const [dearest] = plan
      .filter(({ stretchable, times }) => stretchable && times < MOST_TIMES)
      .sort((a, b) => shareOf(b.one, b.times) - shareOf(a.one, a.times));
    if (dearest === undefined) break;
    dearest.times += 1;
  }
  return plan.find(({ one }) => one === own)?.times ?? 1;
}

function withOthersAsTheyAre(own: Spending, all: readonly Spending[], { cpuRatio, elsewhere }: Budget): number {
  const left = cpuRatio - elsewhere - sum(all.map((one) => (one === own ? 0 : shareOf(one, one.times))));
  return left <= 0 ? MOST_TIMES : Math.min(MOST_TIMES, Math.max(1, Math.ceil(shareOf(own, 1) / left)));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
