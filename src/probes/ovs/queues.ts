// qos/show: what the queues of an interface have sent, where its port has a QoS. Each queue is a question of ovs-vswitchd to the kernel.
import type { Metric } from '../collector.ts';
import { counter, linesOf, whole, type Reading } from './readings.ts';
import { mapOf, rowsOf, type Switch } from './switch.ts';

const SOURCE = 'ovs-vswitchd: qos/show';
const labels = ['bridge', 'port', 'interface', 'queue'];
const COUNTERS: Readonly<Record<string, Metric>> = {
  tx_packets: counter('jdos_ovs_queue_tx_packets_total', SOURCE, 'Packets that the queue has sent.', { labels }),
  tx_bytes: counter('jdos_ovs_queue_tx_bytes_total', SOURCE, 'Bytes that the queue has sent.', { labels }),
  tx_errors: counter('jdos_ovs_queue_tx_errors_total', SOURCE, 'Packets that the queue has dropped.', {
    labels,
    unit: 'packets',
  }),
};

export const QUEUE_METRICS: readonly Metric[] = Object.values(COUNTERS);

/** An interface whose port has a QoS. */
export interface Shaped {
  readonly bridge: string;
  readonly port: string;
  readonly interface: string;
}

const MOST_SHAPED = 32;
const MOST_QUEUES = 64;
/** What may stand in a question; the database holds any text. */
const NAME = /^[^-\s]\S{0,63}$/;

/** Those whose queues are few enough to be asked for. */
export const shapedOf = ({ bridges, tables }: Switch): readonly Shaped[] =>
  bridges
    .flatMap((bridge) =>
      bridge.ports.flatMap((port) => {
        const [qos] = rowsOf(tables, 'QoS', port.row.get('qos'));
        if (qos === undefined || mapOf(qos.get('queues')).size > MOST_QUEUES) return [];
        return port.interfaces
          .filter(({ name }) => NAME.test(name))
          .map(({ name }) => ({ bridge: bridge.name, port: port.name, interface: name }));
      }),
    )
    .slice(0, MOST_SHAPED);

/** The queue without a number is 0. */
const HEAD = /^(?:(Default)|Queue (\d{1,10})):$/;
const COUNT = /^\s+(tx_packets|tx_bytes|tx_errors): (\d+)$/;

export function readShaped(text: string, of: Shaped): readonly Reading[] {
  let queue: string | undefined;
  return linesOf(text).flatMap((line): Reading[] => {
    const [head, , number = '0'] = HEAD.exec(line) ?? [];
    if (head !== undefined) queue = number;
    const [, name = '', digits] = COUNT.exec(line) ?? [];
    const metric = COUNTERS[name];
    const value = whole(digits);
    if (queue === undefined || metric === undefined || value === undefined) return [];
    return [{ metric, value, labels: [of.bridge, of.port, of.interface, queue] }];
  });
}
