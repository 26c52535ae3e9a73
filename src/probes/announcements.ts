// Announces reads that can block for ever on an inherited pipe, and watches the other end of it for those that do.
import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { systemCode } from '../base/fault.ts';
import { systemClock, type Clock } from './clock.ts';

/** What a collector is about to read; the target `''` is its whole collection. */
export interface Announced {
  readonly collector: string;
  readonly target: string;
}

/** The probe process' end. Nesting is allowed; the calls never throw. */
export interface Announcements {
  begin(announced: Announced, deadlineMs: number): void;
  end(): void;
}

export const SILENT: Announcements = { begin() {}, end() {} };

const MAX_UNSENT = 64 * 1024;

/**
 * Writes announcements to a pipe: `+<milliseconds> ["collector","target"]` before a read and `-` after it.
 * What a full pipe does not take is sent before the next line; a pipe that stays full or is closed is given up.
 */
export function announceTo(fd: number, write: (fd: number, bytes: Buffer) => number = writeSync): Announcements {
  let unsent = Buffer.alloc(0);
  let broken = false;
  const send = (line: string): void => {
    if (broken) return;
    unsent = Buffer.concat([unsent, Buffer.from(line)]);
    try {
      while (unsent.length > 0) unsent = unsent.subarray(write(fd, unsent));
    } catch (error) {
      broken = systemCode(error) !== 'EAGAIN' || unsent.length > MAX_UNSENT;
    }
  };
  return {
    begin: ({ collector, target }, deadlineMs) => send(`+${deadlineMs} ${JSON.stringify([collector, target])}\n`),
    end: () => send('-\n'),
  };
}

interface Entry extends Announced {
  readonly deadline: number;
}

/** What is being read now, outermost first. */
export type Reading = readonly Entry[];

const MAX_DEPTH = 1000;

/** The reading after one line at `now`. A line that is none of the protocol changes nothing. */
export function follow(reading: Reading, line: string, now: number): Reading {
  if (line === '-') return reading.slice(0, -1);
  const match = /^\+(\d{1,9}) (.+)$/.exec(line);
  if (match === null || reading.length >= MAX_DEPTH) return reading;
  const announced = parsePair(match[2] ?? '');
  return announced === undefined ? reading : [...reading, { ...announced, deadline: now + Number(match[1]) }];
}

function parsePair(json: string): Announced | undefined {
  try {
    const pair: unknown = JSON.parse(json);
    if (!Array.isArray(pair)) return undefined;
    const [collector, target] = pair as readonly unknown[];
    return typeof collector === 'string' && typeof target === 'string' ? { collector, target } : undefined;
  } catch {
    return undefined;
  }
}

/** The innermost read whose deadline has passed. */
export const overdue = (reading: Reading, now: number): Announced | undefined =>
  reading.findLast((entry) => entry.deadline <= now);

/** A path has at most 4096 bytes, of which JSON makes at most six characters each. */
const MAX_LINE = 32 * 1024;

/** After a deadline the pipe is read once more: a watcher that was itself held up has not seen what waits in it. */
const GRACE_MS = 100;
/** What comes within so long is read at once: a round of collections is some hundred lines, each of which would wake this process. */
const TOGETHER_MS = 50;

interface HangWatch {
  /** Called once, with the innermost read that outlived its deadline; the process is to be killed then. */
  readonly onHang: (collector: string, target: string) => void;
  readonly clock?: Clock;
}

/** Watches the announcements of one process. Ends with the stream; returns what ends it before. */
export function watchAnnouncements(stream: Readable, { onHang, clock = systemClock }: HangWatch): () => void {
  let reading: Reading = [];
  let rest = '';
  let confirming = false;
  let cancel = (): void => {};
  let cancelResume = (): void => {};
  let stopped = false;

  const arm = (confirm: boolean): void => {
    cancel();
    confirming = confirm;
    if (reading.length === 0) return;
    const earliest = Math.min(...reading.map((entry) => entry.deadline)) - clock.uptime();
    cancel = clock.after(confirm ? GRACE_MS : Math.max(0, earliest), () => {
      stream.resume();
      const hang = overdue(reading, clock.uptime());
      if (hang === undefined || !confirm) return arm(hang !== undefined);
      stop();
      onHang(hang.collector, hang.target);
    });
  };
  const onData = (chunk: Buffer | string): void => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    const now = clock.uptime();
    for (const line of lines) reading = follow(reading, Buffer.from(line, 'latin1').toString('utf8'), now);
    if (!confirming || overdue(reading, now) === undefined) arm(false);
    process.nextTick(pause);
  };
  /** Once all that was there is read. */
  const pause = (): void => {
    if (stopped) return;
    stream.pause();
    cancelResume();
    cancelResume = clock.after(TOGETHER_MS, () => stream.resume());
  };
  const stop = (): void => {
    stopped = true;
    cancel();
    cancelResume();
    stream.off('data', onData).off('end', stop).off('close', stop).off('error', stop);
    stream.resume().on('error', () => {});
  };
  stream.on('data', onData).on('end', stop).on('close', stop).on('error', stop);
  return stop;
}
