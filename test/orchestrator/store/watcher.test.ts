// What waits for a reader is bounded, by number and by size, and so is what is handed out at once.
import t from 'tap';
import type { WatchEvent } from '../../../src/orchestrator/store/object-store.ts';
import { openWatcher, type Watcher } from '../../../src/orchestrator/store/watcher.ts';

const change = (revision: number, key = '/a/x'): WatchEvent => ({
  type: 'MODIFIED',
  key,
  revision,
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', uid: 'u', resourceVersion: String(revision), creationTimestamp: '' },
  },
});

function open(): { watcher: Watcher; ends: () => number } {
  let ends = 0;
  const watcher = openWatcher('/a/', 0, () => (ends += 1));
  return { watcher, ends: () => ends };
}

t.test(
  'small changes come a hundred at a time, large ones a MiB at a time, and one that is larger alone',
  async (t) => {
    const { watcher } = open();
    const sizes = [...Array.from({ length: 150 }, () => 10), 600_000, 600_000, 600_000, 5_000_000, 1];
    sizes.forEach((bytes, i) => watcher.offer(change(i + 1), bytes));
    const batches: number[] = [];
    for (let batch = await watcher.next(1); batch !== undefined && batch.length > 0; batch = await watcher.next(1)) {
      batches.push(batch.length);
      t.equal(watcher.revision(), batch.at(-1)?.revision);
    }
    t.same(batches, [100, 51, 1, 1, 1, 1]);
  },
);

t.test('a reader who falls behind is let go of, by number or by size, and takes nothing with it', async (t) => {
  const many = open();
  for (let i = 1; i <= 10_001; i += 1) many.watcher.offer(change(i), 10);
  t.ok(many.watcher.ended());
  t.equal(await many.watcher.next(1), undefined);
  const large = open();
  for (let i = 1; i <= 33; i += 1) large.watcher.offer(change(i), 1024 * 1024);
  t.ok(large.watcher.ended());
  t.equal(await large.watcher.next(1), undefined);
  t.equal(large.ends(), 1);
  large.watcher.offer(change(34), 1);
  large.watcher.end();
  t.equal(large.ends(), 1);
  const reading = open();
  for (let i = 1; i <= 1000; i += 1) {
    reading.watcher.offer(change(i), 1024 * 1024);
    t.equal((await reading.watcher.next(1))?.length, 1);
  }
  t.notOk(reading.watcher.ended(), 'what was taken counts no more');
});

t.test('what is of no interest moves the bookmark, but not past what waits', async (t) => {
  const { watcher } = open();
  watcher.offer(change(1, '/b/x'), 1);
  t.equal(watcher.revision(), 1);
  watcher.offer(change(2), 1);
  watcher.offer(change(3, '/b/x'), 1);
  t.equal(watcher.revision(), 1);
  await watcher.next(1);
  t.equal(watcher.revision(), 2);
});
