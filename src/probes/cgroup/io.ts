// Reads and writes of a cgroup by block device, from io.stat of v2 and blkio.throttle.* of v1.
import { eachLine, unsigned, words } from '../kernel/text.ts';
import type { Cgroup } from './group.ts';

/** Since the group was made, with the groups below it. */
export interface DeviceIo {
  readBytes?: number;
  writtenBytes?: number;
  reads?: number;
  writes?: number;
  /** Microseconds, where blk-iocost is enabled for the device. */
  costUsage?: number;
  costWait?: number;
  costIndebt?: number;
  costIndelay?: number;
}

/** By `MAJOR:MINOR`. */
export type IoByDevice = ReadonlyMap<string, DeviceIo>;

const KEYS: Readonly<Record<string, keyof DeviceIo>> = {
  rbytes: 'readBytes',
  wbytes: 'writtenBytes',
  rios: 'reads',
  wios: 'writes',
  'cost.usage': 'costUsage',
  'cost.wait': 'costWait',
  'cost.indebt': 'costIndebt',
  'cost.indelay': 'costIndelay',
};

/** Devices beyond this many are left out: no group uses so many, and each makes six series. */
const MOST_DEVICES = 64;

const isDevice = (word: string): boolean => /^\d{1,4}:\d{1,7}$/.test(word);

function deviceOf(devices: Map<string, DeviceIo>, device: string): DeviceIo | undefined {
  let io = devices.get(device);
  if (io === undefined && devices.size < MOST_DEVICES) devices.set(device, (io = {}));
  return io;
}

/**
 * Parses io.stat (cgroup-v2.rst). Some kernels write the numbers of devices without statistics in front of the next
 * line: the last one before the values is theirs. Keys that are not known are left out.
 */
export function parseIoStat(text: string): IoByDevice {
  const devices = new Map<string, DeviceIo>();
  eachLine(text, (line) => {
    let io: DeviceIo | undefined;
    let device: string | undefined;
    for (const word of words(line)) {
      const equals = word.indexOf('=');
      if (equals === -1) {
        if (isDevice(word)) device = word;
        continue;
      }
      const name = KEYS[word.slice(0, equals)];
      const value = unsigned(word.slice(equals + 1));
      if (name === undefined || value === undefined || device === undefined) continue;
      io ??= deviceOf(devices, device);
      if (io !== undefined) io[name] = value;
    }
  });
  return devices;
}

/** Parses a blkio file of v1, `MAJOR:MINOR Read N`, into the two directions of it. */
export function parseBlkio(
  text: string,
  devices: Map<string, DeviceIo>,
  read: keyof DeviceIo,
  write: keyof DeviceIo,
): void {
  eachLine(text, (line) => {
    const [device = '', operation, number] = words(line);
    const name = operation === 'Read' ? read : operation === 'Write' ? write : undefined;
    const value = unsigned(number);
    if (name === undefined || value === undefined || !isDevice(device)) return;
    const io = deviceOf(devices, device);
    if (io !== undefined) io[name] = value;
  });
}

/** What counts every read and write, and what BFQ counts where it is the scheduler. */
const POLICIES = ['throttle', 'bfq'];
/** The `_recursive` ones count the groups below as well (Linux 3.18). */
const BLKIO = [
  ['io_service_bytes', 'readBytes', 'writtenBytes'],
  ['io_serviced', 'reads', 'writes'],
] as const;

/** Reads it in either version; undefined where no controller for it is there. */
export function readIo(group: Cgroup): IoByDevice | undefined {
  if (!group.isV1('blkio')) {
    const bytes = group.bytes('io.stat');
    return bytes === undefined ? undefined : parseIoStat(bytes.toString('latin1'));
  }
  for (const policy of POLICIES) {
    const devices = readPolicy(group, policy);
    if (devices.size > 0) return devices;
  }
  return undefined;
}

/** Kernels of v1 (seen of Linux 6.1) write 0 where nothing counts: a device with nothing but zeros is not known. */
function readPolicy(group: Cgroup, policy: string): IoByDevice {
  const devices = new Map<string, DeviceIo>();
  for (const [file, read, write] of BLKIO) {
    const name = `blkio.${policy}.${file}`;
    const bytes = group.bytes(`${name}_recursive`) ?? group.bytes(name);
    if (bytes !== undefined) parseBlkio(bytes.toString('latin1'), devices, read, write);
  }
  for (const [device, { readBytes = 0, writtenBytes = 0, reads = 0, writes = 0 }] of devices) {
    if (readBytes + writtenBytes + reads + writes === 0) devices.delete(device);
  }
  return devices;
}
