// Takes the pictures of docs/images: `node test/report/screenshots.ts` with Node 24 or newer and Chromium.
import { join } from 'node:path';
import { LOCALES } from '../../src/inspector/model.ts';
import { buildModel } from '../../src/report/model.ts';
import { loadTemplates } from '../../src/report/templates.ts';
import { openBrowser, showHtml } from './browser.ts';
import { SAMPLES, ZONE } from './samples.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const WIDTHS = [640, 390] as const;
export const SCHEMES = ['light', 'dark'] as const;

/** Writes one picture per language, width and colour scheme of the bad day. */
async function takeScreenshots(directory: string): Promise<void> {
  const templates = await loadTemplates(join(ROOT, 'templates', 'report'));
  const browser = await openBrowser();
  for (const locale of LOCALES) {
    const html = templates[locale]['report.html.hbs'](buildModel(SAMPLES.bad, { locale, timeZone: ZONE }));
    for (const width of WIDTHS)
      for (const scheme of SCHEMES) {
        const page = await showHtml(browser, html, width, scheme);
        await page.screenshot({ path: join(directory, `report-${locale}-${width}-${scheme}.png`), fullPage: true });
        await page.context().close();
      }
  }
  await browser.close();
}

if (import.meta.main) await takeScreenshots(join(ROOT, 'docs', 'images'));
