// The sample lines of one family as bytes outside of the heap: what did not change since the last collection is taken
// over in one piece, so that a collection costs what changed.
import type { Metric } from './collector.ts';
import { formatValue, seriesText } from './sample-text.ts';
import type { Series } from './series.ts';

interface Page {
  bytes: Buffer;
  length: number;
}

const FIRST_BYTES = 256;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
/** A UTF-16 unit becomes at most three bytes. */
const BYTES_PER_UNIT = 3;
const LONGEST_VALUE = 32;

const emptyPage = (): Page => ({ bytes: Buffer.allocUnsafeSlow(FIRST_BYTES), length: 0 });

/** Two pages: the one of the last collection is read while the other one is written. */
export class FamilyText {
  readonly metric: Metric;
  samples = 0;
  #before = emptyPage();
  #now = emptyPage();
  /** What of the page before is to be taken over next. */
  #from = 0;
  #to = 0;

  constructor(metric: Metric) {
    this.metric = metric;
  }

  /** Begins a collection anew. */
  begin(): void {
    this.samples = 0;
    this.#now.length = 0;
    this.#from = 0;
    this.#to = 0;
  }

  /** Adds the line of a lasting series. `known`: it stands in the page of the collection before. */
  set(series: Series, value: number, known: boolean): void {
    this.samples += 1;
    if (known && Object.is(series.value, value)) {
      if (series.at !== this.#to || this.#from === this.#to) {
        this.#takeOver();
        this.#from = series.at;
      }
      this.#to = series.at + series.lineBytes;
      series.at += this.#now.length - this.#from;
      return;
    }
    this.#takeOver();
    const at = this.#now.length;
    if (known) this.#copy(series.at, series.at + series.headBytes);
    else series.headBytes = this.#head(seriesText(this.metric.name, this.metric.labels ?? [], series.labelValues));
    this.#value(value);
    series.at = at;
    series.lineBytes = this.#now.length - at;
    series.value = value;
  }

  /** The lines of this collection; the view is valid until the next but one begins. */
  finish(): Buffer {
    const unchanged = this.#now.length === 0 && this.#from === 0 && this.#to === this.#before.length;
    if (!unchanged) {
      this.#takeOver();
      [this.#before, this.#now] = [this.#now, this.#before];
    }
    return this.#before.bytes.subarray(0, this.#before.length);
  }

  #takeOver(): void {
    if (this.#from === this.#to) return;
    this.#copy(this.#from, this.#to);
    this.#from = this.#to;
  }

  #copy(from: number, to: number): void {
    this.#reserve(to - from);
    this.#before.bytes.copy(this.#now.bytes, this.#now.length, from, to);
    this.#now.length += to - from;
  }

  #reserve(bytes: number): void {
    const { bytes: old, length } = this.#now;
    if (length + bytes <= old.length) return;
    this.#now.bytes = Buffer.allocUnsafeSlow(Math.max(old.length * 2, length + bytes));
    old.copy(this.#now.bytes, 0, 0, length);
  }

  #head(head: string): number {
    this.#reserve(head.length * BYTES_PER_UNIT);
    const written = this.#now.bytes.write(head, this.#now.length, 'utf8');
    this.#now.length += written;
    return written;
  }

  #value(value: number): void {
    this.#reserve(LONGEST_VALUE);
    const page = this.#now;
    const { bytes } = page;
    bytes[page.length] = SPACE;
    page.length += 1;
    if (value >= 0 && Number.isSafeInteger(value)) this.#digits(value);
    else page.length += bytes.write(formatValue(value), page.length, 'latin1');
    bytes[page.length] = NEWLINE;
    page.length += 1;
  }

  #digits(value: number): void {
    const page = this.#now;
    let count = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) count += 1;
    page.length += count;
    let rest = value;
    for (let at = page.length - 1; count > 0; at -= 1, count -= 1) {
      page.bytes[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}
