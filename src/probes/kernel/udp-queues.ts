// Bytes that wait in the UDP sockets of the host, from /proc/1/net/udp and udp6.
import { stateless, type Collector } from '../collector.ts';
import { hostNetIfThere } from './host-net.ts';
import { eachLine, hexadecimal, unexpected, words } from './text.ts';

const FILE = '/proc/net/udp';
/** The column `tx_queue:rx_queue`, in hexadecimal (proc_net_udp(5)). */
const QUEUES = 4;

/** The sums over all sockets. */
export function parseUdpQueues(text: string): { readonly tx: number; readonly rx: number } {
  const sums = { tx: 0, rx: 0 };
  let head = true;
  eachLine(text, (line) => {
    if (head) return void (head = false);
    const [tx, rx] = (words(line)[QUEUES] ?? '').split(':').map(hexadecimal);
    if (tx === undefined || rx === undefined) throw unexpected(FILE, line);
    sums.tx += tx;
    sums.rx += rx;
  });
  if (head) throw unexpected(FILE, text);
  return sums;
}

export const udpQueues: Collector = {
  name: 'udp_queues',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_udp_queues',
      help: 'Number of allocated memory in the kernel for UDP datagrams in bytes.',
      type: 'gauge',
      source: '/proc/1/net/udp and udp6 tx_queue, rx_queue',
      unit: 'bytes',
      labels: ['queue', 'ip'],
    },
  ],
  open: stateless((host, out) => {
    for (const [ip, file] of [
      ['v4', 'udp'],
      ['v6', 'udp6'],
    ] as const) {
      const text = hostNetIfThere(host, file);
      if (text === undefined) continue;
      const { tx, rx } = parseUdpQueues(text);
      out.add('node_udp_queues', tx, 'tx', ip);
      out.add('node_udp_queues', rx, 'rx', ip);
    }
  }),
};
