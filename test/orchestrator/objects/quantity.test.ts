// Quantities as Kubernetes reads them.
import t from 'tap';
import { parseBytes, parseMillicores, quantitySign } from '../../../src/orchestrator/objects/quantity.ts';

t.test('cpu is read in thousandths of a core, rounded up', async (t) => {
  const cases: readonly [string, number | undefined][] = [
    ['100m', 100],
    ['0.1', 100],
    ['1.1', 1100],
    ['2', 2000],
    ['.5', 500],
    ['1.', 1000],
    ['100u', 1],
    ['1n', 1],
    ['0', 0],
    ['-1', -1000],
    ['1e1', 10_000],
    ['1e-1', 100],
    ['1k', 1_000_000],
    ['', undefined],
    ['.', undefined],
    ['1 ', undefined],
    ['1cores', undefined],
    ['m', undefined],
    ['1e999', undefined],
    ['1'.repeat(80), undefined],
  ];
  for (const [text, want] of cases) t.equal(parseMillicores(text), want, JSON.stringify(text));
});

t.test('memory is read in bytes', async (t) => {
  const cases: readonly [string, number | undefined][] = [
    ['64Mi', 67_108_864],
    ['64M', 64_000_000],
    ['128974848', 128_974_848],
    ['129e6', 129_000_000],
    ['1.5Gi', 1_610_612_736],
    ['1Ki', 1024],
    ['100m', 1],
    ['64mb', undefined],
    ['64MB', undefined],
    ['64 Mi', undefined],
    ['64ki', undefined],
  ];
  for (const [text, want] of cases) t.equal(parseBytes(text), want, text);
});

t.test('the sign is known of the smallest', async (t) => {
  t.same(['-1m', '0', '1n', 'x', '-0'].map(quantitySign), [-1, 0, 1, undefined, 0]);
});
