// Rules of node-problem-detector: files of its own, inline in the configuration, what is wrong in them, and very many of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseConfig, withRuleFiles } from '../../../src/daemon/config.ts';
import { importRule } from '../../../src/probes/kmsg/npd.ts';
import { RULES } from '../../../src/probes/kmsg/rules/index.ts';
import { openTestLog } from './lines.ts';

const rule = (pattern: string, reason = 'Mine') => importRule({ type: 'temporary', reason, pattern });

function countsOf(pattern: string, lines: readonly string[]): number {
  const log = openTestLog({ rules: [rule(pattern)] });
  for (const line of lines) log.say(line);
  return log.counts()['Mine'] ?? 0;
}

t.test('a pattern must match up to the end of the line, and may begin anywhere', async (t) => {
  t.equal(countsOf('widget broke', ['the widget broke', 'widget broke again']), 1);
  t.equal(countsOf('widget broke.*', ['the widget broke', 'widget broke again']), 2);
  t.equal(
    countsOf('widget broke|gadget broke', ['widget broke again', 'gadget broke again']),
    1,
    'of alternatives the last one only',
  );
});

t.test('a pattern of several lines is matched against the last ten', async (t) => {
  const pattern = String.raw`Kill process \d+ (.+) score \d+ or sacrifice child\nKilled process \d+ (.+) total-vm:\d+kB`;
  const [first, second] = [
    'Out of memory: Kill process 7 (a) score 9 or sacrifice child',
    'Killed process 7 (a) total-vm:9kB',
  ];
  t.equal(countsOf(pattern, [first, second]), 1);
  t.equal(countsOf(pattern, [first, 'between', second]), 0);
  t.equal(
    countsOf(String.raw`first line[\s\S]*last line`, ['first line', ...Array<string>(8).fill('x'), 'last line']),
    1,
  );
  t.equal(
    countsOf(String.raw`first line[\s\S]*last line`, ['first line', ...Array<string>(9).fill('x'), 'last line']),
    0,
  );
});

t.test('a permanent rule sets its condition', async (t) => {
  const log = openTestLog({
    rules: [importRule({ type: 'permanent', condition: 'Deadlock', reason: 'Mine', pattern: 'stuck here' })],
  });
  log.say('it is stuck here');
  t.match([...log.state.conditions.values()], [{ type: 'Deadlock', reason: 'Mine', subject: '' }]);
});

t.test('a pattern that makes others go back and back again takes no longer than its line', async (t) => {
  const log = openTestLog({ rules: [rule('(a+)+(a+)+(a|aa)+widget$')] });
  const began = performance.now();
  log.say(`${'a'.repeat(2000)} widget`);
  t.same(log.counts(), {});
  t.ok(performance.now() - began < 1000, `${performance.now() - began} ms`);
});

t.test('ten thousand rules cost a line without their words no more than ten', async (t) => {
  const many = Array.from({ length: 10_000 }, (_, at) => rule(`device number ${at} of (\\w+) failed`, `Mine${at}`));
  const log = openTestLog({ rules: [...RULES, ...many] });
  const began = performance.now();
  for (let line = 0; line < 20_000; line += 1) log.say(`usb 1-1: new high-speed USB device, ${line} of them`);
  const perLine = ((performance.now() - began) * 1000) / 20_000;
  t.ok(perLine < 100, `${perLine.toFixed(1)} µs a line`);
  log.say('device number 4711 of sda failed');
  t.same(log.counts(), { Mine4711: 1 });
});

function files(
  t: Test,
  contents: Readonly<Record<string, string>>,
): (config?: string) => ReturnType<typeof withRuleFiles> {
  const dir = t.testdir();
  mkdirSync(dir, { recursive: true });
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(dir, name), text);
  const list = Object.keys(contents).map((name) => join(dir, name));
  return (more = '') =>
    withRuleFiles(parseConfig(`probes: { kmsg: { ruleFiles: [${list.join(', ')}]${more} } }`, 'jdos.yaml'));
}

const FILE = JSON.stringify({
  plugin: 'kmsg',
  logPath: '/dev/kmsg',
  lookback: '5m',
  bufferSize: 10,
  source: 'kernel-monitor',
  conditions: [{ type: 'KernelDeadlock', reason: 'KernelHasNoDeadlock', message: 'kernel has no deadlock' }],
  rules: [
    { type: 'temporary', reason: 'OOMKilling', pattern: 'Killed process \\d+ (.+) total-vm:\\d+kB.*' },
    {
      type: 'permanent',
      condition: 'KernelDeadlock',
      reason: 'DockerHung',
      pattern: 'task docker:\\w+ blocked for more than \\w+ seconds\\.',
    },
  ],
});

t.test('a file of node-problem-detector is read as it is, behind the rules in ours', async (t) => {
  const read = files(t, { 'kernel-monitor.json': FILE });
  const { rules } = read(', rules: [{ type: temporary, reason: First, pattern: "it broke" }]').probes.kmsg;
  t.same(
    rules.map(({ reason }) => reason),
    ['First', 'OOMKilling', 'DockerHung'],
  );
});

t.test('an error names the file, the rule and the field', async (t) => {
  const of = (rules: unknown, more: object = {}) => files(t, { 'mine.json': JSON.stringify({ rules, ...more }) });
  const ok = { type: 'temporary', reason: 'A', pattern: 'aaaa' };
  t.throws(of([ok, { ...ok, pattern: '(' }]), {
    message: /mine\.json is not valid:[\s\S]*rules\[1\]\.pattern: expected a regular expression in RE2's syntax/,
  });
  t.throws(of([{ ...ok, pattern: '(a)\\1' }]), { message: /rules\[0\]\.pattern/ }, 'RE2 has no back references');
  t.throws(of([{ ...ok, type: 'sometimes' }]), { message: /rules\[0\]\.type: expected one of temporary, permanent/ });
  t.throws(of([{ ...ok, reason: undefined }]), { message: /rules\[0\]\.reason: expected a value of type string/ });
  t.throws(of([{ ...ok, type: 'permanent' }]), { message: /rules\[0\]\.condition: expected the condition/ });
  t.throws(of([ok], { plugin: 'journald' }), { message: /plugin: expected one of kmsg/ });
  t.throws(of(Array.from({ length: 21 }, () => ({ ...ok, pattern: 'a.*b' }))), {
    message: /rules\[20\]\.pattern: expected four characters in a row/,
  });
  const large = JSON.stringify({ rules: Array.from({ length: 150 }, () => ({ ...ok, pattern: 'a'.repeat(4000) })) });
  t.throws(files(t, { 'one.json': large, 'two.json': large }), {
    message:
      /one\.json, .*two\.json have together is not valid:[\s\S]*rules: expected patterns of at most 1048576 characters/,
  });
  t.throws(files(t, { 'mine.json': '{ "rules": [ } }' }), { message: /mine\.json is not valid:[\s\S]*line 1/ });
  t.throws(() => withRuleFiles(parseConfig('probes: { kmsg: { ruleFiles: [/does/not/exist] } }', 'jdos.yaml')), {
    code: 'JD_CONFIG_UNREADABLE',
  });
});
