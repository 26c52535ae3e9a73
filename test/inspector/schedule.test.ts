// When reports and sweeps are due: time zones, daylight saving, restarts and long pauses.
import { getTasks } from 'node-cron';
import { pino } from 'pino';
import t from 'tap';
import { cronProblem, firedSince, lastFire, parseCron } from '../../src/inspector/cron.ts';
import { reportDue, sweepDue, type ReportPlan, type ReportSchedule } from '../../src/inspector/schedule.ts';
import { minuteTicker } from '../../src/inspector/ticker.ts';
import { civilOf, instantOf, isZone } from '../../src/inspector/zone.ts';
import { FUZZ_SEED, random } from '../support/random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);
const iso = (instant: number | undefined): string =>
  instant === undefined ? 'never' : new Date(instant).toISOString();

t.test('wall clocks know gaps, overlaps, and zones with odd offsets', async (t) => {
  const civil = (text: string): number => at(`${text}Z`);
  const table: readonly (readonly [string, string, string])[] = [
    ['Asia/Shanghai', '2026-11-23T08:00:00', '2026-11-23T00:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'],
    ['Europe/Berlin', '2026-03-29T03:30:00', '2026-03-29T01:30:00.000Z'],
    ['Europe/Berlin', '2026-10-25T02:30:00', '2026-10-25T00:30:00.000Z'],
    ['Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T02:00:00.000Z'],
    ['America/New_York', '2026-11-01T01:30:00', '2026-11-01T05:30:00.000Z'],
    ['Asia/Kathmandu', '2026-06-01T00:00:00', '2026-05-31T18:15:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00', '2026-04-04T14:45:00.000Z'],
  ];
  for (const [zone, wall, want] of table) t.equal(iso(instantOf(civil(wall), zone)), want, `${wall} in ${zone}`);
  const next = random();
  for (let i = 0; i < 2000; i += 1) {
    const instant = Math.floor((at('2024-01-01T00:00:00Z') + next() * 4 * 365 * DAY) / 1000) * 1000;
    for (const zone of ['Europe/Berlin', 'America/St_Johns', 'Asia/Shanghai']) {
      const shown = civilOf(instant, zone);
      const back = instantOf(shown, zone);
      if (civilOf(back, zone) !== shown || back > instant) t.fail(`seed ${FUZZ_SEED}: ${iso(instant)} in ${zone}`);
    }
  }
  t.notOk(isZone('Mars/Olympus'));
});

t.test('a nominal time fires once on the day it is skipped and on the day it is shown twice', async (t) => {
  const half = parseCron('30 2 * * *');
  const berlin = (now: string): string => {
    const fire = lastFire(half, 'Europe/Berlin', at(now), 3);
    return `${fire?.key} ${iso(fire?.at)}`;
  };
  t.equal(berlin('2026-03-29T01:29:00Z'), '2026-03-28 2026-03-28T01:30:00.000Z', 'before the skipped time');
  t.equal(berlin('2026-03-29T01:30:00Z'), '2026-03-29 2026-03-29T01:30:00.000Z', 'after it');
  t.equal(berlin('2026-10-25T00:30:00Z'), '2026-10-25 2026-10-25T00:30:00.000Z', 'the first 02:30');
  t.equal(berlin('2026-10-25T01:30:00Z'), '2026-10-25 2026-10-25T00:30:00.000Z', 'the second 02:30 is no other fire');
});

t.test('cron expressions mean what node-cron says, in the zone', async (t) => {
  const key = (expression: string, now: string): string =>
    lastFire(parseCron(expression), 'Asia/Shanghai', at(now), 40)?.key ?? 'never';
  t.equal(key('0 8 * * 1', '2026-11-25T12:00:00Z'), '2026-11-23', 'Mondays');
  t.equal(key('0 8 L * *', '2026-11-25T12:00:00Z'), '2026-10-31', 'the last day of the month');
  t.equal(key('0 8,20 * * *', '2026-11-23T11:59:00Z'), '2026-11-23T08:00', 'twice a day has the time in its key');
  t.equal(key('0 8,20 * * *', '2026-11-23T12:00:00Z'), '2026-11-23T20:00');
  t.equal(key('0 8 1 1 *', '2026-11-23T12:00:00Z'), 'never');
  for (const good of ['*/5 * * * *', '0 8 * * mon-fri', '@daily']) t.equal(cronProblem(good), undefined, good);
  for (const bad of ['', '0 8 * *', '61 8 * * *', '* * * * * *', 'at noon', '0 8 31 2 *']) t.ok(cronProblem(bad), bad);
});

const plan = (zone: string, expression = '30 2 * * *', catchUpHours = 6): ReportPlan => ({
  cron: parseCron(expression),
  zone,
  catchUpHours,
});

/** Ticks every quarter of an hour except while the daemon is down, and returns the keys reported and missed. */
function live(
  daily: ReportPlan,
  from: number,
  to: number,
  down: (now: number) => boolean = () => false,
): { reported: string[]; missed: string[] } {
  let schedule: ReportSchedule = { firstSeenAt: from, lastKey: undefined };
  const reported: string[] = [];
  const missed: string[] = [];
  for (let now = from; now < to; now += 15 * MINUTE) {
    if (down(now)) continue;
    const due = reportDue(daily, schedule, now);
    if (due.kind === 'none') continue;
    (due.kind === 'due' ? reported : missed).push(due.fire.key);
    schedule = { ...schedule, lastKey: due.fire.key };
  }
  return { reported, missed };
}

