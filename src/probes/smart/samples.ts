// From a report of smartctl to samples, in the names of prometheus-community's smartctl_exporter. Pure.
import { z } from '../../base/schema.ts';
import type { Metric } from '../collector.ts';
import type { Attribute, Report } from './report.ts';

const MODEL = [
  'interface',
  'protocol',
  'model_family',
  'model_name',
  'serial_number',
  'ata_additional_product_id',
  'firmware_version',
  'ata_version',
  'sata_version',
  'form_factor',
] as const;
const ATTRIBUTE = [
  'attribute_name',
  'attribute_flags_short',
  'attribute_flags_long',
  'attribute_value_type',
  'attribute_id',
];
const OF_SCSI = ['model_family', 'model_name', 'serial_number'];
/** NVM Express Base Specification, SMART / Health Information: thousands of units of 512 bytes. */
const DATA_UNIT_BYTES = 512_000;

type Row = readonly [
  name: string,
  type: Metric['type'],
  unit: string | undefined,
  source: string,
  help: string,
  labels?: readonly string[],
];

/** Theirs calls some of what goes up and down a counter. */
const ROWS: readonly Row[] = [
  ['device', 'gauge', 'constant 1', 'device, model_name, serial_number and so on', 'Device info', MODEL],
  ['device_smartctl_exit_status', 'gauge', 'bits', 'smartctl.exit_status', 'Exit status of smartctl on device'],
  ['device_smart_status', 'gauge', '0 or 1', 'smart_status.passed', 'General smart status'],
  ['device_capacity_bytes', 'gauge', undefined, 'user_capacity.bytes', 'Device capacity in bytes'],
  ['device_rotation_rate', 'gauge', 'per minute', 'rotation_rate', 'Device rotation rate'],
  ['device_temperature', 'gauge', 'degrees Celsius', 'temperature', 'Device temperature celsius', ['temperature_type']],
  ['device_power_on_seconds', 'counter', undefined, 'power_on_time', 'Device power on seconds'],
  ['device_power_cycle_count', 'counter', 'times', 'power_cycle_count', 'Device power cycle count'],
  ['device_percentage_used', 'gauge', '%', 'percentage_used', 'Device write percentage used'],
  [
    'device_available_spare',
    'gauge',
    '%',
    'available_spare',
    'Normalized percentage (0 to 100%) of the remaining spare capacity available',
  ],
  [
    'device_available_spare_threshold',
    'gauge',
    '%',
    'available_spare_threshold',
    'Spare capacity below which the device warns',
  ],
  ['device_critical_warning', 'gauge', 'bits', 'critical_warning', 'Critical warnings for the state of the controller'],
  [
    'device_media_errors',
    'counter',
    'errors',
    'media_errors',
    'Times that the controller detected an unrecovered data integrity error',
  ],
  [
    'device_num_err_log_entries',
    'counter',
    'entries',
    'num_err_log_entries',
    'Error Information log entries over the life of the controller',
  ],
  ['device_bytes_read', 'counter', 'bytes', 'data_units_read', 'Bytes that the host has read'],
  ['device_bytes_written', 'counter', 'bytes', 'data_units_written', 'Bytes that the host has written'],
  ['device_attribute', 'gauge', 'what the attribute counts', 'ata_smart_attributes', 'Device attributes', ATTRIBUTE],
  [
    'device_error_log_count',
    'gauge',
    'errors',
    'ata_smart_error_log',
    'Device SMART error log count',
    ['error_log_type'],
  ],
  [
    'device_self_test_log_count',
    'gauge',
    'tests',
    'ata_smart_self_test_log',
    'Device SMART self test log count',
    ['self_test_log_type'],
  ],
  [
    'device_self_test_log_error_count',
    'gauge',
    'errors',
    'ata_smart_self_test_log',
    'Device SMART self test log error count',
    ['self_test_log_type'],
  ],
  [
    'scsi_grown_defect_list',
    'counter',
    'defects',
    'scsi_grown_defect_list',
    'Device SCSI grown defect list counter',
    OF_SCSI,
  ],
  [
    'read_total_uncorrected_errors',
    'counter',
    'errors',
    'scsi_error_counter_log.read',
    'Read Total Uncorrected Errors',
    OF_SCSI,
  ],
  [
    'write_total_uncorrected_errors',
    'counter',
    'errors',
    'scsi_error_counter_log.write',
    'Write Total Uncorrected Errors',
    OF_SCSI,
  ],
];

