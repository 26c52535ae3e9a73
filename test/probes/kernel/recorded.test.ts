// All kernel collectors on the files of a recorded host, and on mutilated ones.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { parseArp } from '../../../src/probes/kernel/arp.ts';
import { parseCgroups } from '../../../src/probes/kernel/cgroups.ts';
import { parseDiskstats } from '../../../src/probes/kernel/diskstats.ts';
import { parseFileNr } from '../../../src/probes/kernel/filefd.ts';
import { kernelCollectors } from '../../../src/probes/kernel/index.ts';
import { parseInterrupts } from '../../../src/probes/kernel/interrupts.ts';
import { parseLoadavg } from '../../../src/probes/kernel/loadavg.ts';
import { parseMeminfo } from '../../../src/probes/kernel/meminfo.ts';
import { parseNetDev } from '../../../src/probes/kernel/netdev.ts';
import { parseNetStat } from '../../../src/probes/kernel/net-stat.ts';
import { parseSnmp, parseSnmp6 } from '../../../src/probes/kernel/netstat.ts';
import { parsePressure } from '../../../src/probes/kernel/pressure.ts';
import { parseSockstat } from '../../../src/probes/kernel/sockstat.ts';
import { parseThreads } from '../../../src/probes/kernel/processes.ts';
import { parseSoftirqs } from '../../../src/probes/kernel/softirqs.ts';
import { parseSoftnet } from '../../../src/probes/kernel/softnet.ts';
import { parseStat } from '../../../src/probes/kernel/stat.ts';
import { parseUdpQueues } from '../../../src/probes/kernel/udp-queues.ts';
import { parseVmstat } from '../../../src/probes/kernel/vmstat.ts';
import { golden } from '../../support/golden.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { collectOnce, RECORDED } from './written.ts';

t.test('a recorded host gives the same samples for ever', async (t) => {
  const host = new HostFiles(RECORDED);
  let text = '';
  for (const collector of kernelCollectors) {
    if (collector.name !== 'time') text += (await collectOnce(collector, host)).text;
  }
  await golden(t, 'exposition/node-kernel-debian12-6.18.txt', text);
});

t.test('every collector has a name and metrics of its own, with help', async (t) => {
  const names = kernelCollectors.map(({ name }) => name);
  const metrics = kernelCollectors.flatMap(({ metrics }) => metrics.map(({ name }) => name));
  t.equal(new Set(names).size, names.length);
  t.equal(new Set(metrics).size, metrics.length);
  t.ok(kernelCollectors.every(({ metrics }) => metrics.every(({ help }) => help.length > 10)));
});

const file = (path: string): Buffer => readFileSync(join(RECORDED, 'proc', path));
/** Values may be negative where there is no limit; none of those that are kept is. */
const valuesOf = (parse: (values: Map<string, number>) => void): readonly number[] => {
  const values = new Map<string, number>();
  parse(values);
  return [...values.values()].map(Math.abs);
};
const PARSERS: readonly (readonly [string, (text: string) => readonly number[]])[] = [
  ['stat', (text) => [...parseStat(text).cpus.values(), [...parseStat(text).single.values()]].flat()],
  ['meminfo', (text) => [...parseMeminfo(text).values()]],
  ['vmstat', (text) => [...parseVmstat(text).values()]],
  ['diskstats', (text) => [...parseDiskstats(text, () => true).values()].flatMap(({ columns }) => columns)],
  ['1/net/dev', (text) => [...parseNetDev(text).devices.values()].flat()],
  [
    '1/net/stat/nf_conntrack',
    (text) => {
      const { entries, rows } = parseNetStat('nf_conntrack', text, ['drop', 'insert_failed', 'no_such_column']);
      return [entries, ...rows.flat().filter((value) => value !== undefined)];
    },
  ],
  [
    '1/net/stat/arp_cache',
    (text) =>
      parseNetStat('arp_cache', text, ['table_fulls', 'lookups'])
        .rows.flat()
        .filter((value) => value !== undefined),
  ],
  ['interrupts', (text) => parseInterrupts(text).lines.flatMap(({ counts }) => counts)],
  ['softirqs', (text) => [...parseSoftirqs(text).kinds.values()].flat()],
  ['cgroups', (text) => parseCgroups(text).flatMap(({ cgroups, enabled }) => [cgroups, enabled])],
  ['1/net/snmp', (text) => valuesOf((values) => parseSnmp('snmp', text, values))],
  ['1/net/netstat', (text) => valuesOf((values) => parseSnmp('netstat', text, values))],
  ['1/net/snmp6', (text) => valuesOf((values) => parseSnmp6(text, values))],
  ['1/net/sockstat', (text) => [...parseSockstat(text).values()]],
  ['1/net/arp', (text) => [...parseArp(text).values()]],
  ['1/net/udp', (text) => Object.values(parseUdpQueues(text))],
  ['net/softnet_stat', (text) => [...parseSoftnet(text).values()].flat()],
  ['loadavg', (text) => [...parseLoadavg(text), parseThreads(text)]],
  ['sys/fs/file-nr', (text) => Object.values(parseFileNr(text))],
  ['pressure/io', (text) => Object.values(parsePressure(text))],
];

for (const [path, parse] of PARSERS) {
  t.test(`mutilated ${path} is refused or gives numbers (seed ${FUZZ_SEED})`, async (t) => {
    const next = random();
    const original = file(path);
    t.ok(parse(original.toString()).length > 0, 'the original is read');
    let refused = 0;
    for (let round = 0; round < 2000; round += 1) {
      const text = mutate(original, next).toString();
      try {
        const wrong = parse(text).find((value) => !Number.isFinite(value) || value < 0);
        if (wrong !== undefined) {
          t.fail(`${wrong} from ${JSON.stringify(text.slice(0, 400))}`);
          return;
        }
      } catch (error) {
        refused += 1;
        if ((error as { code?: unknown }).code !== 'JD_UNEXPECTED_KERNEL_TEXT') throw error;
      }
    }
    t.ok(refused > 0, `${refused} of 2000 refused`);
  });
}
