// Logs of containers as they lie on disk: from the start, the tail, on and on, over a rotation, binary, without an end.
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decodeDockerLines } from '../../../src/orchestrator/node/docker-lines.ts';
import { parseCursor, writeCursor } from '../../../src/orchestrator/node/log-cursor.ts';
import { openLogFile } from '../../../src/orchestrator/node/log-file.ts';
import { PIECE_BYTES, type PieceRequest, readPiece } from '../../../src/orchestrator/node/log-reader.ts';
import { mutate, random } from '../../support/random.ts';

type Format = 'raw' | 'docker-json';

const fileIn = (t: Test, content: string | Buffer): string => {
  const dir = mkdtempSync(join(tmpdir(), 'jd-log-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'main.log');
  writeFileSync(path, content);
  return path;
};

const docker = (log: string, second = 0): string =>
  `${JSON.stringify({ log, stream: 'stdout', time: `2026-11-22T08:00:0${second}.000000001Z` })}\n`;

const ask = (path: string, format: Format, more: Partial<PieceRequest> = {}): PieceRequest => ({
  file: { path, format },
  attempt: 0,
  cursor: undefined,
  timestamps: false,
  ...more,
});

/** Reads until there is no more. */
async function readAll(path: string, format: Format, more: Partial<PieceRequest> = {}): Promise<Buffer> {
  const out: Buffer[] = [];
  for (let request = ask(path, format, more); ;) {
    const { data, cursor, atEnd } = await readPiece(request);
    out.push(data);
    if (atEnd) return Buffer.concat(out);
    request = { ...request, cursor };
  }
}

t.test('the tail is found from behind', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`);
  const raw = fileIn(t, lines.join(''));
  const json = fileIn(t, lines.map((line) => docker(line)).join(''));
  for (const [tailLines, want] of [
    [0, ''],
    [1, lines.slice(-1).join('')],
    [3, lines.slice(-3).join('')],
    [15_000, lines.slice(-15_000).join('')],
    [30_000, lines.join('')],
  ] as const) {
    t.equal((await readAll(raw, 'raw', { tailLines })).toString(), want, `raw, the last ${tailLines}`);
    t.equal((await readAll(json, 'docker-json', { tailLines })).toString(), want, `docker, the last ${tailLines}`);
  }
  const open = fileIn(t, 'one\ntwo\nthr');
  t.equal((await readAll(open, 'raw', { tailLines: 2 })).toString(), 'two\nthr', 'a line without an end is one');
});

t.test('a reader goes on where it was, also while a line is being written', async (t) => {
  const path = fileIn(t, docker('one\n') + docker('two\n').slice(0, 9));
  const first = await readPiece(ask(path, 'docker-json'));
  t.equal(first.data.toString(), 'one\n');
  appendFileSync(path, docker('two\n').slice(9) + docker('three\n'));
  const second = await readPiece(ask(path, 'docker-json', { cursor: first.cursor }));
  t.equal(second.data.toString(), 'two\nthree\n');
  t.same(parseCursor(writeCursor(second.cursor)), second.cursor);
});

t.test('nothing is lost or read twice over a rotation', async (t) => {
  for (const format of ['raw', 'docker-json'] as const) {
    const line = (text: string): string => (format === 'raw' ? text : docker(text));
    const path = fileIn(t, line('one\n') + line('two\n'));
    const first = await readPiece(ask(path, format));
    appendFileSync(path, line('three\n'));
    renameSync(path, `${path}.1`);
    writeFileSync(path, line('four\n'));
    t.equal((await readAll(path, format, { cursor: first.cursor })).toString(), 'three\nfour\n', format);
    t.equal((await readAll(path, format)).toString(), 'one\ntwo\nthree\nfour\n', `${format} from the start`);
    t.equal((await readAll(path, format, { tailLines: 2 })).toString(), 'three\nfour\n', `${format}, tail over both`);
  }
});

t.test('a file that was cut off is read from its start', async (t) => {
  const path = fileIn(t, 'one\ntwo\n');
  const { cursor } = await readPiece(ask(path, 'raw'));
  truncateSync(path);
  appendFileSync(path, 'new\n');
  t.equal((await readPiece(ask(path, 'raw', { cursor }))).data.toString(), 'new\n');
});

t.test('pieces are bounded, and bytes come as they are', async (t) => {
  const bytes = Buffer.alloc(PIECE_BYTES * 2 + 5, Buffer.from([0, 255, 10, 13, 128]));
  const path = fileIn(t, bytes);
  const first = await readPiece(ask(path, 'raw'));
  t.equal(first.data.length, PIECE_BYTES);
  t.equal(first.atEnd, false);
  t.ok((await readAll(path, 'raw')).equals(bytes));
});

t.test('long lines come in parts from docker, and are one line with one timestamp', async (t) => {
  const path = fileIn(t, docker('a'.repeat(16_384), 1) + docker('b\n', 2) + docker('c\n', 3));
  const text = (await readAll(path, 'docker-json', { timestamps: true })).toString();
  t.equal(text, `2026-11-22T08:00:01.000000001Z ${'a'.repeat(16_384)}b\n2026-11-22T08:00:03.000000001Z c\n`);
  const first = await readPiece(ask(fileIn(t, docker('aa', 1)), 'docker-json', { timestamps: true }));
  t.equal(first.data.toString(), '2026-11-22T08:00:01.000000001Z aa');
});

t.test('since leaves out what is older', async (t) => {
  const path = fileIn(t, [0, 1, 2, 3].map((second) => docker(`${second}\n`, second)).join(''));
  const since = Date.parse('2026-11-22T08:00:02Z');
  t.equal((await readAll(path, 'docker-json', { since })).toString(), '2\n3\n');
});

t.test('output without times says so instead of making some up', async (t) => {
  const path = fileIn(t, 'x\n');
  await t.rejects(readPiece(ask(path, 'raw', { timestamps: true })), { code: 'JD_LOG_WITHOUT_TIMES' });
  await t.rejects(readPiece(ask(path, 'raw', { since: 1 })), { code: 'JD_LOG_WITHOUT_TIMES' });
});

t.test('what is no file is not opened, and what is not there is empty', async (t) => {
  const path = fileIn(t, '');
  t.equal((await readPiece(ask(`${path}.absent`, 'raw'))).data.length, 0);
  execFileSync('mkfifo', [`${path}.pipe`]);
  t.equal(await openLogFile(`${path}.pipe`), undefined, 'a pipe does not make the agent wait');
});

t.test('broken JSON is given as it is, and never throws', async (t) => {
  const options = { timestamps: true, since: undefined, partial: false, most: PIECE_BYTES };
  t.equal(decodeDockerLines(Buffer.from('{"log":\nx\n'), options).data.toString(), '{"log":\nx\n');
  const next = random();
  const good = Buffer.from(docker('one\n') + docker('two'));
  for (let i = 0; i < 2000; i += 1) {
    const input = mutate(good, next);
    const { used } = decodeDockerLines(input, options);
    if (used > input.length || (used > 0 && input[used - 1] !== 10)) t.fail('more was used than there are lines');
  }
  t.equal(parseCursor('../../etc/passwd'), undefined);
});
