// The machine and its firmware, from the kernel's DMI table in /sys/class/dmi/id.
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';

/** node_exporter's labels but for serial numbers, UUIDs and asset tags, which identify one machine and its owner. */
const LABELS = [
  'bios_date',
  'bios_release',
  'bios_vendor',
  'bios_version',
  'board_name',
  'board_vendor',
  'board_version',
  'chassis_vendor',
  'chassis_version',
  'product_family',
  'product_name',
  'product_sku',
  'product_version',
  'system_vendor',
] as const;
type Dmi = Readonly<Partial<Record<(typeof LABELS)[number], string>>>;

const LONGEST_VALUE = 256;

/** A DMI string as vendors fill it in: padded with blanks, sometimes with bytes that are no text. */
export const parseDmiValue = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f\ufffd]/g, ' ')
    .trim()
    .slice(0, LONGEST_VALUE);

/** What the table says; undefined on machines without one (micro virtual machines, many ARM boards). */
export function readDmi(host: HostFiles): Dmi | undefined {
  const values: Partial<Record<(typeof LABELS)[number], string>> = {};
  for (const label of LABELS) {
    const file = label === 'system_vendor' ? 'sys_vendor' : label;
    try {
      values[label] = parseDmiValue(host.text(`/sys/class/dmi/id/${file}`));
    } catch (error) {
      if (readFailure(error) === 'failed') throw error;
    }
  }
  return Object.keys(values).length === 0 ? undefined : values;
}

export const dmi: Collector = {
  name: 'dmi',
  view: 'node',
  periodSeconds: 3600,
  metrics: [
    {
      name: 'node_dmi_info',
      help: `A metric with a constant '1' value labeled by ${LABELS.join(', ')} if provided by DMI.`,
      type: 'gauge',
      source: '/sys/class/dmi/id',
      labels: LABELS,
    },
  ],
  open: stateless((host, out) => {
    const table = readDmi(host);
    if (table !== undefined) out.add('node_dmi_info', 1, ...LABELS.map((label) => table[label] ?? ''));
  }),
};
