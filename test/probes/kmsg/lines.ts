// The log of a kernel for tests: written lines as records, an engine with what it told, and the corpora of test/fixtures/kmsg.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  emptyState,
  openEngine,
  type Engine,
  type EngineState,
  type Problem,
} from '../../../src/probes/kmsg/engine.ts';
import type { Rule } from '../../../src/probes/kmsg/rule.ts';
import { RULES } from '../../../src/probes/kmsg/rules/index.ts';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures', 'kmsg');

interface Written {
  readonly severity?: number;
  readonly facility?: number;
  readonly usec?: number;
  readonly caller?: string;
  readonly flag?: string;
  readonly seq?: number;
  /** Lines below the text, as ` DEVICE=b8:0`. */
  readonly below?: string;
}

interface TestLog {
  readonly engine: Engine;
  readonly state: EngineState;
  readonly problems: Problem[];
  /** Takes a line: the next number, a millisecond later, unless said. */
  say(text: string, about?: Written): void;
  counts(): Readonly<Record<string, number>>;
}

interface LogOptions {
  readonly rules?: readonly Rule[];
  readonly facilities?: readonly number[];
  readonly perMinute?: number;
  readonly state?: EngineState;
  readonly onProblem?: (problem: Problem) => void;
}

/** Times are those since the boot, in milliseconds. */
export function openTestLog(options: LogOptions = {}): TestLog {
  const { rules = RULES, facilities = [0], perMinute = 1000, state = emptyState() } = options;
  const problems: Problem[] = [];
  const onProblem = options.onProblem ?? ((problem: Problem): void => void problems.push(problem));
  const engine = openEngine(state, { rules, facilities, perMinute, onProblem });
  let seq = (state.seq ?? -1) + 1;
  let usec = seq * 1000;
  return {
    engine,
    state,
    problems,
    say(text, about = {}) {
      seq = about.seq ?? seq;
      usec = about.usec ?? usec;
      const bytes = record(text, { ...about, seq, usec });
      engine.take(bytes, bytes.length, (at) => Math.round(at / 1000));
      seq += 1;
      usec += 1000;
    },
    counts: () => Object.fromEntries([...state.counts].map(([reason, { count }]) => [reason, count])),
  };
}

/** As /dev/kmsg gives it, with what is not printable escaped. */
export function record(text: string, about: Written): Buffer {
  const { severity = 4, facility = 0, seq = 0, usec = 0, flag = '-', caller, below = '' } = about;
  const escaped = [...Buffer.from(text)]
    .map((byte) =>
      byte < 0x20 || byte >= 0x7f || byte === 0x5c
        ? `\\x${byte.toString(16).padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
  const head = `${facility * 8 + severity},${seq},${usec},${flag}${caller === undefined ? '' : `,caller=${caller}`}`;
  return Buffer.from(`${head};${escaped}\n${below}`);
}

export interface CorpusLine {
  readonly where: string;
  readonly reasons: readonly string[];
  readonly fields: readonly (readonly [string, string])[];
  readonly severity: number | undefined;
  readonly text: string;
}

/** The written lines of a file; its README says how they are written. */
export function corpus(file: string): readonly CorpusLine[] {
  return readFileSync(join(FIXTURES, file), 'utf8')
    .split('\n')
    .flatMap((line, at) => {
      if (line === '' || line.startsWith('#')) return [];
      const bar = line.indexOf(' | ');
      const [reasons = '', ...words] = line.slice(0, bar).split(' ');
      const severity = words.find((word) => /^\d$/.test(word));
      return [
        {
          where: `${file}:${at + 1}`,
          reasons: reasons === '-' ? [] : reasons.split(','),
          fields: words
            .filter((word) => word.includes('='))
            .map((word) => {
              const equals = word.indexOf('=');
              return [word.slice(0, equals), word.slice(equals + 1).replaceAll('_', ' ')] as const;
            }),
          severity: severity === undefined ? undefined : Number(severity),
          text: line.slice(bar + 3),
        },
      ];
    });
}

const files = (): readonly string[] => readdirSync(FIXTURES).filter((file) => file.endsWith('.txt'));
export const writtenFiles = (): readonly string[] => files().filter((file) => !file.startsWith('recorded-'));
export const recordedFiles = (): readonly string[] => files().filter((file) => file.startsWith('recorded-'));

/** The records of a recorded log. */
export function recorded(file: string): readonly Buffer[] {
  const records: string[] = [];
  for (const line of readFileSync(join(FIXTURES, file), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith(' ')) records.push(`${records.pop() ?? ''}${line}\n`);
    else records.push(`${line}\n`);
  }
  return records.map((text) => Buffer.from(text));
}
