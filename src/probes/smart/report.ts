// What smartctl prints of a disk with --json, checked and bounded. Devices fill it in, so anything may stand in it.
import { parseWith, z } from '../../base/schema.ts';

const MOST_TEXT = 256;
/** A table of ATA attributes has 30 places. */
const MOST_ATTRIBUTES = 64;
const MOST_LOGS = 16;
const MOST_MESSAGES = 32;

/** What is missing or of another kind is not known, and spoils nothing else. */
const number = z.number().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);
const text = z
  .string()
  .transform((value) => value.trim().slice(0, MOST_TEXT))
  .optional()
  .catch(undefined);
const object = <T extends z.ZodRawShape>(shape: T) => z.object(shape).optional().catch(undefined);

const Attribute = z.object({
  id: z.number(),
  name: z.string().transform((value) => value.trim().slice(0, MOST_TEXT)),
  value: number,
  worst: number,
  thresh: number,
  flags: object({
    string: text,
    prefailure: flag,
    updated_online: flag,
    performance: flag,
    error_rate: flag,
    event_count: flag,
    auto_keep: flag,
  }),
  raw: object({ value: number }),
});
export type Attribute = z.output<typeof Attribute>;

/** A log of each kind, of which only numbers are taken. */
const logs = z
  .record(z.string().max(MOST_TEXT), z.object({ count: number, error_count_total: number }))
  .transform((all) => Object.fromEntries(Object.entries(all).slice(0, MOST_LOGS)))
  .optional()
  .catch(undefined);

const ErrorCounters = object({ total_uncorrected_errors: number });

const Report = z.object({
  smartctl: z.object({
    exit_status: z.number().int().min(0).max(255),
    messages: z
      .array(z.object({ string: text }))
      .max(MOST_MESSAGES)
      .optional()
      .catch(undefined),
  }),
  device: object({ type: text, protocol: text }),
  model_family: text,
  model_name: text,
  scsi_model_name: text,
  serial_number: text,
  firmware_version: text,
  ata_additional_product_id: text,
  ata_version: object({ string: text }),
  sata_version: object({ string: text }),
  form_factor: object({ name: text }),
  user_capacity: object({ bytes: number, blocks: number }),
  rotation_rate: number,
  smart_support: object({ available: flag, enabled: flag }),
  smart_status: object({ passed: flag }),
  power_on_time: object({ hours: number, minutes: number }),
  power_cycle_count: number,
  temperature: z
    .record(z.string().max(64), z.unknown())
    .transform((all) =>
      Object.entries(all)
        .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
        .slice(0, MOST_LOGS),
    )
    .optional()
    .catch(undefined),
  ata_smart_attributes: object({ table: z.array(Attribute).max(MOST_ATTRIBUTES) }),
  ata_smart_error_log: logs,
  ata_smart_self_test_log: logs,
  nvme_smart_health_information_log: object({
    critical_warning: number,
    available_spare: number,
    available_spare_threshold: number,
    percentage_used: number,
    data_units_read: number,
    data_units_written: number,
    media_errors: number,
    num_err_log_entries: number,
  }),
  scsi_grown_defect_list: number,
  scsi_error_counter_log: object({ read: ErrorCounters, write: ErrorCounters }),
});
export type Report = z.output<typeof Report>;

/** Undefined for what is no report of smartctl. */
export function parseReport(output: string): Report | undefined {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    return undefined;
  }
  const parsed = parseWith(Report, json);
  return 'value' in parsed ? parsed.value : undefined;
}
