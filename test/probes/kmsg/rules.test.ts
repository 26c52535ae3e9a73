// Every rule against lines as kernels write them: what must be counted, what must be taken from it, and what must not count.
import t from 'tap';
import { RE2JS } from 're2js';
import { importRule } from '../../../src/probes/kmsg/npd.ts';
import { isNote } from '../../../src/probes/kmsg/rule.ts';
import { RULES } from '../../../src/probes/kmsg/rules/index.ts';
import { golden } from '../../support/golden.ts';
import { corpus, openTestLog, recorded, recordedFiles, writtenFiles, type CorpusLine } from './lines.ts';

const all = writtenFiles().flatMap((file) => corpus(file));

const reasonsOf = ({ text, severity }: Pick<CorpusLine, 'text' | 'severity'>) => {
  const log = openTestLog();
  log.say(text, severity === undefined ? {} : { severity });
  log.engine.settle(60_000_000);
  return log;
};

t.test('each written line counts what it must, once, and gives its fields', async (t) => {
  for (const line of all) {
    const log = reasonsOf(line);
    const expected = Object.fromEntries(line.reasons.map((reason) => [reason, 1]));
    t.same(log.counts(), expected, `${line.where} counts ${line.reasons.join(', ') || 'nothing'}: ${line.text}`);
    t.equal(log.problems.length, line.reasons.length, `${line.where} is an event`);
    const fields = Object.assign({}, ...log.problems.map((problem) => problem.fields)) as Record<string, string>;
    for (const [name, value] of line.fields)
      t.equal(fields[name]?.replaceAll('_', ' '), value, `${line.where}: ${name}`);
  }
});

t.test('each reason has lines that count and each class lines that do not', async (t) => {
  const seen = new Set(all.flatMap(({ reasons }) => reasons));
  for (const rule of RULES) if (!isNote(rule)) t.ok(seen.has(rule.reason), `there is a line for ${rule.reason}`);
  for (const file of writtenFiles())
    t.ok(corpus(file).filter(({ reasons }) => reasons.length === 0).length >= 3, `${file} has lines that look similar`);
});

t.test('a user of the host cannot forge a line of the kernel', async (t) => {
  const log = openTestLog();
  for (const { text } of all) log.say(text, { facility: 1 });
  log.engine.settle(60_000_000_000);
  t.same(log.counts(), {});
  t.same(log.problems, []);
  t.ok(log.state.records.every((count) => count === 0));
});

/** kernel-monitor.json and readonly-monitor.json of kubernetes/node-problem-detector at 6632ca67, as research/probes.md has them. */
const NPD = [
  ['OOMKilling', String.raw`Killed process \d+ (.+) total-vm:\d+kB, anon-rss:\d+kB, file-rss:\d+kB.*`],
  ['TaskHung', String.raw`task [\S ]+:\w+ blocked for more than \w+ seconds\.`],
  ['UnregisterNetDevice', String.raw`unregister_netdevice: waiting for \w+ to become free. Usage count = \d+`],
  ['KernelOops', String.raw`BUG: unable to handle kernel NULL pointer dereference at .*`],
  ['KernelOops', String.raw`divide error: 0000 \[#\d+\] SMP`],
  ['Ext4Error', String.raw`EXT4-fs error .*`],
  ['Ext4Warning', String.raw`EXT4-fs warning .*`],
  ['IOError', String.raw`Buffer I/O error .*`],
  ['XfsHasShutdown', String.raw`XFS .* Shutting down filesystem.?`],
  ['MemoryReadError', String.raw`CE memory read error .*`],
  ['CperHardwareErrorCorrected', String.raw`.*\[Hardware Error\]: event severity: corrected$`],
  ['CperHardwareErrorRecoverable', String.raw`.*\[Hardware Error\]: event severity: recoverable$`],
  ['CperHardwareErrorFatal', String.raw`.*\[Hardware Error\]: event severity: fatal$`],
  ['DockerHung', String.raw`task docker:\w+ blocked for more than \w+ seconds\.`],
  ['FilesystemIsReadOnly', String.raw`Remounting filesystem read-only`],
] as const;

t.test("whatever node-problem-detector's own rules see, ours count under the same reason", async (t) => {
  for (const [reason, pattern] of NPD) {
    const theirs = RE2JS.compile(`${pattern}\\z`);
    const matching = all.filter(({ text }) => theirs.matcher(text).find());
    if (pattern !== NPD[4][1]) t.ok(matching.length > 0, `a line for ${pattern}`);
    for (const line of matching) t.ok(line.reasons.includes(reason), `${line.where} counts ${reason}`);
    t.ok(
      RULES.some((rule) => !isNote(rule) && rule.reason === reason && rule.npd === true),
      `${reason} is in problem_counter`,
    );
  }
});

t.test("node-problem-detector's rules beside ours count nothing twice", async (t) => {
  const imported = NPD.map(([reason, pattern]) => importRule({ type: 'temporary', reason, pattern }));
  for (const line of all) {
    const log = openTestLog({ rules: [...RULES, ...imported] });
    log.say(line.text, line.severity === undefined ? {} : { severity: line.severity });
    t.same(log.counts(), Object.fromEntries(line.reasons.map((reason) => [reason, 1])), line.where);
  }
});

for (const file of recordedFiles()) {
  t.test(`${file}: what was done to the kernel is what is counted`, async (t) => {
    const said: string[] = [];
    const log = openTestLog({
      facilities: [0, 1],
      onProblem: ({ reason, fields, lines }) => {
        const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
        said.push(`  ${[reason, ...words].join(' ')}${lines.length === 0 ? '' : ` (${lines.length} lines)`}`);
      },
    });
    for (const bytes of recorded(file)) {
      const marker = /^\d+,\d+,(\d+),.*;jdos: (.*)\n/.exec(bytes.toString('latin1'));
      if (marker !== null) {
        log.engine.settle(Number(marker[1]));
        said.push(marker[2] ?? '');
      }
      log.engine.take(bytes, bytes.length, (usec) => Math.round(usec / 1000));
    }
    await golden(t, `kmsg/${file}`, `${said.join('\n')}\n`);
    t.equal(log.state.lost, 0, 'nothing is missing in the recording');
  });
}
