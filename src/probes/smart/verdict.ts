// What an answer of smartctl means: a pure decision.
import { systemCode } from '../../base/fault.ts';
import type { Outcome } from '../host/child.ts';
import { parseReport, type Report } from './report.ts';
import { samplesOf, type SmartSample } from './samples.ts';

export const STATES = [
  /** Its values are there. */
  'read',
  /** It sleeps and was not woken; values are of before. */
  'standby',
  /** It has no diagnosis, or smartctl cannot reach it behind its controller. */
  'unsupported',
  'virtual',
  /** smartctl is not installed. */
  'no_smartctl',
  /** Only root may ask. */
  'no_permission',
  /** Another host's root is read: its disks are not those of the devices here. */
  'other_root',
  'failed',
  'hung',
  /** Its turn has not come. */
  'waiting',
] as const;
export type State = (typeof STATES)[number];

export interface Verdict {
  readonly state: State;
  /** Of a disk that was read. */
  readonly samples?: readonly SmartSample[];
  /** Why it failed, for the log. */
  readonly why?: string;
}

/** Bits of smartctl's exit status (smartctl(8)): the command line was wrong, the device could not be opened or sleeps. */
const NOT_ASKED = 0b011;
const ASLEEP = /\bis in (?:STANDBY|SLEEP)[\w ()]* mode\b/;

export function judge(outcome: Outcome): Verdict {
  if (outcome.kind === 'not-started')
    return systemCode(outcome.cause) === 'ENOENT'
      ? { state: 'no_smartctl' }
      : { state: 'failed', why: 'smartctl could not be started' };
  if (outcome.kind === 'killed') return { state: 'hung', why: `smartctl ${outcome.why}` };
  const report = parseReport(outcome.output);
  if (report === undefined)
    return { state: 'failed', why: `smartctl ended with status ${outcome.status} and no report` };
  const messages = (report.smartctl.messages ?? []).flatMap(({ string }) => string ?? []);
  if ((report.smartctl.exit_status & NOT_ASKED) !== 0) {
    if (messages.some((message) => ASLEEP.test(message))) return { state: 'standby' };
    return { state: 'failed', why: messages[0] ?? `smartctl ended with status ${report.smartctl.exit_status}` };
  }
  return isSupported(report) ? { state: 'read', samples: samplesOf(report) } : { state: 'unsupported' };
}

/** A virtual disk of SCSI says that it has no SMART, or says nothing of its health. */
const isSupported = (report: Report): boolean =>
  report.smart_support?.available !== false &&
  (report.smart_status?.passed !== undefined ||
    report.nvme_smart_health_information_log !== undefined ||
    report.ata_smart_attributes !== undefined);
