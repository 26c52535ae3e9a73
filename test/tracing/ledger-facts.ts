// Seeded facts of messages for the ledger's tests.
import { type Facts, FIELDS } from '../../src/tracing/ledger/facts.ts';

const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  ended: ['replied', 'failed', 'timed_out', 'cancelled'],
  written: [0, 1],
  traceId: ['a'.repeat(32), `${'a'.repeat(31)}b`],
  spanId: ['1'.repeat(16), '2'.repeat(16)],
  parentId: ['3'.repeat(16), '4'.repeat(16)],
};

/** A partial report on one of `ids`: each fact is there half of the time, and sometimes contradicts another report. */
export function someFacts(next: () => number, ids: readonly string[]): Facts {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  const facts: Record<string, unknown> = { id: pick(ids), attempt: Math.floor(next() * 2) };
  for (const [name, type] of FIELDS) {
    if (next() < 0.5) continue;
    facts[name] = pick(VALUES[name] ?? (type === 'TEXT' ? ['jdos-agent', 'ok', 'Z'] : [1, 2000, 3_000_000_000_000]));
  }
  return facts as Facts;
}

export function shuffled<T>(items: readonly T[], next: () => number): T[] {
  return items
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
