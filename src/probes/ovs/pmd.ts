// The threads that poll ports in user space: pmd-perf-show, the older pmd-stats-show, and pmd-rxq-show. What an answer is, its lines
// tell: Open vSwitch 4.0 answers pmd-stats-show with what pmd-perf-show says.
import type { Metric } from '../collector.ts';
import { counter, gauge, linesOf, whole, type Reading } from './readings.ts';

const PERF = 'ovs-vswitchd: dpif-netdev/pmd-perf-show, or pmd-stats-show';
const RXQ = 'ovs-vswitchd: dpif-netdev/pmd-rxq-show';
const labels = ['numa', 'cpu'];
const ofThread = (name: string, unit: string, help: string): Metric =>
  counter(`ovs_pmd_${name}`, PERF, help, { labels, unit });

const UPCALLS = ofThread('total_upcalls', 'packets', 'Packets that matched no flow.');
const LOST = ofThread('lost_upcalls', 'packets', 'Packets that matched no flow and were dropped.');

/** By the words before the colon, in lower case; both answers, as far as they have the same. */
const COUNTERS: Readonly<Record<string, Metric>> = {
  iterations: ofThread('total_iterations', 'iterations', 'Rounds over the queues of the thread.'),
  'idle iterations': ofThread('idle_iterations', 'iterations', 'Rounds in which there was nothing to do.'),
  'busy iterations': ofThread('busy_iterations', 'iterations', 'Rounds in which there was something to do.'),
  'sleep iterations': ofThread('sleep_iterations', 'iterations', 'Rounds after which the thread slept.'),
  'sleep time (us)': ofThread('sleep_microseconds', 'microseconds', 'How long the thread slept.'),
  'rx packets': ofThread('rx_packets', 'packets', 'Packets received.'),
  'packets received': ofThread('rx_packets', 'packets', 'Packets received.'),
  'datapath passes': ofThread(
    'datapath_passes',
    'passes',
    'Packets that went through the datapath, again with each recirculation.',
  ),
  'phwol hits': ofThread('phwol_hits', 'packets', 'Packets that the hardware had matched in part.'),
  'mfex opt hits': ofThread('mfex_opt_hits', 'packets', 'Packets of which the optimised extraction made the key.'),
  'simple match hits': ofThread('simple_match_hits', 'packets', 'Packets that matched a simple flow.'),
  'emc hits': ofThread('emc_hits', 'packets', 'Packets found in the exact match cache.'),
  'smc hits': ofThread('smc_hits', 'packets', 'Packets found in the signature match cache.'),
  'megaflow hits': ofThread('megaflow_hits', 'packets', 'Packets found in the megaflow table.'),
  upcalls: UPCALLS,
  'miss with success upcall': UPCALLS,
  'lost upcalls': LOST,
  'miss with failed upcall': LOST,
  'tx packets': ofThread('tx_packets', 'packets', 'Packets sent.'),
  'tx batches': ofThread('tx_batches', 'batches', 'Batches in which packets were sent.'),
};
const ISOLATED = gauge(
  'ovs_pmd_cpu_isolated',
  RXQ,
  'Whether the thread polls only queues that are bound to it, 1 or 0.',
  {
    labels,
    unit: '0 or 1',
  },
);
const OVERHEAD = gauge('ovs_pmd_cpu_overhead', RXQ, 'Share of its CPU that the thread uses for no queue.', {
  labels,
  unit: 'percent',
});
const queue = [...labels, 'interface', 'rxq'];
const USAGE = gauge('ovs_pmd_rxq_usage', RXQ, 'Share of the CPU of the thread that the queue uses.', {
  labels: queue,
  unit: 'percent',
});
const ENABLED = gauge('ovs_pmd_rxq_enabled', RXQ, 'Whether the queue is polled, 1 or 0.', {
  labels: queue,
  unit: '0 or 1',
});

export const PMD_METRICS: readonly Metric[] = [
  ...new Map(Object.values(COUNTERS).map((metric) => [metric.name, metric])).values(),
  ISOLATED,
  OVERHEAD,
  USAGE,
  ENABLED,
];

/** The main thread, which has no such labels, is left out. */
const HEAD = /^(?:pmd thread numa_id (\d+) core_id (\d+):|(main thread:))/;
const COUNT = /^\s+(?:- )?([A-Za-z][\w ()]{1,40}):\s+(\d+)(?:\s|$)/;
const PORT =
  /^ {2}port: (\S{1,64})\s+queue-id:\s+(\d+)\s+(?:\((enabled|disabled)\))?\s*pmd usage:\s+(?:(\d+)\s*%|NOT AVAIL)/;

/** Readings of the lines below each head of a thread. */
function byThread(
  text: string,
  read: (line: string, thread: readonly string[]) => readonly Reading[],
): readonly Reading[] {
  let thread: readonly string[] | undefined;
  return linesOf(text).flatMap((line) => {
    const [head, numa = '', cpu = '', main] = HEAD.exec(line) ?? [];
    if (head !== undefined) thread = main === undefined ? [numa, cpu] : undefined;
    return thread === undefined ? [] : read(line, thread);
  });
}

/** Either answer. That of pmd-stats-show counts upcalls that failed apart from those that did not, here they are summed. */
export function readPmds(text: string): readonly Reading[] {
  const failed = new Map<string, number>();
  const readings = byThread(text, (line, thread) => {
    const [, words = '', digits] = COUNT.exec(line) ?? [];
    const name = words.toLowerCase();
    const metric = Object.hasOwn(COUNTERS, name) ? COUNTERS[name] : undefined;
    const value = whole(digits);
    if (metric === undefined || value === undefined) return [];
    if (name === 'miss with failed upcall') failed.set(thread.join(' '), value);
    return [{ metric, value, labels: thread }];
  });
  return readings.map((reading) =>
    reading.metric === UPCALLS
      ? { ...reading, value: reading.value + (failed.get(reading.labels.join(' ')) ?? 0) }
      : reading,
  );
}

export const readQueues = (text: string): readonly Reading[] =>
  byThread(text, (line, thread) => {
    const [, isolated] = /^ {2}isolated : (true|false)$/.exec(line) ?? [];
    if (isolated !== undefined) return [{ metric: ISOLATED, value: Number(isolated === 'true'), labels: thread }];
    const overhead = whole(/^ {2}overhead:\s+(\d+)\s*%/.exec(line)?.[1]);
    if (overhead !== undefined) return [{ metric: OVERHEAD, value: overhead, labels: thread }];
    const [, port, id, enabled, usage] = PORT.exec(line) ?? [];
    if (port === undefined || id === undefined) return [];
    const at = [...thread, port, id];
    const used = whole(usage);
    return [
      ...(used === undefined ? [] : [{ metric: USAGE, value: used, labels: at }]),
      ...(enabled === undefined ? [] : [{ metric: ENABLED, value: Number(enabled === 'enabled'), labels: at }]),
    ];
  });
