// Files of other programs: what is shown of them, what is refused, and the same directory before the real node_exporter.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CollectorContext } from '../../../src/probes/collector.ts';
import { byName, declaredFamilies, renderExposition } from '../../../src/probes/exposition.ts';
import { openFamilyWriter } from '../../../src/probes/family-writer.ts';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { textfile } from '../../../src/probes/host/textfile.ts';
import { collectors } from '../../../src/probes/registry.ts';
import { needs } from '../../support/needs.ts';
import { parseExposition, scrapeNodeExporter } from '../../support/node-exporter.ts';
import { BAD, GOOD } from '../../support/text-format-texts.ts';
import { config } from '../kernel/written.ts';

const WRITTEN_AT = 1_700_000_000;

interface Details {
  readonly files: number;
  readonly refused: readonly { readonly file: string; readonly reason: string }[];
}

function writeFiles(dir: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(dir, name), text);
    utimesSync(join(dir, name), WRITTEN_AT, WRITTEN_AT);
  }
}

function openOn(directory: string | readonly string[], more: object = {}, quarantined: readonly string[] = []) {
  const settings = config({ textfile: { directory }, ...more });
  const logged: unknown[] = [];
  const collecting = textfile.open({
    host: new HostFiles('/', undefined, quarantined),
    config: settings,
    saved: undefined,
    declared: new Set(collectors.flatMap(({ metrics }) => metrics.map(({ name }) => name))),
    log: { warn: (fields: unknown) => logged.push(fields) } as unknown as CollectorContext['log'],
  });
  const out = openFamilyWriter(textfile.metrics, settings.maxLabelLength);
  return {
    logged,
    /** Collects once: the exposition, what was refused, and the counts of the writer. */
    collect(maxSeries = settings.maxSeries) {
      out.begin(maxSeries);
      void collecting.collect(out);
      const collected = out.finish();
      const families = declaredFamilies(collected.families, byName(textfile.metrics));
      return {
        ...collected,
        text: renderExposition(families, 'text').toString(),
        openmetrics: renderExposition(families, 'openmetrics').toString(),
        details: collecting.details?.() as Details,
      };
    },
  };
}

const collectIn = (dir: string, files: Readonly<Record<string, string | Buffer>>, more?: object) => {
  writeFiles(dir, files);
  return openOn(dir, more).collect();
};

const error = (text: string): string | undefined => /^node_textfile_scrape_error (.*)$/m.exec(text)?.[1];

t.test('without a directory nothing is wrong', async (t) => {
  t.same(
    openOn([]).collect().text,
    '# HELP node_textfile_scrape_error 1 if there was an error opening or reading a file, 0 otherwise\n# TYPE node_textfile_scrape_error gauge\nnode_textfile_scrape_error 0\n',
  );
});

