// How values, foreign names and reasons are written in findings.
import { formatBytes, formatRatio, formatSeconds } from '../base/units.ts';
import type { Facts } from './check.ts';
import type { Localized, Observation, Unit } from './model.ts';

export const both = (zh: string, en: string): Localized => ({ 'zh-CN': zh, en });

const MAX_NAME = 120;
const MAX_EVIDENCE = 200;
const MAX_ITEMS = 8;

/** A foreign name on one line: control and direction characters become `?`, and it is cut at 120 characters. */
export function plain(text: string, max = MAX_NAME): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');
  return clean.length <= max ? clean : `${clean.slice(0, max - 1)}…`;
}

/** Evidence within its bounds: 8 facts of 200 characters. */
export const clipEvidence = (evidence: readonly string[]): readonly string[] =>
  evidence.slice(0, MAX_ITEMS).map((fact) => plain(fact, MAX_EVIDENCE));

/** A foreign name as one word of a shell command, or undefined when it cannot be shown safely. */
export function shellWord(text: string): string | undefined {
  if (text === '' || text.startsWith('-') || plain(text, 4096) !== text) return undefined;
  return /^[\w./@:+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `91%`. */
export const percent = (ratio: number): string => formatRatio(ratio).replace(' ', '');

/** A number of at most two decimals: `1.5`, `12`. */
export const decimal = (value: number): string => String(Number(value.toFixed(2)));

/** A value with its unit. */
export function quantity(value: number, unit: Unit): string {
  switch (unit) {
    case 'ratio':
      return percent(value);
    case 'bytes':
      return formatBytes(value);
    case 'seconds':
      return formatSeconds(value);
    default:
      return decimal(value);
  }
}

/** Why a metric has no value, as an observation of `target`. */
export function absent(facts: Facts, metric: string, target: string): Observation {
  const source = facts.source(metric);
  const name = source?.name ?? '';
  const gone = (verdict: 'unknown' | 'skipped', reason: Localized): Observation => ({
    target,
    value: undefined,
    missing: { verdict, reason },
    evidence: [`metric=${metric}`, ...(source === undefined ? [] : [`collector=${name} ${source.state}`])],
  });
  if (facts.samples(metric) !== undefined) {
    return gone('skipped', both(`本机没有这一项 (${metric})`, `this host has no such thing (${metric})`));
  }
  if (source === undefined) {
    return gone('skipped', both(`没有采集器提供 ${metric} (已停用)`, `no collector writes ${metric} (switched off)`));
  }
  const why = source.error === undefined ? '' : plain(source.error.message);
  if (source.error?.reason === 'absent') {
    return gone('skipped', both(`内核未提供:${why}`, `not offered by this kernel: ${why}`));
  }
  switch (source.state) {
    case 'waiting':
      return gone('unknown', both(`采集器 ${name} 尚未返回数据`, `collector ${name} has not answered yet`));
    case 'stale':
      return gone('unknown', both(`采集器 ${name} 数据已过期`, `collector ${name} is stale`));
    default:
      return gone('unknown', both(`采集器 ${name} 失败:${why}`, `collector ${name} failed: ${why}`));
  }
}
