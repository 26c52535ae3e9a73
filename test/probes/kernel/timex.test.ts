// What files can tell about the clock, and what they cannot.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { time } from '../../../src/probes/kernel/time.ts';
import { judgeTimesyncd, SYNCHRONIZED_FOR_SECONDS, timex } from '../../../src/probes/kernel/timex.ts';
import { collectOnce } from './written.ts';

t.test('without systemd-timesyncd nothing is known, whatever else runs', async (t) => {
  const root = t.testdir({ run: { chrony: { 'chronyd.pid': '123\n' } } });
  t.equal((await collectOnce(timex, new HostFiles(root))).text, '');
});

t.test('a service that has not synchronised yet is not synchronised', async (t) => {
  const root = t.testdir({ run: { systemd: { timesync: {} } } });
  t.equal(
    (await collectOnce(timex, new HostFiles(root))).text,
    'jdos_clock_synchronized{source="systemd-timesyncd"} 0\n',
  );
});

t.test('the age of the last synchronisation decides, as it does in the kernel', async (t) => {
  const now = 1_800_000_000_000;
  for (const [age, verdict] of [
    [0, 1],
    [SYNCHRONIZED_FOR_SECONDS, 1],
    [SYNCHRONIZED_FOR_SECONDS + 1, 0],
    [-60, 1],
  ] as const) {
    t.equal(judgeTimesyncd({ running: true, touchedAt: now - age * 1000 }, now), verdict, `${age} s`);
  }
  t.equal(judgeTimesyncd({ running: false, touchedAt: undefined }, now), undefined);
});

t.test('the time of the last synchronisation is the time of the file', async (t) => {
  const root = t.testdir({ run: {} });
  mkdirSync(join(root, 'run/systemd/timesync'), { recursive: true });
  writeFileSync(join(root, 'run/systemd/timesync/synchronized'), '');
  utimesSync(join(root, 'run/systemd/timesync/synchronized'), 1_700_000_000, 1_700_000_000);
  t.equal(
    (await collectOnce(timex, new HostFiles(root))).text,
    'jdos_clock_synchronized{source="systemd-timesyncd"} 0\n' +
      'jdos_clock_last_synchronized_timestamp_seconds{source="systemd-timesyncd"} 1700000000\n',
  );
});

t.test('the time is that of the clock', async (t) => {
  const before = Date.now() / 1000;
  const [sample] = (await collectOnce(time, new HostFiles('/'))).samples;
  t.ok(sample !== undefined && sample.value >= before && sample.value <= Date.now() / 1000);
});
