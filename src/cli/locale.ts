// `--locale`: the language of findings and reports.
import { Option } from 'commander';
import type { Locale } from '../inspector/index.ts';

const LOCALES = ['zh-CN', 'en'] as const satisfies readonly Locale[];

export const localeOption = (): Option =>
  new Option('--locale <locale>', 'language of findings and reports').choices(LOCALES).default('en');
