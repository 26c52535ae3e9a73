// The templates a user may edit: found, compiled and checked, with file and line when one is broken.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { Fault, explain, faultKind, systemCode } from '../base/fault.ts';
import { LOCALES, type Locale } from '../inspector/index.ts';
import { colour } from './colours.ts';
import type { ReportModel } from './model.ts';
import { clip, pad, wrap } from './width.ts';

const TEMPLATE_BROKEN = faultKind(
  'JD_REPORT_TEMPLATE',
  500,
  'correct the named line of the template, or remove the file to use the built-in one',
);

const TEMPLATE_FILES = ['subject.txt.hbs', 'report.txt.hbs', 'report.html.hbs'] as const;
type TemplateFile = (typeof TEMPLATE_FILES)[number];

type Render = (model: ReportModel) => string;

/** The three templates of one language. */
export type LocaleTemplates = Readonly<Record<TemplateFile, Render>>;
export type Templates = Readonly<Record<Locale, LocaleTemplates>>;

/** Columns of the text report: what a terminal and an old mail reader show without folding. */
const TEXT_COLUMNS = 78;
const MAX_BYTES = 256 * 1024;

const numberOr = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

/**
 * The helpers: `{{#wrap indent=3}}…{{/wrap}}` folds its block at 78 columns, later lines indented,
 * at most `lines` of them;
 * `{{pad text 8}}` cuts or fills to a column width; `{{colour kind "ink"}}` is an `ink`, `tint` or `fill`.
 */
function engine(): typeof Handlebars {
  const handlebars = Handlebars.create();
  handlebars.registerHelper('wrap', function (this: unknown, options: Handlebars.HelperOptions) {
    const block = options.fn(this).replaceAll(/\s*\n\s*/g, ' ');
    const lines = wrap(block, TEXT_COLUMNS, numberOr(options.hash['indent'], 0));
    const most = numberOr(options.hash['lines'], lines.length);
    return lines.length <= most
      ? lines.join('\n')
      : [...lines.slice(0, most - 1), clip(`${lines[most - 1] ?? ''} …`, TEXT_COLUMNS)].join('\n');
  });
  handlebars.registerHelper('pad', (text: unknown, columns: unknown, options: Handlebars.HelperOptions) => {
    const width = numberOr(columns, 0);
    return pad(clip(String(text), width), width, options.hash['left'] === true ? 'left' : 'right');
  });
  handlebars.registerHelper('colour', (kind: unknown, shade: unknown) => colour(kind, shade));
  return handlebars;
}

/**
 * Compiles one template. HTML is escaped by default, text is not. A name the report does not have is an error,
 * as is an unknown helper. Throws and renders with a Fault that names `file` and the line.
 */
export function compileTemplate(source: string, file: string, escape: boolean): Render {
  const handlebars = engine();
  const options = { noEscape: !escape, strict: true, knownHelpersOnly: true, knownHelpers: HELPERS };
  try {
    handlebars.precompile(source, options);
  } catch (error) {
    throw broken(file, error);
  }
  const template = handlebars.compile<ReportModel>(source, options);
  return (model) => {
    try {
      return template(model);
    } catch (error) {
      throw broken(file, error);
    }
  };
}

const HELPERS = { wrap: true, pad: true, colour: true };

/** Handlebars says `Parse error on line 5` or ends its message in ` - 5:12`. */
function broken(file: string, error: unknown): Fault {
  const message = explain(error);
  const line =
    /\bline (\d+)/.exec(message)?.[1] ??
    / - (\d+):\d+$/.exec(message)?.[1] ??
    (error as { lineNumber?: number }).lineNumber;
  const where = line === undefined ? file : `${file}:${line}`;
  return new Fault(TEMPLATE_BROKEN, `the template ${where} is broken: ${message.split('\n')[0]}`, { cause: error });
}

async function readTemplate(directory: string, builtIn: string, name: string): Promise<readonly [string, string]> {
  for (const file of new Set([join(directory, name), join(builtIn, name)])) {
    try {
      const source = await readFile(file, 'utf8');
      if (Buffer.byteLength(source) > MAX_BYTES)
        throw new Fault(TEMPLATE_BROKEN, `the template ${file} is larger than ${MAX_BYTES} bytes`);
      return [file, source];
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (systemCode(error) === 'ENOENT') continue;
      throw new Fault(TEMPLATE_BROKEN, `the template ${file} cannot be read`, { cause: error });
    }
  }
  throw new Fault(TEMPLATE_BROKEN, `there is no template ${join(builtIn, name)}`);
}

/**
 * Loads all templates of `directory`; what is missing there is taken from `builtIn`.
 * Rejects with a Fault that names file and line of the first broken one.
 */
export async function loadTemplates(directory: string, builtIn: string = directory): Promise<Templates> {
  const load = async (locale: Locale): Promise<readonly [Locale, LocaleTemplates]> => {
    const renders = await Promise.all(
      TEMPLATE_FILES.map(async (name): Promise<readonly [TemplateFile, Render]> => {
        const [file, source] = await readTemplate(directory, builtIn, join(locale, name));
        return [name, compileTemplate(source, file, name.endsWith('.html.hbs'))];
      }),
    );
    return [locale, Object.fromEntries(renders) as LocaleTemplates];
  };
  return Object.fromEntries(await Promise.all(LOCALES.map(load))) as Templates;
}
