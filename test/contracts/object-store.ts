// What every object store keeps to; run by test/orchestrator/store for each adapter.
import t, { type Test } from 'tap';
import { Fault } from '../../src/base/fault.ts';
import type { AnyObject } from '../../src/orchestrator/objects/meta.ts';
import type { Guard, ObjectStore, Watch, WatchEvent } from '../../src/orchestrator/store/object-store.ts';
import { random } from '../support/random.ts';

export interface OpenedStore {
  readonly objects: ObjectStore;
  /** Makes everything that was written so far old enough to be forgotten by `compact`. */
  readonly age: () => void;
}

const key = (name: string): string => `/registry/core/pods/default/${name}`;
const PODS = '/registry/core/pods/';

export const object = (name: string, data: unknown = 0): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: `uid-${name}`, resourceVersion: '', creationTimestamp: '2026-11-22T08:00:00Z' },
  data,
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no fault',
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

const revision = ({ metadata }: AnyObject): number => Number(metadata.resourceVersion);

async function take(watch: Watch, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  while (events.length < count) {
    const batch = await watch.next(5000);
    if (batch === undefined || batch.length === 0) break;
    events.push(...batch);
  }
  return events;
}

export function honoursObjectStore(name: string, open: (t: Test) => Promise<OpenedStore>): void {
  t.test(`${name}: what was written is read as it is, with its revision`, async (t) => {
    const { objects } = await open(t);
    t.equal(await objects.get(key('a')), undefined);
    const made = await objects.create(key('a'), object('a'));
    t.same(await objects.get(key('a')), made);
    const changed = await objects.update(key('a'), { ...made, data: { deep: [1, null, 'é'] } });
    t.ok(revision(changed) > revision(made), 'revisions grow');
    t.same(await objects.get(key('a')), changed);
    await objects.remove(key('a'), changed);
    t.equal(await objects.get(key('a')), undefined);
  });

  t.test(`${name}: a write on top of a version that is no longer there is refused`, async (t) => {
    const { objects } = await open(t);
    const made = await objects.create(key('a'), object('a'));
    t.equal(await codeOf(objects.create(key('a'), object('a'))), 'JD_OBJECT_EXISTS');
    await objects.update(key('a'), { ...made, data: 1 });
    t.equal(await codeOf(objects.update(key('a'), { ...made, data: 2 })), 'JD_OBJECT_CONFLICT');
    t.equal(await codeOf(objects.remove(key('a'), made)), 'JD_OBJECT_CONFLICT');
    t.equal(await codeOf(objects.update(key('b'), object('b'))), 'JD_OBJECT_NOT_FOUND');
    t.equal(await codeOf(objects.remove(key('b'), object('b'))), 'JD_OBJECT_NOT_FOUND');
    t.equal((await objects.get(key('a')))?.['data'], 1);
  });

  t.test(`${name}: what is created depends on another object as it was seen`, async (t) => {
    const { objects } = await open(t);
    const space = await objects.create('/registry/core/namespaces/x', object('x'));
    const seen = (of: AnyObject): Guard => ({
      key: '/registry/core/namespaces/x',
      resourceVersion: of.metadata.resourceVersion,
    });
    const made = await objects.create(key('a'), object('a'), seen(space));
    t.ok(revision(made) > revision(space));
    t.equal(await codeOf(objects.create(key('a'), object('a'), seen(space))), 'JD_OBJECT_EXISTS');
    const changed = await objects.update('/registry/core/namespaces/x', { ...space, data: 1 });
    t.equal(await codeOf(objects.create(key('b'), object('b'), seen(space))), 'JD_OBJECT_CONFLICT');
    t.equal(await codeOf(objects.create(key('b'), object('b'), seen(changed))), 'no fault');
    await objects.remove('/registry/core/namespaces/x', changed);
    t.equal(await codeOf(objects.create(key('c'), object('c'), seen(changed))), 'JD_OBJECT_CONFLICT');
    await using watch = await objects.watch(PODS, 0);
    t.same(
      (await take(watch, 2)).map(({ key: at }) => at),
      [key('a'), key('b')],
      'what was refused is told to nobody',
    );
    t.same(await watch.next(10), []);
  });

  t.test(`${name}: large objects do not make the history large`, async (t) => {
    const { objects } = await open(t);
    let last = await objects.create(key('a'), object('a'));
    const first = revision(last);
    for (let i = 0; i < 100; i += 1) last = await objects.update(key('a'), { ...last, data: 'x'.repeat(600_000) });
    await objects.compact();
    t.equal(await codeOf(objects.watch(PODS, first)), 'JD_HISTORY_EXPIRED');
    await using watch = await objects.watch(PODS, revision(last) - 3);
    t.equal((await take(watch, 3)).length, 3, 'the newest are kept');
  });

  t.test(`${name}: of many writers who change the same version one succeeds`, async (t) => {
    const { objects } = await open(t);
    const made = await objects.create(key('a'), object('a'));
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => codeOf(objects.update(key('a'), { ...made, data: i }))),
    );
    t.equal(codes.filter((code) => code === 'no fault').length, 1);
    t.equal(codes.filter((code) => code === 'JD_OBJECT_CONFLICT').length, 19);
  });

  t.test(`${name}: lists are by key, in pages, and say which state they belong to`, async (t) => {
    const { objects } = await open(t);
    t.same(await objects.list(PODS), { items: [], revision: 0 });
    for (const one of ['c', 'a', 'b']) await objects.create(key(one), object(one));
    const other = await objects.create('/registry/core/podsX/default/z', object('z'));
    const all = await objects.list(PODS);
    t.same(
      all.items.map(({ metadata }) => metadata.name),
      ['a', 'b', 'c'],
    );
    t.equal(all.revision, revision(other));
    const first = await objects.list(PODS, { limit: 2 });
    t.same(
      first.items.map(({ metadata }) => metadata.name),
      ['a', 'b'],
    );
    const second = await objects.list(PODS, { limit: 2, after: first.next ?? '' });
    t.same(
      second.items.map(({ metadata }) => metadata.name),
      ['c'],
    );
    t.equal(second.next, undefined);
  });

  t.test(`${name}: a watch tells what changes, from a revision on, of its prefix only`, async (t) => {
    const { objects } = await open(t);
    const before = await objects.create(key('a'), object('a'));
    await using watch = await objects.watch(PODS, revision(before));
    const b = await objects.create(key('b'), object('b'));
    await objects.create('/registry/core/nodes/n', object('n'));
    const changed = await objects.update(key('b'), { ...b, data: 1 });
    await objects.remove(key('b'), changed);
    const events = await take(watch, 3);
    t.match(
      events.map(({ type, key: at, object: { data } }) => [type, at, data]),
      [
        ['ADDED', key('b'), 0],
        ['MODIFIED', key('b'), 1],
        ['DELETED', key('b'), 1],
      ],
    );
    t.equal(events[1]?.previous?.['data'], 0);
    t.equal(Number(events[2]?.object.metadata.resourceVersion), events[2]?.revision, 'its end has a revision too');
    await using again = await objects.watch(PODS, revision(before));
    t.same(
      (await take(again, 3)).map(({ type, revision: at }) => [type, at]),
      events.map(({ type, revision: at }) => [type, at]),
      'the history tells the same',
    );
  });

  t.test(`${name}: a watch that is waited for returns empty after its time, and ends when it is closed`, async (t) => {
    const { objects } = await open(t);
    const watch = await objects.watch(PODS);
    t.same(await watch.next(10), []);
    const waiting = watch.next(60_000);
    await watch[Symbol.asyncDispose]();
    t.equal(await waiting, undefined);
    t.equal(await watch.next(10), undefined);
  });

  t.test(`${name}: a reader who does not read is ended, not fed without bound`, async (t) => {
    const { objects } = await open(t);
    const watch = await objects.watch(PODS);
    let last = await objects.create(key('a'), object('a'));
    for (let i = 0; i < 10_050; i += 1) last = await objects.update(key('a'), { ...last, data: i });
    t.equal(await watch.next(10), undefined);
  });

  t.test(`${name}: history that was forgotten is refused, and a list begins anew`, async (t) => {
    const { objects, age } = await open(t);
    const first = await objects.create(key('a'), object('a'));
    await objects.update(key('a'), { ...first, data: 1 });
    age();
    await objects.compact();
    t.equal(await codeOf(objects.watch(PODS, revision(first))), 'JD_HISTORY_EXPIRED');
    t.equal(await codeOf(objects.watch(PODS, 1_000_000)), 'JD_HISTORY_EXPIRED', 'nor is one that was never');
    const { items, revision: at } = await objects.list(PODS);
    t.equal(items[0]?.['data'], 1);
    await using watch = await objects.watch(PODS, at);
    const made = await objects.create(key('b'), object('b'));
    t.equal((await take(watch, 1))[0]?.revision, revision(made), 'and revisions go on growing');
  });

  t.test(`${name}: through 1000 writes and 50 broken watches nothing is lost or out of order`, async (t) => {
    const { objects } = await open(t);
    const next = random();
    const written: string[] = [];
    const seen: string[] = [];
    let done = false;
    const line = ({ type, revision: at, key: of }: Pick<WatchEvent, 'type' | 'revision' | 'key'>): string =>
      `${at} ${type} ${of}`;
    const reading = (async () => {
      let at = 0;
      let breaks = 0;
      while (!done || seen.length < written.length) {
        const watch = await objects.watch(PODS, at);
        const until = breaks < 50 ? 1 + Math.floor(next() * 30) : Number.POSITIVE_INFINITY;
        for (let got = 0; got < until;) {
          const batch = (await watch.next(200)) ?? [];
          // Broken in the middle of a batch: what was not taken is read again.
          for (const event of batch.slice(0, until - got)) {
            seen.push(line(event));
            at = event.revision;
          }
          got += batch.length;
          if (batch.length === 0 && done) break;
        }
        breaks += 1;
        await watch[Symbol.asyncDispose]();
      }
      return breaks;
    })();
    const living = new Map<string, AnyObject>();
    while (written.length < 1000) {
      const name = `p${Math.floor(next() * 20)}`;
      const has = living.get(name);
      if (has === undefined) {
        const made = await objects.create(key(name), object(name));
        living.set(name, made);
        written.push(line({ type: 'ADDED', revision: revision(made), key: key(name) }));
      } else if (next() < 0.2) {
        const gone = await objects.remove(key(name), has);
        living.delete(name);
        written.push(line({ type: 'DELETED', revision: revision(gone), key: key(name) }));
      } else {
        const changed = await objects.update(key(name), { ...has, data: written.length });
        living.set(name, changed);
        written.push(line({ type: 'MODIFIED', revision: revision(changed), key: key(name) }));
      }
    }
    done = true;
    const breaks = await reading;
    t.ok(breaks > 20, `the watch was broken ${breaks} times`);
    t.same(seen, written);
  });
}
