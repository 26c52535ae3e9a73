// What other programs write about the host into files `*.prom`, by the rules of node_exporter's textfile collector.
import { isUtf8 } from 'node:buffer';
import { explain } from '../../base/fault.ts';
import type { Collector, CollectorContext, FoundFamily } from '../collector.ts';
import type { HostFiles } from '../host-files.ts';
import { badText, parseTextFormat, type TextFamily } from './text-format.ts';
import { mergeFiles, type RefusedFile, type TextFile } from './textfile-merge.ts';

const MOST_FILES = 1000;
const MOST_FILE_BYTES = 1024 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_NAMED = 100;

/** What the serve process says of itself and of the collectors; `docs/metrics.md` has the names. */
const OWN = /^jdos_|^node_(?:scrape_collector|textfile)_|^node_exporter_build_info$/;

/** A file as it was read last; where its bytes are the same again, so is the rest. */
interface Known {
  readonly bytes: Buffer;
  readonly families: readonly TextFamily[];
  readonly series: number;
}

interface Looked extends TextFile {
  readonly known: Known;
  /** Unix seconds. */
  readonly modifiedAt: number;
}

type Risky = <T>(target: string, read: () => T) => T;

/** The files to read, sorted within each directory. Of more than {@link MOST_FILES} it is up to the file system which are left out. */
function listFiles(host: HostFiles, directories: readonly string[], risky: Risky, refuse: Refuse): readonly string[] {
  const files: string[] = [];
  for (const directory of directories) {
    try {
      const names = risky(directory, () => promFiles(host, directory, MOST_FILES - files.length));
      if (names.length > MOST_FILES - files.length) refuse(directory, `more than ${MOST_FILES} files`);
      files.push(...names.slice(0, MOST_FILES - files.length).map((name) => `${directory}/${name}`));
    } catch (error) {
      refuse(directory, explain(error));
    }
  }
  return files;
}

/** At most one more than wanted. */
function promFiles(host: HostFiles, directory: string, most: number): readonly string[] {
  const names: string[] = [];
  for (const name of host.entries(directory)) {
    if (name.endsWith('.prom') && names.push(name) > most) break;
  }
  return names.sort();
}

type Refuse = (file: string, reason: string) => void;

function readFile(host: HostFiles, file: string, before: Known | undefined, config: CollectorContext['config']): Known {
  const bytes = host.bytes(file, MOST_FILE_BYTES);
  if (before?.bytes.equals(bytes)) return before;
  if (!isUtf8(bytes)) throw badText('it is not UTF-8');
  const limits = { samples: config.maxSeries, labelLength: config.maxLabelLength };
  const families = parseTextFormat(bytes.toString('utf8'), limits);
  const series = families.reduce((sum, { samples }) => sum + samples.length, 0);
  return { bytes: Buffer.from(bytes), families, series };
}

/** Reads all files; what is wrong with one does not hide the others. */
function look({ host, config }: CollectorContext, before: ReadonlyMap<string, Known>, refuse: Refuse): Looked[] {
  const directories = [config.textfile.directory].flat().map((path) => path.replace(/(?<=.)\/+$/, ''));
  const looked: Looked[] = [];
  let [bytes, series] = [0, 0];
  if (directories.length === 0) return looked;
  host.riskyEach('textfile', (risky) => {
    for (const file of listFiles(host, [...new Set(directories)], risky, refuse)) {
      try {
        const modifiedAt = risky(file, () => host.modifiedAt(file)) / 1000;
        const known = risky(file, () => readFile(host, file, before.get(file), config));
        if (bytes + known.bytes.length > MOST_BYTES) throw badText(`all files are larger than ${MOST_BYTES} bytes`);
        if (series + known.series > config.maxSeries) throw badText('all files have more series than probes.maxSeries');
        bytes += known.bytes.length;
        series += known.series;
        looked.push({ file, families: known.families, known, modifiedAt });
      } catch (error) {
        refuse(file, explain(error));
      }
    }
  });
  return looked;
}

interface Shown {
  readonly looked: readonly Looked[];
  readonly families: readonly FoundFamily[];
  /** By the merge. */
  readonly refused: readonly RefusedFile[];
}

const isSame = (a: readonly Looked[], b: readonly Looked[]): boolean =>
  a.length === b.length && a.every(({ file, known }, index) => file === b[index]?.file && known === b[index].known);

/** Names a reason once, and again when it comes back. */
function openComplaints(log: CollectorContext['log']) {
  let said = new Set<string>();
  return (refused: readonly RefusedFile[]): void => {
    const now = new Set<string>();
    for (const { file, reason } of refused.slice(0, MOST_NAMED)) {
      const key = `${file} ${reason}`;
      now.add(key);
      if (!said.has(key)) log?.warn({ file, reason }, 'textfile is refused');
    }
    said = now;
  };
}

export const textfile: Collector = {
  name: 'textfile',
  view: 'node',
  periodSeconds: 30,
  mayHang: true,
  metrics: [
    {
      name: 'node_textfile_mtime_seconds',
      help: 'Unixtime mtime of textfiles successfully read.',
      type: 'gauge',
      source: 'stat(2) st_mtime',
      labels: ['file'],
    },
    {
      name: 'node_textfile_scrape_error',
      help: '1 if there was an error opening or reading a file, 0 otherwise',
      type: 'gauge',
      source: 'probes.textfile.directory',
      unit: '0 or 1',
    },
  ],
  open(context) {
    const { declared = new Set<string>() } = context;
    // A counter gives its name without `_total` to the family in OpenMetrics.
    const isOwn = (name: string): boolean => OWN.test(name) || declared.has(name) || declared.has(`${name}_total`);
    const complain = openComplaints(context.log);
    let shown: Shown = { looked: [], families: [], refused: [] };
    let known: ReadonlyMap<string, Known> = new Map();
    let details: object | undefined;
    return {
      collect(out) {
        const unread: RefusedFile[] = [];
        const looked = look(context, known, (file, reason) => unread.push({ file, reason }));
        known = new Map(looked.map(({ file, known: read }) => [file, read]));
        shown = isSame(looked, shown.looked) ? { ...shown, looked } : { looked, ...mergeFiles(looked, isOwn) };

        const refused = [...unread, ...shown.refused];
        const contradicting = new Set(shown.refused.map(({ file }) => file));
        const files = looked.filter(({ file }) => !contradicting.has(file));
        complain(refused);
        details = { files: files.length, refused: refused.slice(0, MOST_NAMED) };
        for (const { file, modifiedAt } of files) {
          out.add('node_textfile_mtime_seconds', Math.floor(modifiedAt), file);
        }
        out.add('node_textfile_scrape_error', refused.length > 0 ? 1 : 0);
        for (const family of shown.families) out.addFamily(family);
      },
      details: () => details,
    };
  },
};
