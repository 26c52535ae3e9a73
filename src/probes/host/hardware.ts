// The hardware as the inventory's child process reports it: what crosses the pipe, checked on return.
import { Fault } from '../../base/fault.ts';
import { describeField, parseWith, z } from '../../base/schema.ts';
import { INVENTORY_FAILED } from './child.ts';

const text = z.string().max(256);
const count = z.number().int().min(0);

/** Null where it could not be seen: without root, without dmidecode or lsblk, or because reading it failed. */
export const Hardware = z.strictObject({
  cpu: z
    .strictObject({
      vendor: text,
      model: text,
      sockets: count,
      physicalCores: count,
      cores: count,
    })
    .nullable(),
  /** The hypervisor (`KVM`, `VMware`), `none`, or `unknown` for a virtual machine of another kind. */
  virtualization: text.nullable(),
  memory: z.strictObject({
    totalBytes: count,
    modules: z
      .array(z.strictObject({ bytes: count, bank: text, type: text, megahertz: count, vendor: text, ecc: z.boolean() }))
      .max(1024)
      .nullable(),
  }),
  disks: z
    .array(
      z.strictObject({
        name: text,
        bytes: count,
        /** `SSD`, `HDD`, or empty. */
        kind: text,
        /** `nvme`, `sata`, or empty. */
        transport: text,
        model: text,
      }),
    )
    .max(4096)
    .nullable(),
  interfaces: z
    .array(
      z.strictObject({
        name: text,
        kind: z.enum(['device', 'bond', 'bridge']),
        mac: text,
        mtu: count.nullable(),
        /** Null while the link is down, and on devices without a speed. */
        megabitsPerSecond: count.nullable(),
        state: text,
        driver: text,
      }),
    )
    .max(1024)
    .nullable(),
});
export type Hardware = z.output<typeof Hardware>;

/** Checks what the child printed. Throws {@link INVENTORY_FAILED} for anything else. */
export function parseHardware(text: string): Hardware {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Fault(INVENTORY_FAILED, 'the inventory process did not print JSON', { cause });
  }
  const parsed = parseWith(Hardware, json);
  if ('value' in parsed) return parsed.value;
  const [first] = parsed.errors;
  const where = first === undefined ? '' : `: ${describeField(first)}`;
  throw new Fault(INVENTORY_FAILED, `the inventory process printed something unexpected${where}`);
}
