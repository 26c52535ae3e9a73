// Which distribution the host runs, from os-release(5).
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';
import { eachLine } from '../kernel/text.ts';

const LABELS = [
  'build_id',
  'id',
  'id_like',
  'image_id',
  'image_version',
  'name',
  'pretty_name',
  'variant',
  'variant_id',
  'version',
  'version_codename',
  'version_id',
] as const;
type OsRelease = Readonly<Partial<Record<(typeof LABELS)[number], string>>>;

const LONGEST_VALUE = 256;

/** A value as a shell would read it: bare, in single quotes, or in double quotes with `\"`, `\$`, `\\` and `` \` ``. */
function unquote(value: string): string {
  const quote = value[0];
  if ((quote !== '"' && quote !== "'") || value.length < 2 || !value.endsWith(quote)) return value;
  const inner = value.slice(1, -1);
  return quote === '"' ? inner.replace(/\\(["$\\`])/g, '$1') : inner;
}

/** Parses os-release; other keys and lines that assign nothing are left out, values end after 256 characters. */
export function parseOsRelease(text: string): OsRelease {
  const values: Partial<Record<(typeof LABELS)[number], string>> = {};
  eachLine(text, (line) => {
    const equals = line.indexOf('=');
    const label = LABELS.find((known) => known.toUpperCase() === line.slice(0, Math.max(equals, 0)));
    if (label !== undefined) values[label] = unquote(line.slice(equals + 1).trim()).slice(0, LONGEST_VALUE);
  });
  return values;
}

/** What /etc/os-release says, or /usr/lib/os-release where there is none; undefined on a host without either. */
export function readOsRelease(host: HostFiles): OsRelease | undefined {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return parseOsRelease(host.text(path));
    } catch (error) {
      if (readFailure(error) !== 'absent') throw error;
    }
  }
  return undefined;
}

export const os: Collector = {
  name: 'os',
  view: 'node',
  periodSeconds: 3600,
  metrics: [
    {
      name: 'node_os_info',
      help: `A metric with a constant '1' value labeled by ${LABELS.join(', ')}.`,
      type: 'gauge',
      source: '/etc/os-release or /usr/lib/os-release (os-release(5))',
      labels: LABELS,
    },
  ],
  open: stateless((host, out) => {
    const release = readOsRelease(host);
    if (release !== undefined) out.add('node_os_info', 1, ...LABELS.map((label) => release[label] ?? ''));
  }),
};
