// A process of its own that prints the hardware as JSON and ends: systeminformation runs commands, often synchronously.
import { totalmem } from 'node:os';
import { argv, pid, stdout } from 'node:process';
import si from 'systeminformation';
import { HostFiles } from '../host-files.ts';
import type { Hardware } from './hardware.ts';
import { readInterfaces } from './interfaces.ts';

const LAST_SECONDS = 30; // its parent ends it sooner, unless the parent was killed

const text = (value: unknown): string => (typeof value === 'string' ? value.trim().slice(0, 256) : '');
const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? Math.round(value) : 0);

async function cpu(): Promise<Hardware['cpu']> {
  const seen = await si.cpu();
  return {
    vendor: text(seen.vendor),
    model: [text(seen.manufacturer), text(seen.brand)].filter((part) => part !== '').join(' '),
    sockets: count(seen.processors),
    physicalCores: count(seen.physicalCores),
    cores: count(seen.cores),
  };
}

async function virtualization(): Promise<Hardware['virtualization']> {
  const seen = await si.system();
  return seen.virtual ? text(seen.virtualHost) || 'unknown' : 'none';
}

/** Without dmidecode, or without root, systeminformation makes up one module without a type: that is not known. */
async function modules(): Promise<Hardware['memory']['modules']> {
  const seen = await si.memLayout();
  if (seen.every(({ type, bank }) => text(type) === '' && text(bank) === '')) return null;
  return seen.map((module) => ({
    bytes: count(module.size),
    bank: text(module.bank),
    type: text(module.type),
    megahertz: count(module.clockSpeed),
    vendor: text(module.manufacturer),
    ecc: module.ecc === true,
  }));
}

/** The block devices and not `diskLayout()`, whose smartctl wakes sleeping disks. */
async function disks(): Promise<Hardware['disks']> {
  const seen = (await si.blockDevices()).filter(({ type, size }) => type === 'disk' && size > 0);
  if (seen.length === 0) return null;
  return seen.map((disk) => ({
    name: text(disk.name),
    bytes: count(disk.size),
    kind: text(disk.physical),
    transport: text(disk.protocol),
    model: text(disk.model),
  }));
}

const orNull = async <T>(read: () => T | Promise<T>): Promise<T | null> => {
  try {
    return await read();
  } catch {
    return null; // null says that it is not known; the other parts are
  }
};

setTimeout(() => process.kill(-pid, 'SIGKILL'), LAST_SECONDS * 1000).unref();
const hardware: Hardware = {
  cpu: await orNull(cpu),
  virtualization: await orNull(virtualization),
  memory: { totalBytes: totalmem(), modules: await orNull(modules) },
  disks: await orNull(disks),
  interfaces: await orNull(() => readInterfaces(new HostFiles(argv[2] ?? '/'))),
};
stdout.write(JSON.stringify(hardware));
