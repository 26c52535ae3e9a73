// What an answer of ovs-vswitchd says: values of declared metrics. And small ways to declare these.
import type { Metric, SampleWriter } from '../collector.ts';

export interface Reading {
  readonly metric: Metric;
  readonly value: number;
  readonly labels: readonly string[];
}

type More = Pick<Metric, 'unit' | 'labels'>;

export const gauge = (name: string, source: string, help: string, more: More = {}): Metric => ({
  name,
  help,
  source,
  type: 'gauge',
  ...more,
});
export const counter = (name: string, source: string, help: string, more: More = {}): Metric => ({
  name,
  help,
  source,
  type: 'counter',
  ...more,
});

/** Writes what is known; undefined is not written. */
export function write(out: SampleWriter, { name }: Metric, value: number | undefined, labels: readonly string[]): void {
  if (value !== undefined) out.add(name, value, ...labels);
}

/** Digits as a number; undefined for anything else. */
export const whole = (digits: string | undefined): number | undefined =>
  digits !== undefined && /^\d{1,20}$/.test(digits) ? Number(digits) : undefined;

/** Answers hold a line for each port, bond or thread; what is beyond this many lines is left out. */
const MOST_LINES = 100_000;

export const linesOf = (text: string): readonly string[] => text.split('\n', MOST_LINES);