export const SMART_SAMPLES: readonly Metric[] = ROWS.map(([name, type, unit, source, help, labels = []]) => ({
  name: `smartctl_${name}`,
  help,
  type,
  unit,
  source: `smartctl --json -a: ${source}`,
  labels: ['device', ...labels],
}));
const LABELS = new Map(SMART_SAMPLES.map(({ name, labels = [] }) => [name, labels.length]));

/** A sample without the name of the disk: metric, value, the other labels. It is saved as it is. */
export const SmartSample = z
  .tuple([z.string().max(64), z.number(), z.array(z.string().max(256)).max(16)])
  .refine(([metric, , labels]) => LABELS.get(metric) === labels.length + 1);
export type SmartSample = z.output<typeof SmartSample>;

/** More than any table of attributes and all the rest give. */
export const MOST_SAMPLES = 400;

/** The samples of one disk; what its report does not have is none. */
export function samplesOf(report: Report): readonly SmartSample[] {
  const samples: SmartSample[] = [];
  const put = (name: string, value: number | undefined, ...labels: readonly string[]): void => {
    if (value !== undefined && samples.length < MOST_SAMPLES) samples.push([`smartctl_${name}`, value, [...labels]]);
  };
  const { model_family: family = '', serial_number: serial = '', power_on_time: on } = report;
  const model = report.model_name ?? report.scsi_model_name ?? '';
  put('device', 1, ...modelOf(report, model));
  put('device_smartctl_exit_status', report.smartctl.exit_status);
  put('device_smart_status', asNumber(report.smart_status?.passed));
  put('device_capacity_bytes', report.user_capacity?.bytes);
  if (report.rotation_rate !== 0) put('device_rotation_rate', report.rotation_rate);
  for (const [type, value] of report.temperature ?? []) put('device_temperature', value, type);
  if (on?.hours !== undefined) put('device_power_on_seconds', on.hours * 3600 + (on.minutes ?? 0) * 60);
  put('device_power_cycle_count', report.power_cycle_count);
  const nvme = report.nvme_smart_health_information_log;
  put('device_percentage_used', nvme?.percentage_used);
  put('device_available_spare', nvme?.available_spare);
  put('device_available_spare_threshold', nvme?.available_spare_threshold);
  put('device_critical_warning', nvme?.critical_warning);
  put('device_media_errors', nvme?.media_errors);
  put('device_num_err_log_entries', nvme?.num_err_log_entries);
  if (nvme?.data_units_read !== undefined) put('device_bytes_read', nvme.data_units_read * DATA_UNIT_BYTES);
  if (nvme?.data_units_written !== undefined) put('device_bytes_written', nvme.data_units_written * DATA_UNIT_BYTES);
  for (const attribute of report.ata_smart_attributes?.table ?? []) {
    for (const [type, value] of valuesOf(attribute)) put('device_attribute', value, ...labelsOf(attribute, type));
  }
  for (const [type, log] of Object.entries(report.ata_smart_error_log ?? {}))
    put('device_error_log_count', log.count, type);
  for (const [type, log] of Object.entries(report.ata_smart_self_test_log ?? {})) {
    put('device_self_test_log_count', log.count, type);
    put('device_self_test_log_error_count', log.error_count_total, type);
  }
  const counters = report.scsi_error_counter_log;
  put('scsi_grown_defect_list', report.scsi_grown_defect_list, family, model, serial);
  put('read_total_uncorrected_errors', counters?.read?.total_uncorrected_errors, family, model, serial);
  put('write_total_uncorrected_errors', counters?.write?.total_uncorrected_errors, family, model, serial);
  return samples;
}

const asNumber = (flag: boolean | undefined): number | undefined => (flag === undefined ? undefined : Number(flag));

const modelOf = (report: Report, model: string): readonly string[] => [
  report.device?.type ?? '',
  report.device?.protocol ?? '',
  report.model_family ?? '',
  model,
  report.serial_number ?? '',
  report.ata_additional_product_id ?? 'unknown',
  report.firmware_version ?? '',
  report.ata_version?.string ?? '',
  report.sata_version?.string ?? '',
  report.form_factor?.name ?? '',
];

const valuesOf = ({ value, worst, thresh, raw }: Attribute) =>
  [
    ['value', value],
    ['worst', worst],
    ['thresh', thresh],
    ['raw', raw?.value],
  ] as const;

const FLAGS = ['prefailure', 'updated_online', 'performance', 'error_rate', 'event_count', 'auto_keep'] as const;

const labelsOf = ({ id, name, flags }: Attribute, type: string): readonly string[] => [
  name,
  flags?.string ?? '',
  FLAGS.filter((flag) => flags?.[flag] === true).join(','),
  type,
  String(id),
];
