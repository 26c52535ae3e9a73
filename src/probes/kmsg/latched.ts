// What the kernel remembers of its troubles by itself, whether or not a line of its log was read: taint, oopses, warnings.
import { stateless, type Collector, type Metric, type SampleWriter } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { unexpected, unsigned } from '../kernel/text.ts';

const TAINTED = '/proc/sys/kernel/tainted';

/** Bits of the taint in their order (Documentation/admin-guide/tainted-kernels.rst). */
const FLAGS = [
  'proprietary_module',
  'forced_module',
  'cpu_out_of_spec',
  'forced_rmmod',
  'machine_check',
  'bad_page',
  'user',
  'die',
  'overridden_acpi_table',
  'warn',
  'crap',
  'firmware_workaround',
  'oot_module',
  'unsigned_module',
  'softlockup',
  'livepatch',
  'aux',
  'randstruct',
  'test',
  'fwctl',
] as const;

/** Whether each bit is set; a kernel of later has some that are not known here. Throws for what is no number. */
export function parseTaint(text: string): readonly (readonly [flag: string, set: boolean])[] {
  const value = unsigned(text.trim());
  if (value === undefined) throw unexpected(TAINTED, text);
  const bits = BigInt(value);
  const known = FLAGS.map((flag, bit) => [flag, ((bits >> BigInt(bit)) & 1n) === 1n] as const);
  const unknown = bits >> BigInt(FLAGS.length);
  return unknown === 0n ? known : [...known, ['other', true]];
}

const COUNTS = [
  ['jdos_kernel_oopses_total', '/sys/kernel/oops_count', 'oopses', 'Oopses since the boot, as the kernel counts them.'],
  [
    'jdos_kernel_warnings_total',
    '/sys/kernel/warn_count',
    'warnings',
    'Warnings (WARN) since the boot, as the kernel counts them.',
  ],
] as const;

const TAINT: Metric = {
  name: 'jdos_kernel_tainted',
  help: 'Whether something has tainted the kernel since the boot, 1 or 0, by what it was.',
  type: 'gauge',
  source: TAINTED,
  unit: '0 or 1',
  labels: ['flag'],
};
export const kernelFaults: Collector = {
  name: 'kernel_faults',
  view: 'problem',
  periodSeconds: 15,
  steady: true,
  metrics: [
    TAINT,
    ...COUNTS.map(([name, source, unit, help]): Metric => ({ name, help, source, unit, type: 'counter' })),
  ],
  open: stateless((host, out) => {
    for (const [flag, set] of parseTaint(host.text(TAINTED))) out.add(TAINT.name, set ? 1 : 0, flag);
    for (const [name, file] of COUNTS) writeCount(host, out, name, file);
  }),
};

/** Linux 6.2 and later have these. */
function writeCount(host: HostFiles, out: SampleWriter, name: string, file: string): void {
  try {
    const count = unsigned(host.text(file).trim());
    if (count !== undefined) out.add(name, count);
  } catch (error) {
    if (readFailure(error) !== 'absent') throw error;
  }
}
