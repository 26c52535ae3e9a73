import t from 'tap';
import { clockTime, isTimeZone, isoMoment, localDate, offsetName, shortMoment } from '../../src/report/dates.ts';
import { plain } from '../../src/report/plain.ts';
import { formatDelta, formatShare, formatValue, sparkline } from '../../src/report/quantity.ts';

t.test('moments are those of the reader’s zone, also around a change of the clocks', async (t) => {
  const morning = Date.UTC(2026, 10, 23, 0, 0, 0);
  t.equal(localDate(morning, 'Asia/Shanghai'), '2026-11-23');
  t.equal(localDate(morning, 'America/New_York'), '2026-11-22');
  t.equal(clockTime(morning, 'Asia/Shanghai'), '08:00');
  t.equal(shortMoment(morning, 'Asia/Kolkata'), '11-23 05:30');
  t.equal(offsetName(morning, 'Asia/Shanghai'), 'UTC+8');
  t.equal(offsetName(morning, 'UTC'), 'UTC');
  t.equal(offsetName(morning, 'America/St_Johns'), 'UTC−3:30');
  t.equal(isoMoment(morning, 'Asia/Shanghai'), '2026-11-23T08:00:00+08:00');
  t.equal(isoMoment(morning, 'UTC'), '2026-11-23T00:00:00Z');
  t.equal(offsetName(Date.UTC(2026, 9, 25, 0, 59), 'Europe/Berlin'), 'UTC+2');
  t.equal(offsetName(Date.UTC(2026, 9, 25, 1, 0), 'Europe/Berlin'), 'UTC+1');
  t.ok(isTimeZone('Asia/Shanghai'));
  t.notOk(isTimeZone('Asia/Nowhere'));
});

t.test('values carry their unit', async (t) => {
  const table = [
    [0.912, 'ratio', '91.2 %'],
    [-0.074, 'seconds', '−74 ms'],
    [1536, 'bytes', '1.50 KiB'],
    [52000, 'count', '52,000'],
    [2.305, 'load', '2.31'],
    [0, 'none', '0'],
  ] as const;
  for (const [value, unit, text] of table) t.equal(formatValue(value, unit, 'en'), text);
  t.equal(formatDelta(-5), '−5');
  t.equal(formatDelta(5), '+5');
  t.equal(formatDelta(0), '±0');
});

t.test('coverage is never rounded up to all', async (t) => {
  t.equal(formatShare(9608, 9720), '98.84 %');
  t.equal(formatShare(99_999, 100_000), '99.99 %');
  t.equal(formatShare(7, 7), '100 %');
});

t.test('a sparkline has one block per score, from empty to full', async (t) => {
  t.equal(sparkline([0, 50, 100]), '▁▄█');
  t.equal(sparkline([-5, 250]), '▁█');
});

t.test('foreign text becomes one bounded line without tricks', async (t) => {
  t.equal(plain('a\r\nBcc: x@y', 50), 'a Bcc: x@y');
  t.equal(plain('\u202egnp.exe', 50), 'gnp.exe');
  t.equal(plain('\u001b[31mred', 50), '[31mred');
  t.equal(plain('x'.repeat(500), 10), `${'x'.repeat(9)}…`);
  t.equal(plain('容器'.repeat(10), 5), '容器容器…');
});
