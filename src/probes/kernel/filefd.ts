// File handles of the whole host, from /proc/sys/fs/file-nr.
import { stateless, type Collector } from '../collector.ts';
import { unexpected, unsigned, words } from './text.ts';

/** Parses file-nr: allocated, unused (0 since Linux 2.6), maximum (Documentation/admin-guide/sysctl/fs.rst). */
export function parseFileNr(text: string): { readonly allocated: number; readonly maximum: number } {
  const fields = words(text.trimEnd());
  const allocated = unsigned(fields[0]);
  const maximum = unsigned(fields[2]);
  if (allocated === undefined || maximum === undefined) throw unexpected('/proc/sys/fs/file-nr', text);
  return { allocated, maximum };
}

export const filefd: Collector = {
  name: 'filefd',
  view: 'node',
  periodSeconds: 15,
  metrics: [
    {
      name: 'node_filefd_allocated',
      help: 'File descriptor statistics: allocated.',
      type: 'gauge',
      source: '/proc/sys/fs/file-nr field 1',
      unit: 'file handles',
    },
    {
      name: 'node_filefd_maximum',
      help: 'File descriptor statistics: maximum.',
      type: 'gauge',
      source: '/proc/sys/fs/file-nr field 3',
      unit: 'file handles',
    },
  ],
  open: stateless((host, out) => {
    const { allocated, maximum } = parseFileNr(host.text('/proc/sys/fs/file-nr'));
    out.add('node_filefd_allocated', allocated);
    out.add('node_filefd_maximum', maximum);
  }),
};
