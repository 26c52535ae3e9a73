// Which kernel runs on which host, as uname(2) says it, from /proc/sys/kernel.
import { machine } from 'node:os';
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { unexpected } from './text.ts';

/** One line of /proc/sys/kernel without its line feed. Throws for none and for more than one. */
export function parseLine(file: string, text: string): string {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (line === '' || line.includes('\n')) throw unexpected(file, text);
  return line;
}

const read = (host: HostFiles, name: string): string =>
  parseLine(`/proc/sys/kernel/${name}`, host.text(`/proc/sys/kernel/${name}`));

/** `/proc/sys/kernel/arch` exists since Linux 6.1; before it uname(2) of this process, which has the same kernel. */
function architecture(host: HostFiles): string {
  try {
    return read(host, 'arch');
  } catch (error) {
    if (readFailure(error) === 'absent') return machine();
    throw error;
  }
}

export const uname: Collector = {
  name: 'uname',
  view: 'node',
  periodSeconds: 60,
  metrics: [
    {
      name: 'node_uname_info',
      help: 'Labeled system information as provided by the uname system call.',
      type: 'gauge',
      source: '/proc/sys/kernel: domainname, arch, hostname, osrelease, ostype, version',
      labels: ['domainname', 'machine', 'nodename', 'release', 'sysname', 'version'],
    },
  ],
  open: stateless((host, out) => {
    out.add(
      'node_uname_info',
      1,
      read(host, 'domainname'),
      architecture(host),
      read(host, 'hostname'),
      read(host, 'osrelease'),
      read(host, 'ostype'),
      read(host, 'version'),
    );
  }),
};
