// The tables of neighbours: entries and limits by address family, and what found no room.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { neighbours } from '../../../src/probes/kernel/neighbours.ts';
import { collectOnce, config, openWriter, RECORDED } from './written.ts';

const NEW =
  'entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n';
/** Before Linux 4.5. */
const OLD =
  'entries  allocs destroys hash_grows  lookups hits  res_failed  rcv_probes_mcast rcv_probes_ucast  periodic_gc_runs forced_gc_runs unresolved_discards\n';
const row = (entries: string, forced: string, discards: string, fulls = ''): string =>
  `${entries} 0 0 0 0 0 0 0 0 0 ${forced} ${discards} ${fulls}\n`;

const thresholds = (max: string) => ({ default: { gc_thresh1: '128\n', gc_thresh2: '512\n', gc_thresh3: max } });
const tree = (arp: string, ndisc: string | undefined) => ({
  proc: {
    1: { net: { stat: { arp_cache: arp, ...(ndisc === undefined ? {} : { ndisc_cache: ndisc }) } } },
    sys: { net: { ipv4: { neigh: thresholds('1024\n') }, ipv6: { neigh: thresholds('4096\n') } } },
  },
});

t.test('entries stand beside the limits of their table', async (t) => {
  const ipv4 = NEW + row('000003ff', '2', '00000005', '00000007') + row('000003ff', '1', '00000000', '00000001');
  const host = new HostFiles(t.testdir(tree(ipv4, NEW + row('00000002', '0', '0', '0'))));
  t.equal(
    (await collectOnce(neighbours, host)).text,
    `jdos_neighbour_entries{family="ipv4"} 1023
jdos_neighbour_entries_limit{family="ipv4",threshold="gc_thresh1"} 128
jdos_neighbour_entries_limit{family="ipv4",threshold="gc_thresh2"} 512
jdos_neighbour_entries_limit{family="ipv4",threshold="gc_thresh3"} 1024
jdos_neighbour_table_fulls_total{family="ipv4"} 8
jdos_neighbour_unresolved_discards_total{family="ipv4"} 5
jdos_neighbour_forced_gc_total{family="ipv4"} 3
jdos_neighbour_entries{family="ipv6"} 2
jdos_neighbour_entries_limit{family="ipv6",threshold="gc_thresh1"} 128
jdos_neighbour_entries_limit{family="ipv6",threshold="gc_thresh2"} 512
jdos_neighbour_entries_limit{family="ipv6",threshold="gc_thresh3"} 4096
jdos_neighbour_table_fulls_total{family="ipv6"} 0
jdos_neighbour_unresolved_discards_total{family="ipv6"} 0
jdos_neighbour_forced_gc_total{family="ipv6"} 0
`,
  );
});

t.test('what this kernel does not count is absent, and so is a family that is turned off', async (t) => {
  const host = new HostFiles(t.testdir(tree(OLD + row('1', '0', '4'), undefined)));
  const { text } = await collectOnce(neighbours, host);
  t.notMatch(text, /table_fulls|ipv6/);
  t.match(text, /^jdos_neighbour_unresolved_discards_total\{family="ipv4"\} 4$/m);
  t.equal((await collectOnce(neighbours, new HostFiles(t.testdir({})))).text, '', 'another namespace shows no table');
});

t.test('counters go on over the wrap of their 32 bits, in the next process as well', async (t) => {
  const root = t.testdir(tree('', undefined));
  const host = new HostFiles(root);
  const first = neighbours.open({ host, config: config(), saved: undefined });
  const fulls = (value: string, collecting = first): number | undefined => {
    writeFileSync(join(root, 'proc/1/net/stat/arp_cache'), NEW + row('1', '0', '0', value));
    const out = openWriter(neighbours);
    void collecting.collect(out);
    return out.written().samples.find(({ metric }) => metric === 'jdos_neighbour_table_fulls_total')?.value;
  };
  t.equal(fulls('ffffffff'), 2 ** 32 - 1);
  t.equal(fulls('00000001'), 2 ** 32 + 1);
  const second = neighbours.open({ host, config: config(), saved: JSON.parse(JSON.stringify(first.save?.())) });
  t.equal(fulls('00000002', second), 2 ** 32 + 2);
});

t.test('a recorded host is read', async (t) => {
  const { text } = await collectOnce(neighbours, new HostFiles(RECORDED));
  t.match(
    text,
    /^jdos_neighbour_entries\{family="ipv4"\} 2\n.*gc_thresh1"\} 128\n.*gc_thresh2"\} 512\n.*gc_thresh3"\} 1024\n/,
  );
});
