// What the message ledger takes: rows per second, bytes per row, one reply's wait for its commit, and a look-up by id.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../src/base/logging.ts';
import { openLedger } from '../src/tracing/index.ts';
import { unixMicros } from '../src/tracing/clock.ts';
import type { Facts } from '../src/tracing/ledger/facts.ts';
import { newMessageId } from '../src/tracing/ledger/message-id.ts';
import { findMessage } from '../src/tracing/ledger/query.ts';
import { openLedgerStore } from '../src/tracing/ledger/store.ts';

const ROWS = 200_000;
const BATCH = 2000;
const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const bounds = { retentionDays: 7, maxBytes: 2 ** 32 };

const whole = (seq: number): Facts => {
  const sentAt = unixMicros();
  const traceId = newMessageId().replaceAll('-', '');
  return {
    id: newMessageId(),
    attempt: 0,
    caller: 'jdos-agent',
    service: 'jdos-serve',
    procedure: 'Probes::publish',
    encoding: 'json',
    peer: 'unix',
    instance: 'jdos-agent/4711-0a1b2c3d',
    calleeInstance: 'jdos-serve/4712-0a1b2c3d',
    traceId,
    spanId: traceId.slice(0, 16),
    seq,
    sentAt,
    deadlineAt: sentAt + 5_000_000,
    endedAt: sentAt + 900,
    ended: 'replied',
    code: 'ok',
    receivedAt: sentAt + 200,
    execStart: sentAt + 300,
    execEnd: sentAt + 500,
    repliedAt: sentAt + 600,
    calleeCode: 'ok',
    written: 1,
    requestBytes: 1200,
    replyBytes: 2,
  };
};
const quantile = (values: readonly number[], q: number): string =>
  `${([...values].sort((a, b) => a - b)[Math.floor(values.length * q)] ?? Number.NaN).toFixed(2)} ms`;

try {
  const store = await openLedgerStore({ dir: join(dir, 'rows'), now: Date.now, ...bounds });
  const ids: string[] = [];
  const began = performance.now();
  for (let row = 0; row < ROWS; row += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) => whole(row + i));
    ids.push(batch[0]?.id ?? '');
    await store.write(batch, []);
  }
  const seconds = (performance.now() - began) / 1000;
  const bytes = await store.retain();
  console.log(`messages: ${ROWS} whole rows in batches of ${BATCH}, synchronous=NORMAL`);
  console.log(`written            ${Math.round(ROWS / seconds)} rows/s, ${Math.round(bytes / ROWS)} bytes per row`);
  const looks: number[] = [];
  for (let i = 0; i < 1000; i += 1) {
    const from = performance.now();
    await findMessage({ store, marks: [], now: unixMicros() }, ids[i % ids.length] ?? '');
    looks.push(performance.now() - from);
  }
  console.log(`found by id        p50 ${quantile(looks, 0.5)}, p99 ${quantile(looks, 0.99)} among ${ROWS}`);
  await store[Symbol.asyncDispose]();

  const ledger = openLedger({
    dir: join(dir, 'commits'),
    config: bounds,
    services: ['bench'],
    log: openLog('bench', 'silent'),
    now: Date.now,
  });
  await ledger.start(new AbortController().signal);
  for (const side of [1, 64]) {
    const waits: number[] = [];
    const start = performance.now();
    await Promise.all(
      Array.from({ length: side }, async () => {
        for (let i = 0; i < 10_000 / side; i += 1) {
          const from = performance.now();
          await ledger.recorder.commit(whole(i));
          waits.push(performance.now() - from);
        }
      }),
    );
    const rate = Math.round(waits.length / ((performance.now() - start) / 1000));
    console.log(
      `commit, ${String(side).padStart(2)} at once ${rate}/s, a reply waits p50 ${quantile(waits, 0.5)}, p99 ${quantile(waits, 0.99)}`,
    );
  }
  await ledger.stop();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
