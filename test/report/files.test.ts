import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parseWith, describeField } from '../../src/base/schema.ts';
import { ReportConfig } from '../../src/report/config.ts';
import { renderCsv } from '../../src/report/csv.ts';
import { writeAtomically } from '../../src/report/file-mail.ts';
import { compileTemplate, loadTemplates } from '../../src/report/templates.ts';
import { buildModel } from '../../src/report/model.ts';
import { SAMPLES, ZONE, result } from './samples.ts';
import { TEMPLATES } from './setup.ts';

const withFinding = (target: string, line: string) => ({
  ...SAMPLES.green,
  run: {
    ...SAMPLES.green.run,
    results: [result({ code: 'X', area: 'cpu', target, verdict: 'warn', zh: line, en: line, value: -3, limit: 2 })],
  },
});

t.test('CSV opens in a spreadsheet as Chinese, and runs nothing', async (t) => {
  const csv = renderCsv(withFinding('=HYPERLINK("http://x")', '@sum, "磁盘"'), 'zh-CN', ZONE);
  t.ok(csv.startsWith('\ufeffverdict,code,'));
  t.ok(csv.endsWith('\r\n'));
  t.match(csv, `"'=HYPERLINK(""http://x"")"`);
  t.match(csv, `"'@sum, ""磁盘"""`);
  t.match(csv, ',-3,2,', 'a number stays a number');
  t.equal(csv.split('\r\n').length, 3);
});

t.test('a broken template is named with file and line', async (t) => {
  const broken = [
    ['a\n{{#if first}}\nb', /my\.hbs:\d/, 'an open block'],
    ['a\n\n{{nosuchhelper first}}', /my\.hbs:3/, 'an unknown helper'],
    ['a\n{{{{', /my\.hbs:2/, 'no template language'],
  ] as const;
  for (const [source, expected, name] of broken)
    t.throws(() => compileTemplate(source, 'my.hbs', true), { code: 'JD_REPORT_TEMPLATE', message: expected }, name);
  const render = compileTemplate('a\n{{head.hots}}', 'my.hbs', true);
  const model = buildModel(SAMPLES.green, { locale: 'en', timeZone: ZONE });
  t.throws(() => render(model), { code: 'JD_REPORT_TEMPLATE', message: /my\.hbs:2/ }, 'a misspelt name');
});

t.test('HTML templates escape what they show', async (t) => {
  const model = buildModel(withFinding('x', '<b onclick=x>'), { locale: 'en', timeZone: ZONE });
  const render = compileTemplate('{{#each actions.lines}}{{line}}{{/each}}', 'my.hbs', true);
  t.equal(render(model), '&lt;b onclick&#x3D;x&gt;');
});

t.test('a directory of own templates may hold some and leave the others', async (t) => {
  const dir = t.testdir({ en: { 'subject.txt.hbs': 'MINE {{subject.host}}' } });
  const templates = await loadTemplates(dir, TEMPLATES);
  const model = buildModel(SAMPLES.green, { locale: 'en', timeZone: ZONE });
  t.equal(templates.en['subject.txt.hbs'](model), 'MINE hb1-h031.example.com');
  t.match(templates['zh-CN']['subject.txt.hbs'](model), /JDOS巡检邮件/);
});

t.test('a mail file is whole or not there', async (t) => {
  const dir = t.testdir({});
  const file = join(dir, 'reports', 'a.eml');
  await writeAtomically(file, Buffer.from('one'));
  await writeAtomically(file, Buffer.from('two'));
  t.equal(await readFile(file, 'utf8'), 'two');
  t.same(await readdir(join(dir, 'reports')), ['a.eml']);
  await writeFile(join(dir, 'blocker'), '');
  await t.rejects(writeAtomically(join(dir, 'blocker', 'a.eml'), Buffer.from('x')));
  await mkdir(join(dir, 'reports', 'b.eml'));
  await t.rejects(writeAtomically(join(dir, 'reports', 'b.eml'), Buffer.from('x')));
});

t.test('the configuration says which key is wrong', async (t) => {
  const smtp = { host: 'relay.example.com' };
  const wrong = [
    [{ smtp }, 'to: '],
    [{ to: ['a@b\r\nBcc: x@y'] }, 'to[0]: '],
    [{ timezone: 'Mars/Olympus' }, 'timezone: '],
    [{ publicUrl: 'javascript:alert(1)' }, 'publicUrl: '],
    [{ to: ['a@b.c'], smtp: { ...smtp, user: 'x' } }, 'smtp.passwordFile: '],
    [{ to: ['a@b.c'], smtp: { ...smtp, user: 'x', passwordFile: '/p', secure: 'none' } }, 'smtp.secure: '],
    [{ to: ['a@b.c', 'A@b.c'] }, 'to: '],
    [{ local: 'en' }, 'local: '],
  ] as const;
  for (const [value, start] of wrong) {
    const parsed = parseWith(ReportConfig, value);
    const errors = 'errors' in parsed ? parsed.errors.map(describeField) : [];
    t.ok(errors[0]?.startsWith(start), `${JSON.stringify(value)}: ${errors.join()}`);
  }
  const parsed = ReportConfig.parse({ to: ['ops@localhost'], smtp });
  t.match(parsed, { locale: 'zh-CN', to: ['ops@localhost'], smtp: { secure: 'starttls' } });
  t.equal(ReportConfig.parse({}).timezone, new Intl.DateTimeFormat().resolvedOptions().timeZone);
});
