// The HTML report as people see it: in Chromium, at both widths, light and dark, in both languages.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import t from 'tap';
import { LOCALES } from '../../src/inspector/index.ts';
import { renderReport } from '../../src/report/render.ts';
import { loadTemplates } from '../../src/report/templates.ts';
import { needs } from '../support/needs.ts';
import { openBrowser, showHtml } from './browser.ts';
import { SAMPLES, ZONE } from './samples.ts';
import { SCHEMES, WIDTHS } from './screenshots.ts';
import { TEMPLATES } from './setup.ts';

const skip = needs('chromium');

interface Seen {
  readonly overflow: number;
  readonly texts: number;
  readonly faint: readonly string[];
}

/** Runs in the page, so it is plain JavaScript. */
const LOOK = await readFile(join(import.meta.dirname, 'look.js'), 'utf8');

t.test('the HTML report fits a phone and a desk, and can be read in light and dark', { skip }, async (t) => {
  const templates = await loadTemplates(TEMPLATES);
  const browser: Browser = await openBrowser();
  t.teardown(() => browser.close());
  for (const name of ['first', 'green', 'bad', 'recovering'] as const)
    for (const locale of LOCALES)
      for (const width of WIDTHS)
        for (const scheme of SCHEMES) {
          const { html } = renderReport(SAMPLES[name], templates[locale], {
            locale,
            timeZone: ZONE,
            link: 'https://jdos.example.com/r',
          });
          const page = await showHtml(browser, html, width, scheme);
          const seen = await page.evaluate<Seen>(LOOK);
          await page.context().close();
          const what = `${name} ${locale} ${width} ${scheme}`;
          t.ok(seen.overflow <= 0, `${what}: ${seen.overflow} px too wide`);
          t.ok(seen.texts > 20, `${what}: ${seen.texts} texts`);
          t.same(seen.faint, [], `${what}: contrast`);
        }
});
