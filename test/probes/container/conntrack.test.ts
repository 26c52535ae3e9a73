// Connections tracked in the networks of containers: of a real namespace with NAT, and over time in written ones.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import t from 'tap';
import { needs, needsRoot } from '../../support/needs.ts';
import { containerId, emptyTree, openContainers, sampleLines, writeTree } from './written-containers.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { readConntrack } from '../../../src/probes/kernel/conntrack.ts';

const A = `/docker/${containerId('a')}`;
const B = `/docker/${containerId('b')}`;
const HOSTS = `/docker/${containerId('c')}`;

const table = (entries: number, failed: number, ...more: readonly number[]): string =>
  [
    'entries  found insert_failed drop early_drop',
    ...[failed, ...more].map((value) =>
      [entries, 1, value, 2, 3].map((n) => n.toString(16).padStart(8, '0')).join(' '),
    ),
    '',
  ].join('\n');

t.test('each network is read once, for its owner; the host has its own collector', async (t) => {
  const root = emptyTree(t);
  writeTree(root, {
    groups: { [A]: { pids: [7] }, [B]: { pids: [8] }, [HOSTS]: { pids: [9] } },
    processes: {
      7: { netns: 55, start: 100, conntrack: table(17, 4, 5) },
      8: { netns: 55, start: 200, conntrack: table(17, 4, 5) },
      9: { conntrack: table(1000, 9) },
    },
  });
  const { samples } = await openContainers(root).collect();
  const lines = Object.keys(samples)
    .filter((metric) => metric.includes('conntrack'))
    .flatMap((metric) => sampleLines(samples[metric] ?? [], metric).map((line) => line.replace(/\{.*id="/, '{id="')));
  const id = `{id="${A}",name="${containerId('a').slice(0, 12)}"}`;
  t.same(lines.sort(), [
    `jdos_container_conntrack_drop_total${id} 4`,
    `jdos_container_conntrack_early_drop_total${id} 6`,
    `jdos_container_conntrack_entries${id} 17`,
    `jdos_container_conntrack_insert_failed_total${id} 9`,
  ]);
});

t.test('a counter that wraps goes on, also in the probe process after this one', async (t) => {
  const root = emptyTree(t);
  const failed = 'jdos_container_conntrack_insert_failed_total';
  const tree = (...rows: readonly [number, ...number[]]) =>
    writeTree(root, {
      groups: { [A]: { pids: [7] } },
      processes: { 7: { netns: 55, conntrack: table(1, ...rows) } },
    });
  tree(2 ** 32 - 1, 10);
  const first = openContainers(root);
  t.same((await first.collect()).of(failed), [2 ** 32 + 9]);
  tree(4, 10);
  t.same((await first.collect()).of(failed), [2 ** 32 + 14]);
  const saved = first.save();
  tree(5, 10);
  t.same((await openContainers(root, { saved }).collect()).of(failed), [2 ** 32 + 15]);
  t.same((await openContainers(root).collect()).of(failed), [15], 'nothing is made up');
});

t.test('where the kernel tracks no connections, or says it in another way, there are no series', async (t) => {
  const root = emptyTree(t);
  for (const conntrack of [undefined, 'entries\n', 'nonsense']) {
    const of7 = { netns: 55, ...(conntrack === undefined ? {} : { conntrack }) };
    writeTree(root, { groups: { [A]: { pids: [7] } }, processes: { 7: of7 } });
    const { of } = await openContainers(root).collect();
    t.same(of('jdos_container_conntrack_entries'), []);
    t.same(of('jdos_container_conntrack_drop_total'), []);
    t.same(of('container_network_receive_packets_total', { id: A }), [2], 'the rest of the network is there');
  }
});

const NFT = '/usr/sbin/nft';
const skip =
  needsRoot() ||
  needs('ip', 'busybox') ||
  (existsSync(NFT) ? false : 'nft missing: apt-get install --no-install-recommends nftables') ||
  (existsSync('/proc/self/net/stat/nf_conntrack') ? false : 'this kernel tracks no connections');

/** Three connections through a redirection, which are six ends of sockets and three entries, and no packet to outside. */
const SCRIPT = `
ip link set lo up
${NFT} 'add table ip t; add chain ip t out { type nat hook output priority -100; }; add rule ip t out tcp dport 80 redirect to :8080'
busybox nc -ll -p 8080 -e busybox sleep 100 &
sleep 0.3
for i in 1 2 3; do sleep 100 | busybox nc 127.0.0.1 80 & done
until [ "$(cat /proc/sys/net/netfilter/nf_conntrack_count)" = 3 ]; do sleep 0.05; done
echo ready
wait`;

t.test('the connections of a real namespace with NAT are seen from outside of it', { skip }, async (t) => {
  // A pid namespace too, so that whatever was started in it ends with it.
  const child = spawn('unshare', ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c', SCRIPT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) if (line === 'ready') break;
  const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  const seen = readConntrack(new HostFiles('/'), pid, ['drop', 'insert_failed', 'early_drop']);
  t.equal(seen?.entries, 3);
  t.ok(
    seen?.rows.every((row) => row.every((value) => value === 0)),
    'none was refused',
  );
});
