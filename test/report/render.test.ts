import t from 'tap';
import { LOCALES } from '../../src/inspector/index.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderReport } from '../../src/report/render.ts';
import { loadTemplates } from '../../src/report/templates.ts';
import { displayWidth } from '../../src/report/width.ts';
import { golden } from '../support/golden.ts';
import { SAMPLES, ZONE } from './samples.ts';
import { TEMPLATES } from './setup.ts';

t.test('the reports people read are golden', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  for (const [name, input] of Object.entries(SAMPLES)) {
    for (const locale of LOCALES) {
      const rendering = renderReport(input, templates[locale], { locale, timeZone: ZONE });
      await golden(t, `report/${name}.${locale}.txt`, `Subject: ${rendering.subject}\n\n${rendering.text}`);
      await golden(t, `report/${name}.${locale}.html`, rendering.html);
      await golden(t, `report/${name}.${locale}.csv`, rendering.csv);
    }
    await golden(t, `report/${name}.json`, renderJson(`sample-${name}`, input, ZONE));
  }
});

t.test('the subject has the form that filters are written for', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  const subject = (name: keyof typeof SAMPLES, locale: (typeof LOCALES)[number]): string =>
    renderReport(SAMPLES[name], templates[locale], { locale, timeZone: ZONE }).subject;
  t.equal(subject('bad', 'zh-CN'), '✖1 ▲6 ?1 hb1-h031.example.com JDOS巡检邮件 11-23 36分(−51)');
  t.equal(subject('bad', 'en'), '✖1 ▲6 ?1 hb1-h031.example.com JDOS health report 11-23 score 36 (−51)');
  t.equal(subject('first', 'zh-CN'), '▲1 hb1-h031.example.com JDOS巡检邮件 11-23 95分');
  t.equal(subject('green', 'en'), '● hb1-h031.example.com JDOS health report 11-23 score 100 (±0)');
});

t.test('a green day is at most 12 lines and always says what was covered', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  const { run, change } = SAMPLES.bad;
  const gone = { added: [], worse: [], better: [], unchanged: [], gone: change?.gone ?? [] };
  const full = { ...SAMPLES.green, change: gone, run: { ...SAMPLES.green.run, waiting: run.waiting } };
  for (const input of [SAMPLES.green, full])
    for (const locale of LOCALES) {
      const link = `https://jdos.example.com/jdos/v1/reports/2026-11-23-daily-20261123-080000-7f3a?format=html`;
      const { text } = renderReport(input, templates[locale], { locale, timeZone: ZONE, link });
      const lines = text.trimEnd().split('\n');
      t.ok(lines.length <= 12, `${lines.length} lines`);
      t.match(text, /覆盖 100 %|Coverage 100 %/);
    }
});

t.test('no line of the text report is wider than 78 columns or ends in a space', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  for (const input of Object.values(SAMPLES))
    for (const locale of LOCALES)
      for (const line of renderReport(input, templates[locale], { locale, timeZone: ZONE }).text.split('\n')) {
        t.ok(displayWidth(line) <= 78, line);
        t.equal(line, line.trimEnd());
      }
});

t.test('every action of the samples states a number with its limit', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  const { text } = renderReport(SAMPLES.bad, templates['zh-CN'], { locale: 'zh-CN', timeZone: ZONE });
  const actions = text.split('\n').filter((line) => /^[✖▲]\d/.test(line));
  t.equal(actions.length, 7);
  for (const line of actions) t.match(line, /\d.*限/);
});

t.test('HTML needs no image, no script and little style', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  for (const locale of LOCALES) {
    const { html } = renderReport(SAMPLES.bad, templates[locale], { locale, timeZone: ZONE });
    t.match(html, `<html lang="${locale}"`);
    t.notMatch(html, /<img|<svg|<script|url\(|var\(|display:\s*flex/);
    for (const [, style] of html.matchAll(/<style>([\s\S]*?)<\/style>/g)) t.ok((style?.length ?? 0) <= 16 * 1024);
    for (const [, width] of html.matchAll(/ width="(\d+)"/g)) t.ok(Number(width) <= 640);
  }
});

t.test('a report without a public address has no link', async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  const { html, text } = renderReport(SAMPLES.bad, templates.en, { locale: 'en', timeZone: ZONE });
  t.notMatch(html.replace(/xmlns:\w+="[^"]+"/, ''), /href=|127\.0\.0\.1|localhost/);
  t.notMatch(text, /https?:/);
});
