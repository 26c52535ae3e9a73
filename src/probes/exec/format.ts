// How the kernel lays out its trace records: the `format` files of tracefs, and the header of a page of its ring buffer.
import { eachLine, unexpected, unsigned } from '../kernel/text.ts';

/** A field of a record, in bytes from the record's beginning. */
interface Field {
  readonly offset: number;
  readonly size: number;
}

/** One kind of event. */
export interface EventFormat {
  /** What its records begin with. */
  readonly id: number;
  readonly fields: ReadonlyMap<string, Field>;
}

/** `events/SYSTEM/EVENT/format` (Documentation/trace/events.rst). Throws a Fault for anything else. */
export function parseFormat(text: string): EventFormat {
  let id: number | undefined;
  const fields = new Map<string, Field>();
  eachLine(text, (line) => {
    if (line.startsWith('ID: ')) id = unsigned(line.slice(4));
    const [name, field] = parseField(line) ?? [];
    if (name !== undefined && field !== undefined) fields.set(name, field);
  });
  if (id === undefined || fields.size === 0) throw unexpected('format', text);
  return { id, fields };
}

/** How much a page of the ring buffer holds, and where its records begin, in bytes. */
export interface PageFormat {
  readonly dataAt: number;
  readonly bytes: number;
}

const LARGEST_PAGE = 1024 * 1024;

/** `events/header_page`. Throws a Fault for anything else. */
export function parsePageFormat(text: string): PageFormat {
  let data: Field | undefined;
  eachLine(text, (line) => {
    const [name, field] = parseField(line) ?? [];
    if (name === 'data') data = field;
  });
  if (data === undefined || data.size === 0 || data.size > LARGEST_PAGE) throw unexpected('header_page', text);
  return { dataAt: data.offset, bytes: data.offset + data.size };
}

/** `field:char comm[16];	offset:8;	size:16;	signed:0;` */
function parseField(line: string): readonly [string, Field] | undefined {
  const trimmed = line.trim();
  if (!trimmed.startsWith('field:')) return undefined;
  const [declared = '', offset, size] = trimmed.split(';').map((part) => part.trim());
  const name = declared.slice(declared.lastIndexOf(' ') + 1);
  const bracket = name.indexOf('[');
  const at = numberAfter('offset:', offset);
  const length = numberAfter('size:', size);
  if (at === undefined || length === undefined) return undefined;
  return [bracket === -1 ? name : name.slice(0, bracket), { offset: at, size: length }];
}

const numberAfter = (label: string, text: string | undefined): number | undefined =>
  text?.startsWith(label) === true ? unsigned(text.slice(label.length)) : undefined;
