// What this host is made of, looked at once an hour by a child process, in the background.
import { extname, join } from 'node:path';
import type { Collector, SampleWriter } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { runChild } from './child.ts';
import { readDmi } from './dmi.ts';
import { parseHardware, type Hardware } from './hardware.ts';
import { openLookout } from './lookout.ts';
import { readOsRelease } from './os-release.ts';

const CHILD = join(import.meta.dirname, `inventory-child${extname(import.meta.filename)}`);

function write(out: SampleWriter, { cpu, virtualization }: Hardware): void {
  out.add('jdos_host_info', 1, cpu?.vendor ?? '', cpu?.model ?? '', virtualization ?? '');
  if (cpu === null) return;
  if (cpu.sockets > 0) out.add('jdos_host_cpu_sockets', cpu.sockets);
  if (cpu.physicalCores > 0) out.add('jdos_host_cpu_physical_cores', cpu.physicalCores);
  if (cpu.cores > 0) out.add('jdos_host_cpu_cores', cpu.cores);
}

/** The distribution, kernel and machine in words, beside the hardware. Null where the host does not say. */
const software = (host: HostFiles): object => ({
  os: readOsRelease(host) ?? null,
  kernel: host.text('/proc/sys/kernel/osrelease').trim(),
  machine: readDmi(host) ?? null,
});

export const inventory: Collector = {
  name: 'inventory',
  view: 'node',
  periodSeconds: 60,
  metrics: [
    {
      name: 'jdos_host_info',
      help: 'The hardware of this host, constant 1; an empty label is not known.',
      type: 'gauge',
      source: 'lscpu, dmidecode, /sys/devices/virtual/dmi/id',
      labels: ['cpu_vendor', 'cpu_model', 'virtualization'],
    },
    { name: 'jdos_host_cpu_sockets', help: 'CPU packages of this host.', type: 'gauge', source: 'lscpu' },
    { name: 'jdos_host_cpu_physical_cores', help: 'CPU cores of this host.', type: 'gauge', source: 'lscpu' },
    { name: 'jdos_host_cpu_cores', help: 'CPU threads of this host.', type: 'gauge', source: 'lscpu', unit: 'threads' },
  ],
  open({ host, saved }) {
    const look = async (): Promise<Hardware> => parseHardware(await runChild(CHILD, { args: [host.root] }));
    const lookout = openLookout({ look, now: Date.now, saved });
    let details: object | undefined;
    return {
      async collect(out) {
        const seen = await lookout.latest();
        if (seen === undefined) return; // not known yet: nothing is written
        const { at, hardware } = seen;
        details = { lookedAt: at, ...software(host), ...hardware };
        write(out, hardware);
      },
      save: () => lookout.state(),
      details: () => details,
    };
  },
};
