// Files of /proc/net/stat: a head that names the columns, and a row of hexadecimal numbers for each CPU.
import { eachLine, hexadecimal, unexpected, words } from './text.ts';

export interface NetStat {
  /** Of the whole table; every row has the same number. */
  readonly entries: number;
  /** The columns that were asked for, by CPU; 32 bits each. Undefined: this kernel has no such column. */
  readonly rows: readonly (readonly (number | undefined)[])[];
}

/**
 * Parses such a file (net/netfilter/nf_conntrack_standalone.c, net/core/neighbour.c). The columns differ between kernels;
 * the first is the number of entries. `file` names it in errors.
 */
export function parseNetStat(file: string, text: string, wanted: readonly string[]): NetStat {
  let columns: readonly number[] | undefined;
  let width = 0;
  let entries: number | undefined;
  const rows: (number | undefined)[][] = [];
  const number = (line: string, cell: string | undefined): number => {
    const value = hexadecimal(cell);
    if (value === undefined) throw unexpected(file, line);
    return value;
  };
  eachLine(text, (line) => {
    const cells = words(line);
    if (columns === undefined) {
      if (cells[0] !== 'entries') throw unexpected(file, line);
      columns = wanted.map((name) => cells.indexOf(name));
      width = cells.length;
      return;
    }
    if (cells.length !== width) throw unexpected(file, line);
    entries ??= number(line, cells[0]);
    rows.push(columns.map((column) => (column === -1 ? undefined : number(line, cells[column]))));
  });
  if (entries === undefined) throw unexpected(file, text);
  return { entries, rows };
}
