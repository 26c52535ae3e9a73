// The inspector's slice of the configuration: defaults, and errors that say what to write instead.
import t from 'tap';
import { describeField, parseWith } from '../../src/base/schema.ts';
import { checks } from '../../src/inspector/checks/index.ts';
import { InspectorConfig } from '../../src/inspector/index.ts';
import { changeLimits, limitsFor } from '../../src/inspector/limits.ts';

const errors = (value: unknown): string => {
  const parsed = parseWith(InspectorConfig, value);
  return 'errors' in parsed ? parsed.errors.map(describeField).join('\n') : '';
};

t.test('without a word it sweeps every five minutes and reports at eight in the system zone', async (t) => {
  t.match(InspectorConfig.parse({}), {
    sweep: '*/5 * * * *',
    report: '0 8 * * *',
    catchUpHours: 6,
    mute: [],
    limits: {},
  });
  t.equal(InspectorConfig.parse({}).timezone, new Intl.DateTimeFormat().resolvedOptions().timeZone);
});

t.test('mistakes are named with what was expected', async (t) => {
  const mute = { code: 'DISK_SPACE', until: '2027-01-01', reason: 'r' };
  const table: readonly (readonly [unknown, RegExp])[] = [
    [{ swep: '* * * * *' }, /did you mean sweep/],
    [{ report: '0 25 * * *' }, /report: expected a cron expression/],
    [{ sweep: '*/5 * * * * *' }, /five fields/],
    [{ timezone: 'Asia/Bejing' }, /IANA/],
    [{ catchUpHours: -1 }, /catchUpHours: expected at least 0/],
    [{ mute: [{ ...mute, code: 'DISK_SPAC' }] }, /mute\[0\]\.code: expected no such check; did you mean DISK_SPACE/],
    [{ mute: [{ ...mute, until: 'tomorrow' }] }, /mute\[0\]\.until: expected a date/],
    [{ mute: [{ ...mute, until: '2027-02-30' }] }, /until/],
    [{ mute: [{ code: 'LOAD', until: '2027-01-01' }] }, /reason/],
    [{ limits: { LAOD: { warn: 1 } } }, /limits\.LAOD: expected no such check; did you mean LOAD/],
    [{ limits: { LOAD: { wran: 1 } } }, /did you mean warn/],
    [{ limits: { DISK_SPACE: { warn: 0.95 } } }, /limits\.DISK_SPACE: expected limits in order/],
    [{ limits: { MEMORY_AVAILABLE: { clearWarn: 0.01 } } }, /clearWarn \(0.01\)/],
    [{ limits: { PRESSURE: { targets: { io: { crit: 0.1 } } } } }, /limits\.PRESSURE\.targets\.io/],
  ];
  for (const [value, want] of table) t.match(errors(value), want, JSON.stringify(value));
});

t.test('a mute until a date ends with that day', async (t) => {
  const until = (text: string): number | undefined =>
    InspectorConfig.parse({ mute: [{ code: 'LOAD', until: text, reason: 'r' }] }).mute[0]?.until;
  t.equal(until('2026-12-31'), Date.parse('2027-01-01T00:00:00Z'));
  t.equal(until('2026-12-31T18:00:00+08:00'), Date.parse('2026-12-31T10:00:00Z'));
});

t.test('limits are changed for a check, for one target, for one variant; clear limits move along', async (t) => {
  const find = (code: string) => checks.find((check) => check.code === code) ?? t.bailout(code);
  const { limits } = InspectorConfig.parse({
    limits: {
      DISK_SPACE: { warn: 0.85, targets: { '/data': { warn: 0.95, crit: 0.97 } } },
      PRESSURE: { targets: { io: { warn: 0.5 } } },
    },
  });
  const disk = find('DISK_SPACE') as (typeof checks)[number];
  const pressure = find('PRESSURE') as (typeof checks)[number];
  t.match(limitsFor(disk, { target: '/' }, limits), { warn: 0.85, clearWarn: 0.83, crit: 0.9 });
  t.match(limitsFor(disk, { target: '/data' }, limits), { warn: 0.95, clearWarn: 0.93, crit: 0.97, clearCrit: 0.95 });
  t.match(limitsFor(pressure, { target: 'io', variant: 'io' }, limits), { warn: 0.5, crit: 0.6 });
  t.match(limitsFor(pressure, { target: 'memory', variant: 'memory' }, limits), { warn: 0.1 });
  t.match(changeLimits(disk.limits, { warn: 0.85, clearWarn: 0.7 }), { clearWarn: 0.7 });
});
