// `--locale`: the language of findings and reports.
import { Option } from 'commander';
import { LOCALES } from '../inspector/index.ts';

export const localeOption = (): Option =>
  new Option('--locale <locale>', 'language of findings and reports').choices(LOCALES).default('en');