t.test('files are shown with their help and type, in both formats, and when they were written', async (t) => {
  const dir = t.testdir();
  const { text, openmetrics } = collectIn(dir, {
    'backup.prom': '# HELP backup_runs_total Runs.\n# TYPE backup_runs_total counter\nbackup_runs_total{job="db"} 4\n',
    'raid.prom': 'raid_ok 1\n',
    'sizes.prom': '# TYPE size_bytes histogram\nsize_bytes_bucket{le="+Inf"} 2\nsize_bytes_sum 3\nsize_bytes_count 2\n',
    'left.out': 'left_out 1\n',
    'half.prom.1234': 'left_out 1',
  });
  t.equal(
    text,
    `# HELP node_textfile_mtime_seconds Unixtime mtime of textfiles successfully read.
# TYPE node_textfile_mtime_seconds gauge
node_textfile_mtime_seconds{file="${dir}/backup.prom"} ${WRITTEN_AT}
node_textfile_mtime_seconds{file="${dir}/raid.prom"} ${WRITTEN_AT}
node_textfile_mtime_seconds{file="${dir}/sizes.prom"} ${WRITTEN_AT}
# HELP node_textfile_scrape_error 1 if there was an error opening or reading a file, 0 otherwise
# TYPE node_textfile_scrape_error gauge
node_textfile_scrape_error 0
# HELP backup_runs_total Runs.
# TYPE backup_runs_total counter
backup_runs_total{job="db"} 4
# HELP raid_ok Metric read from ${dir}/raid.prom
# TYPE raid_ok untyped
raid_ok 1
# HELP size_bytes Metric read from ${dir}/sizes.prom
# TYPE size_bytes histogram
size_bytes_bucket{le="+Inf"} 2
size_bytes_sum 3
size_bytes_count 2
`,
  );
  t.match(openmetrics, /\n# TYPE backup_runs counter\n/);
  t.match(openmetrics, /\n# TYPE raid_ok unknown\n/);
  t.match(openmetrics, /\n# TYPE size_bytes histogram\n/);
});

const REFUSED: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['a timestamp', 'bad 1 1700000000000\n', /line 1: bad has a timestamp/],
  ['a series twice', 'bad 1\nbad 2\n', /bad is there twice/],
  ['cut within a line', 'bad 1\nbad_too ', /ends within a line/],
  ['no text', Buffer.from([0xff, 0x0a]), /not UTF-8/],
  ['another type than before', '# TYPE ok counter\nok{x="1"} 1\n', /ok is counter, and gauge in .*\/a\.prom/],
  ['no type where there was one', 'ok{x="1"} 1\n', /ok is untyped, and gauge in/],
  ['a series of a file before', '# TYPE ok gauge\nok 1\n', /ok is in a file before it/],
  ['a metric of a collector', 'node_load1 1\n', /node_load1 is a metric of the daemon's own/],
  ['a family that one has in OpenMetrics', 'node_cpu_seconds 1\n', /own/],
  ['a part that is one', '# TYPE node_textfile_scrape histogram\nnode_textfile_scrape_sum 1\n', /own/],
  ['a metric about the daemon', 'jdos_collector_success 1\n', /own/],
  ['too large', `# ${'x'.repeat(60_000)}\n`.repeat(18), /larger than/],
];

t.test('a file that is wrong or contradicts another is refused whole, and the others are shown', async (t) => {
  for (const [why, text, reason] of REFUSED) {
    const dir = t.testdir();
    const { text: shown, details } = collectIn(dir, {
      'a.prom': '# TYPE ok gauge\nok 1\n',
      'b.prom': text,
      'c.prom': 'last 1\n',
    });
    t.equal(error(shown), '1', why);
    t.match(details, { files: 2, refused: [{ file: `${dir}/b.prom`, reason }] }, why);
    t.notMatch(shown, /bad|b\.prom/, why);
    t.match(shown, /\nok 1\n[^]*\nlast 1\n/, why);
  }
});

t.test('what is no regular file is refused without waiting for it', async (t) => {
  const dir = t.testdir();
  execFileSync('mkfifo', [join(dir, 'fifo.prom')]);
  mkdirSync(join(dir, 'dir.prom'));
  symlinkSync('/dev/zero', join(dir, 'zero.prom'));
  symlinkSync('gone', join(dir, 'gone.prom'));
  const { text, details } = collectIn(dir, { 'a.prom': 'ok 1\n' });
  t.match(text, /\nok 1\n/);
  t.same(
    details.refused.map(({ file }) => file.slice(dir.length + 1)),
    ['dir.prom', 'fifo.prom', 'gone.prom', 'zero.prom'],
  );
});

t.test('a file that hung is refused as long as it is in quarantine, the others are read', async (t) => {
  const dir = t.testdir({ 'a.prom': 'a 1\n', 'b.prom': 'b 1\n' });
  const { text, details } = openOn(dir, {}, ['textfile', `${dir}/a.prom`]).collect();
  t.notMatch(text, /^a 1$/m);
  t.match(text, /^b 1$/m);
  t.match(details.refused, [{ file: `${dir}/a.prom`, reason: /quarantine/ }]);
});

t.test('several directories are one; one that is not there is an error and hides nothing', async (t) => {
  const [one, two] = [join(t.testdir(), 'one'), join(t.testdirName, 'two')];
  for (const dir of [one, two]) mkdirSync(dir);
  writeFiles(one, { 'a.prom': '# TYPE ok gauge\nok{x="1"} 1\n' });
  writeFiles(two, { 'a.prom': '# HELP ok Said.\n# TYPE ok gauge\nok{x="2"} 2\n' });
  const { text, details } = openOn([one, `${two}/`, '/nonexistent/textfiles']).collect();
  t.match(text, '# HELP ok Said.\n# TYPE ok gauge\nok{x="1"} 1\nok{x="2"} 2\n');
  t.match(details, { files: 2, refused: [{ file: '/nonexistent/textfiles', reason: /ENOENT/ }] });
  t.equal(error(text), '1');
});

t.test('a reason is logged once, until another takes its place', async (t) => {
  const dir = t.testdir();
  writeFiles(dir, { 'a.prom': 'ok' });
  const { collect, logged } = openOn(dir);
  for (let i = 0; i < 3; i += 1) collect();
  t.match(logged, [{ file: `${dir}/a.prom`, reason: /ends within a line/ }]);
  t.equal(logged.length, 1);
  appendFileSync(join(dir, 'a.prom'), ' no\n');
  collect();
  t.match(logged[1], { reason: /no number/ });
  writeFileSync(join(dir, 'a.prom'), 'ok 1\n');
  t.equal(error(collect().text), '0');
  t.equal(logged.length, 2);
});

t.test('a file is read anew when its content changes, whatever its time and size say', async (t) => {
  const dir = t.testdir();
  writeFiles(dir, { 'a.prom': 'ok 1\n', 'b.prom': 'more 1\n' });
  const { collect } = openOn(dir);
  t.match(collect().text, /\nok 1\n/);
  writeFiles(dir, { 'a.prom': 'ok 2\n' });
  t.match(collect().text, /\nok 2\n/);
  rmSync(join(dir, 'a.prom'));
  t.notMatch(collect().text, /\nok /);
  renameSync(join(dir, 'b.prom'), join(dir, 'c.prom'));
  t.match(collect().text, /c\.prom"\} \d+\n[^]*\nmore 1\n/);
});

t.test('series, files and bytes are bounded', async (t) => {
  const many = (name: string, count: number): string =>
    Array.from({ length: count }, (_, i) => `${name}{i="${i}"} 1\n`).join('');
  const dir = t.testdir();
  const few = collectIn(
    dir,
    { 'a.prom': many('a', 80), 'b.prom': many('b', 80), 'c.prom': 'c 1\n' },
    { maxSeries: 100 },
  );
  t.match(few.details, { files: 2, refused: [{ file: `${dir}/b.prom`, reason: /probes\.maxSeries/ }] });

  const { text, dropped, series } = openOn(dir).collect(84);
  t.notMatch(text, /\nb\{/, 'a family beyond what other collectors leave is left out whole');
  t.match([dropped, series], [81, 84]);

  const crowd = t.testdir(Object.fromEntries(Array.from({ length: 1005 }, (_, i) => [`${i}.prom`, `a${i} 1\n`])));
  const crowded = openOn(crowd).collect();
  t.match(crowded.details, { files: 1000, refused: [{ file: crowd, reason: /more than 1000 files/ }] });

  const bulk = t.testdir(
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.prom`, `# ${'x'.repeat(50_000)}\n`.repeat(20)])),
  );
  const { details } = openOn(bulk).collect();
  t.equal(details.files, 16);
  t.match(details.refused[0], { reason: /all files are larger/ });
});

t.test(
  'a file that may not be read is refused',
  { skip: process.getuid?.() === 0 ? 'root reads all' : false },
  async (t) => {
    const dir = t.testdir({ 'a.prom': 'ok 1\n' });
    chmodSync(join(dir, 'a.prom'), 0);
    t.match(openOn(dir).collect().details, { refused: [{ reason: /EACCES/ }] });
  },
);

const COMPLETE = `# HELP backup_runs_total Runs, \\\\ and\\nmore.
# TYPE backup_runs_total counter
backup_runs_total{job="d\\"b\\\\",x=""} 4
backup_runs_total{job="京"} 1.5e+30
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.5",method="get"} 2.25
rpc_seconds_sum{method="get"} 10
rpc_seconds_count{method="get"} 5
# TYPE size_bytes histogram
size_bytes_bucket{le="1"} 1
size_bytes_bucket{le="+Inf"} 2
size_bytes_sum 3.5
size_bytes_count 2
raid_ok -Inf
`;

/** An empty label is no label (Prometheus' data model). */
const comparable = (text: string): readonly string[] =>
  parseExposition(text)
    .samples.filter(({ metric }) => !/^(?:go|process|promhttp)_|^node_(?:scrape|exporter)_/.test(metric))
    .map(({ metric, labels, value }) => {
      const given = Object.entries(labels).filter(([, text]) => text !== '');
      return `${metric} ${JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1)))} ${value}`;
    })
    .sort();

t.test('promtool can read what is shown of them', { skip: needs('promtool') }, async (t) => {
  const { text } = collectIn(t.testdir(), { 'a.prom': COMPLETE });
  const { status, stderr } = spawnSync('/usr/bin/promtool', ['check', 'metrics'], { input: text });
  t.same([status, stderr.toString()], [0, '']);
});

const skip = needs('node-exporter');
const ARGUMENTS = ['--collector.disable-defaults', '--web.disable-exporter-metrics', '--collector.textfile'];

t.test('node_exporter shows the same of the same directory', { skip }, async (t) => {
  const dir = t.testdir();
  const ours = collectIn(dir, {
    'complete.prom': COMPLETE,
    'timestamp.prom': 'late 1 1700000000000\n',
    'cut.prom': 'cut 1',
    'empty.prom': '',
    'other.txt': 'other 1\n',
  });
  const theirs = await scrapeNodeExporter([...ARGUMENTS, `--collector.textfile.directory=${dir}`]);
  t.same(comparable(ours.text), comparable(theirs));
  const [a, b] = [parseExposition(ours.text), parseExposition(theirs)];
  for (const [name, type] of a.types) {
    t.equal(type, b.types.get(name), `${name} has the same type`);
    t.equal(a.helps.get(name), b.helps.get(name), `${name} has the same help`);
  }
});

/** It leaves such samples out without a word, or fails as a whole because of them; its lines have no bound. */
const STRICTER = /is there twice|no part of|label (?:le|quantile)|without a type|longer than/;

t.test('node_exporter takes and refuses the same texts, but for what would break its scrape', { skip }, async (t) => {
  const dir = t.testdir();
  const texts = [...GOOD, ...BAD.filter(([, reason]) => !STRICTER.test(reason.source))].map(([text]) => text);
  // Each file has names of its own: node_exporter refuses all of them where two agree on a series.
  const files = Object.fromEntries(
    texts.map((text, i) => [`${i}.prom`, text.replaceAll(/(?<![\w\\"])([abcd]|e(?=[ ]))(?=[_ {\t\n]|$)/g, `t${i}_$1`)]),
  );
  const ours = collectIn(dir, files);
  const theirs = await scrapeNodeExporter([...ARGUMENTS, `--collector.textfile.directory=${dir}`]);
  const taken = (text: string) =>
    parseExposition(text).samples.flatMap(({ metric, labels }) =>
      metric === 'node_textfile_mtime_seconds' ? [files[labels['file']?.slice(dir.length + 1) ?? '']] : [],
    );
  t.same(taken(ours.text), taken(theirs));
});
