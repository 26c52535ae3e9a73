// One report in one language, everything that is stored and mailed: subject, text, HTML, the full HTML, CSV.
import type { Locale, ReportInput } from '../inspector/index.ts';
import { renderCsv } from './csv.ts';
import { buildModel, type ModelOptions } from './model.ts';
import type { LocaleTemplates } from './templates.ts';

export interface Rendering {
  readonly locale: Locale;
  readonly subject: string;
  readonly text: string;
  /** What the mail shows; at most about 80 KB, so that no client clips it. */
  readonly html: string;
  /** Every problem and every target, for the attachment. */
  readonly fullHtml: string;
  readonly csv: string;
}

/** Renders a report. Throws a Fault when a template does not fit the model. */
export function renderReport(
  input: ReportInput,
  templates: LocaleTemplates,
  options: Omit<ModelOptions, 'full'>,
): Rendering {
  const model = buildModel(input, options);
  return {
    locale: options.locale,
    subject: templates['subject.txt.hbs'](model).replaceAll(/\s+/g, ' ').trim(),
    text: templates['report.txt.hbs'](model).replaceAll(/[ \t]+$/gm, ''),
    html: templates['report.html.hbs'](model),
    fullHtml: templates['report.html.hbs'](buildModel(input, { ...options, full: true })),
    csv: renderCsv(input, options.locale, options.timeZone),
  };
}