t.test('one report a day over both changes of the clock', async (t) => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Shanghai', 'Australia/Lord_Howe']) {
    for (const expression of ['30 2 * * *', '30 1 * * *', '0 0 * * *', '45 23 * * *']) {
      for (const start of ['2026-03-06', '2026-03-27', '2026-04-03', '2026-10-02', '2026-10-23', '2026-10-30']) {
        const from = instantOf(at(`${start}T12:00:00Z`), zone);
        const { reported, missed } = live(
          plan(zone, expression),
          from,
          instantOf(at(`${start}T12:00:00Z`) + 4 * DAY, zone),
        );
        const days = [1, 2, 3, 4].map((n) => new Date(at(`${start}T00:00:00Z`) + n * DAY).toISOString().slice(0, 10));
        const own = expression.startsWith('45 23') ? [start, ...days.slice(0, 3)] : days;
        if (String(reported) !== String(own) || missed.length > 0) {
          t.fail(`${expression} in ${zone} from ${start}: ${reported.join(' ')}, missed ${missed.join(' ')}`);
        }
      }
    }
  }
  t.pass('held');
});

t.test('what fired before the first start is not owed', async (t) => {
  const daily = plan('Asia/Shanghai', '0 8 * * *');
  const now = at('2026-11-23T01:00:00Z');
  t.equal(reportDue(daily, { firstSeenAt: now, lastKey: undefined }, now).kind, 'none');
});

t.test('after a pause the report is made late, and after too long a pause it is said to be missed, once', async (t) => {
  const daily = plan('Asia/Shanghai', '0 8 * * *');
  const schedule = { firstSeenAt: 0, lastKey: '2026-11-22' };
  const due = reportDue(daily, schedule, at('2026-11-23T03:00:00Z'));
  t.match(due, { kind: 'due', fire: { key: '2026-11-23' }, lateMs: 3 * HOUR });
  t.equal(reportDue(daily, schedule, at('2026-11-23T06:00:00Z')).kind, 'due', 'at the end of the catch-up time');
  t.equal(reportDue(daily, schedule, at('2026-11-23T06:01:00Z')).kind, 'missed');
  t.equal(reportDue(daily, { ...schedule, lastKey: '2026-11-23' }, at('2026-11-23T06:01:00Z')).kind, 'none');
});

t.test('a clock that goes back does not double a report', async (t) => {
  const daily = plan('Asia/Shanghai', '0 8 * * *');
  const schedule = { firstSeenAt: 0, lastKey: '2026-11-23' };
  t.equal(reportDue(daily, schedule, at('2026-11-22T12:00:00Z')).kind, 'none');
});

t.test(
  'however often the daemon is down, no day is reported twice, and none is lost within the catch-up time',
  async (t) => {
    const next = random();
    for (let round = 0; round < 15; round += 1) {
      const from = at('2026-10-20T12:00:00Z');
      let end = from;
      const pauses: (readonly [number, number])[] = [];
      while (end < from + 10 * DAY) {
        const begin = end + next() * 2 * DAY;
        end = begin + next() * 5.9 * HOUR;
        pauses.push([begin, end]);
      }
      const down = (now: number): boolean => pauses.some(([a, b]) => now >= a && now < b);
      const { reported, missed } = live(plan('Europe/Berlin'), from, from + 9 * DAY, down);
      const unique = new Set([...reported, ...missed]);
      const lost = missed.length > 0 || unique.size < 8;
      if (unique.size !== reported.length || lost)
        t.fail(`seed ${FUZZ_SEED}: ${reported.join(' ')} / ${missed.join(' ')}`);
    }
    t.pass('held');
  },
);

t.test('sweeps go on through an hour that is shown twice', async (t) => {
  const ten = parseCron('*/10 * * * *');
  let last = at('2026-10-24T22:00:00Z');
  let count = 0;
  for (let now = last + MINUTE; now <= at('2026-10-25T04:00:00Z'); now += MINUTE) {
    if (!sweepDue(ten, 'Europe/Berlin', last, now)) continue;
    t.ok(now - last <= 10 * MINUTE, `${iso(now)} is ten minutes after the one before`);
    last = now;
    count += 1;
  }
  t.equal(count, 36, 'six hours, six each');
});

t.test('a sweep is due at the first start, after a pause, and when the clock went back', async (t) => {
  const five = parseCron('*/5 * * * *');
  const now = at('2026-11-23T08:02:00Z');
  t.ok(sweepDue(five, 'UTC', undefined, now));
  t.notOk(sweepDue(five, 'UTC', now - MINUTE, now));
  t.ok(sweepDue(five, 'UTC', now - 3 * MINUTE, now));
  t.ok(sweepDue(five, 'UTC', now - 30 * DAY, now));
  t.ok(sweepDue(five, 'UTC', now + DAY, now));
  t.notOk(firedSince(parseCron('0 8 1 1 *'), 'UTC', 0, now));
});

t.test(
  'the ticker is one task of node-cron, and gone when stopped; expressions that were read leave none',
  async (t) => {
    parseCron('0 8 * * *');
    const stop = minuteTicker(pino({ level: 'silent' }))(async () => undefined);
    t.equal(getTasks().size, 1);
    stop();
    t.equal(getTasks().size, 0);
  },
);
