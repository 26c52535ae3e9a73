import t from 'tap';
import { LOCALES, isFinding, type ReportInput } from '../../src/inspector/index.ts';
import { buildModel } from '../../src/report/model.ts';
import { foldProblems } from '../../src/report/problems.ts';
import { renderReport } from '../../src/report/render.ts';
import { loadTemplates } from '../../src/report/templates.ts';
import { displayWidth } from '../../src/report/width.ts';
import { random } from '../support/random.ts';
import { SAMPLES, ZONE, randomInput } from './samples.ts';
import { TEMPLATES } from './setup.ts';

const zh = (input: ReportInput) => buildModel(input, { locale: 'zh-CN', timeZone: ZONE });

t.test('the first report says that there is no yesterday and which checks wait', async (t) => {
  const model = zh(SAMPLES.first);
  t.match(model.first, /没有昨日/);
  t.equal(model.changes, undefined);
  t.equal(model.subject.delta, undefined);
  t.same(
    model.waiting?.rows.map((row) => row.code),
    ['DISK_FILLING', 'FD_LEAK'],
  );
});

t.test('one cause on several targets is one line, led by the worst', async (t) => {
  const [first] = zh(SAMPLES.bad).actions?.lines ?? [];
  t.match(first, { mark: '✖1', code: 'DISK_FULL', times: 3, tag: '新增' });
  t.match(first?.line, /\/export/);
  t.match(first?.also, /\/data1 91 % \(限 85 %\)、\/data2 88 % \(限 85 %\)/);
});

t.test('at most seven actions, and the rest is counted', async (t) => {
  const { actions, subject } = zh(SAMPLES.bad);
  t.equal(actions?.lines.length, 7);
  t.equal(actions?.rest, '其余 1 项 ?1 见附件 report.html 与 findings.csv');
  t.equal(subject.marks, '✖1 ▲6 ?1');
  t.equal(buildModel(SAMPLES.bad, { locale: 'zh-CN', timeZone: ZONE, full: true }).actions?.rest, undefined);
});

t.test('what is muted is listed with its end and reason, and is no problem', async (t) => {
  const { muted, actions } = zh(SAMPLES.bad);
  t.same(muted?.rows, [{ title: '探针开销', until: '等到 11-24 18:00', reason: 'OPS-1187' }]);
  t.notOk(actions?.lines.some((line) => line.code === 'SELF_COST'));
});

t.test('a value that is back within its limit is recovering, not good', async (t) => {
  const [line] = zh(SAMPLES.recovering).actions?.lines ?? [];
  t.match(line, { tag: '恢复中', recovering: '恢复中：连续 2 次回到限值之内' });
});

t.test('a partial run without findings is unknown and not green', async (t) => {
  const run = { ...SAMPLES.green.run, state: 'partial' as const, missing: [{ 'zh-CN': '存储', en: 'storage' }] };
  const model = zh({ ...SAMPLES.green, run });
  t.match(model, { kind: 'unknown', green: false, subject: { marks: '?' } });
});

t.test('the counts reconcile in any report', async (t) => {
  const next = random();
  for (let round = 0; round < 200; round += 1) {
    const input = randomInput(next);
    const model = zh(input);
    const { coverage, matrix, actions } = model;
    const problems = foldProblems(input.run.results, input.change);
    t.equal(coverage.checked, coverage.ok + coverage.abnormal + coverage.unknown + coverage.skipped);
    t.equal(coverage.checked, input.run.results.length);
    for (const key of ['checked', 'ok', 'abnormal', 'unknown', 'skipped'] as const)
      t.equal(
        matrix.cells.reduce((sum, cell) => sum + cell[key], 0),
        coverage[key],
        `the matrix sums to ${key}`,
      );
    t.equal(
      problems.reduce((sum, p) => sum + p.findings.length, 0),
      input.run.results.filter(isFinding).length,
    );
    const marks = [...model.subject.marks.matchAll(/\d+/g)].reduce((sum, [n]) => sum + Number(n), 0);
    t.equal(marks, problems.length, 'the subject counts the problems');
    const folded = [...(actions?.folded ?? '').matchAll(/\d+/g)].map(([n]) => Number(n));
    const [abnormal = 0, unknown = 0, , muted = 0] = folded;
    if (actions !== undefined)
      t.equal(abnormal + unknown + muted, coverage.abnormal + coverage.unknown, actions.folded);
    t.ok((actions?.lines.length ?? 0) <= 7);
    t.equal(coverage.percent === '100 %', coverage.unknown === 0 && coverage.checked > coverage.skipped);
    const bar = coverage.bar.reduce((sum, part) => sum + part.percent, 0);
    t.ok(coverage.checked === 0 ? bar === 0 : bar === 100, `the bar is whole: ${bar}`);
  }
});

t.test('any report renders within its bounds, in both languages', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  const next = random();
  for (let round = 0; round < 40; round += 1) {
    const input = randomInput(next);
    for (const locale of LOCALES) {
      const { subject, text, html } = renderReport(input, templates[locale], { locale, timeZone: ZONE });
      t.notMatch(subject, /[\r\n]/);
      for (const line of text.split('\n')) t.ok(displayWidth(line) <= 78, line);
      t.ok(Buffer.byteLength(html) <= 80 * 1024, `${Buffer.byteLength(html)} bytes`);
      t.notMatch(html, /<script|\u202e/);
    }
  }
});
