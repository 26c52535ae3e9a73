// Memory, buses and processors that report errors, and pages that could not be had (mm/, drivers/{acpi,edac,pci}, arch/x86/kernel/cpu/mce).
import type { Rule } from '../rule.ts';

const DAY_SECONDS = 86_400;
const HOT = { type: 'CPUOverheated', subject: 'cpu' } as const;

export const hardwareRules: readonly Rule[] = [
  {
    reason: 'MemoryReadError',
    npd: true,
    literals: ['CE memory read error '],
    patterns: [String.raw`CE memory read error on (?P<dimm>\S+)`, String.raw`CE memory read error `],
  },
  {
    reason: 'EDACCorrected',
    literals: ['EDAC MC'],
    patterns: [String.raw`EDAC (?P<controller>MC\d+): (?P<count>\d+) CE `],
  },
  {
    reason: 'EDACUncorrected',
    literals: ['EDAC MC'],
    patterns: [String.raw`EDAC (?P<controller>MC\d+): (?P<count>\d+) UE `],
  },
  ...(['Corrected', 'Recoverable'] as const).map((severity): Rule => ({
    reason: `CperHardwareError${severity}`,
    npd: true,
    literals: [`event severity: ${severity.toLowerCase()}`],
    patterns: [String.raw`\[Hardware Error\]: event severity: ${severity.toLowerCase()}$`],
  })),
  {
    reason: 'CperHardwareErrorFatal',
    npd: true,
    literals: ['event severity: fatal'],
    patterns: [String.raw`\[Hardware Error\]: event severity: fatal$`],
    raises: { type: 'CperHardwareErrorFatal', ttlSeconds: DAY_SECONDS },
  },
  {
    reason: 'MachineCheck',
    literals: ['mce: [Hardware Error]: Machine check', 'mce: [Hardware Error]: CPU '],
    patterns: [
      String.raw`mce: \[Hardware Error\]: CPU (?P<cpu>\d+): Machine Check(?: Exception)?: (?P<status>\S+)`,
      String.raw`mce: \[Hardware Error\]: (?P<status>Machine check.*)`,
    ],
  },
  {
    reason: 'MemoryFailure',
    literals: ['Memory failure: 0x'],
    patterns: [String.raw`Memory failure: (?P<page>0x[0-9a-f]+): (?P<message>.*)`],
  },
  {
    reason: 'PCIeErrorCorrected',
    literals: [
      'AER: Corrected error',
      'AER: Multiple Corrected',
      'AER: Correctable error',
      'AER: Multiple Correctable',
    ],
    patterns: [
      String.raw`AER: (?:Multiple )?Correct(?:ed|able) error (?:message )?received(?: from|:) (?P<device>[0-9a-f:.]+)`,
    ],
  },
  {
    reason: 'PCIeErrorUncorrected',
    literals: ['AER: Uncorrect', 'AER: Multiple Uncorrect'],
    patterns: [
      String.raw`AER: (?:Multiple )?Uncorrect(?:ed|able) \((?P<kind>[^)]*)\) error (?:message )?received(?: from|:) (?P<device>[0-9a-f:.]+)`,
    ],
  },
  {
    reason: 'CPUOverheated',
    literals: ['temperature above threshold', 'temperature is above threshold'],
    patterns: [String.raw`CPU(?P<cpu>\d+): (?P<part>Core|Package) temperature(?:/speed)? (?:is )?above threshold`],
    raises: { ...HOT, ttlSeconds: DAY_SECONDS },
  },
  {
    reason: 'CPUTemperatureNormal',
    literals: ['temperature/speed normal', 'temperature normal'],
    patterns: [String.raw`CPU(?P<cpu>\d+): (?P<part>Core|Package) temperature(?:/speed)? normal`],
    clears: HOT,
  },
  {
    reason: 'ThermalCritical',
    literals: ['critical temperature reached'],
    patterns: [String.raw`(?:thermal (?P<zone>\w+): )?critical temperature reached`],
  },
  {
    reason: 'PageAllocationFailure',
    report: 'allocation',
    literals: ['page allocation failure: order:'],
    patterns: [String.raw`^(?P<comm>.{1,64}?): page allocation failure: order:(?P<order>\d+), mode:(?P<mode>[^,\s]+)`],
  },
];
