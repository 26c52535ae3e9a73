// Samples as they were written, read back.
import { parseSeries, type MetricSample } from '../../src/probes/sample-text.ts';

/** The samples of lines that were written here; one whose value is no finite number is not known, and left out. */
export const parseSamples = (lines: string): readonly MetricSample[] =>
  lines.split('\n').flatMap((line) => {
    const space = line.lastIndexOf(' ');
    const value = Number(line.slice(space + 1));
    const name = space < 0 || !Number.isFinite(value) ? undefined : parseSeries(line.slice(0, space));
    return name === undefined ? [] : [{ labels: name.labels, value }];
  });
