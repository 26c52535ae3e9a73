// Chromium for looking at HTML reports: offline, headless, one page at a time.
import { chromium, type Browser, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: ARGS });

export type Scheme = 'light' | 'dark';

/** Shows HTML at a width in a colour scheme; nothing is loaded from anywhere. */
export async function showHtml(browser: Browser, html: string, width: number, scheme: Scheme): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    offline: true,
  });
  const page = await context.newPage();
  await page.setContent(html, { waitUntil: 'load' });
  return page;
}
