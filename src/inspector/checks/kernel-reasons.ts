// How bad it is when the kernel tells of something, by the reason that the probes give it.

/** `grave`: one is a broken host. `serious`: one is a warning, ten are critical. `minor`: ten are a warning. */
type Gravity = 'grave' | 'serious' | 'minor';

const GRAVE = [
  ...['KernelOops', 'KernelPanic', 'KernelMemoryCorruption', 'HardLockup'],
  ...['FilesystemIsReadOnly', 'XfsHasShutdown', 'MediumError', 'NVMeControllerDown', 'RAIDDiskFailure'],
  ...['EDACUncorrected', 'MachineCheck', 'MemoryFailure', 'CperHardwareErrorFatal', 'PCIeErrorUncorrected'],
  ...['ThermalCritical'],
];
const MINOR = [
  ...['EDACCorrected', 'MemoryReadError', 'CperHardwareErrorCorrected', 'PCIeErrorCorrected', 'CPUOverheated'],
  ...['KernelWarning', 'PageAllocationFailure', 'PidsLimitReached', 'RealtimeThrottled', 'ClocksourceUnstable'],
  ...['Segfault', 'UserTrap', 'NetworkLinkDown', 'SynFlood', 'OpenvswitchWarning', 'Ext4Warning', 'FATError'],
];
/** Good news, what everybody sees all the time, and kills for want of memory, which have a check of their own. */
const NONE = [
  ...['BondMemberUp', 'CPUTemperatureNormal', 'NFSServerOK', 'NetworkLinkUp', 'XfsMounted'],
  ...['MartianSource', 'OverlayfsWarning', 'HungTaskReportsSuppressed', 'OOMKilling', 'OOMReaped'],
];

const GRAVITY: ReadonlyMap<string, Gravity | undefined> = new Map([
  ...GRAVE.map((reason) => [reason, 'grave'] as const),
  ...MINOR.map((reason) => [reason, 'minor'] as const),
  ...NONE.map((reason) => [reason, undefined] as const),
]);

/** Undefined is no finding, however often. A reason that is not known here, such as one of the operator's own rules, is serious. */
export const gravityOf = (reason: string): Gravity | undefined =>
  GRAVITY.has(reason) ? GRAVITY.get(reason) : 'serious';

/** Those with a place of their own. */
export const JUDGED_REASONS: readonly string[] = [...GRAVITY.keys()];
