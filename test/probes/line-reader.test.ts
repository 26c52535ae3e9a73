// Lines read again and again: each is found by its own head, whatever came before it last time.
import t from 'tap';
import { LineReader } from '../../src/probes/line-reader.ts';
import { FUZZ_SEED, random } from '../support/random.ts';

const read = (reader: LineReader<string>, text: string): [string, number][] => {
  const got: [string, number][] = [];
  reader.read(Buffer.from(text), (line, value) => got.push([line, value]));
  return got;
};

t.test('what comes again is known without being looked up', async (t) => {
  const asked: string[] = [];
  const reader = new LineReader((head) => {
    asked.push(head);
    return head;
  });
  const text = 'm{a="x y"} 1\nm{a="中"} 2.5\n';
  t.same(read(reader, text), [
    ['m{a="x y"}', 1],
    ['m{a="中"}', 2.5],
  ]);
  t.same(read(reader, text), read(reader, text));
  t.same(read(reader, 'm{a="x y"} +Inf\nm{a="中"} 100\n'), [
    ['m{a="x y"}', Number.NaN],
    ['m{a="中"}', 100],
  ]);
  t.same(read(reader, 'm{a="中"} 7\n'), [['m{a="中"}', 7]]);
  t.same(asked, ['m{a="x y"}', 'm{a="中"}']);
});

t.test(`lines that come, go and change are read as if they were new, seed ${FUZZ_SEED}`, async (t) => {
  const next = random();
  const reader = new LineReader((head) => head);
  let lines = Array.from({ length: 200 }, (_, i) => `m{a="${i}"}`);
  let made = 200;
  const values = new Map<string, number>();
  for (let round = 0; round < 500; round += 1) {
    if (next() < 0.3) lines = lines.filter(() => next() < 0.98);
    if (next() < 0.3) lines.splice(Math.floor(next() * lines.length), 0, `m{a="${(made += 1)}"}`);
    if (next() < 0.02) lines.sort(() => next() - 0.5);
    const busy = next() < 0.5 ? 0.01 : 0.5;
    const wanted = lines.map((line): [string, number] => {
      if (!values.has(line) || next() < busy)
        values.set(line, [7, 1e300, 0.25, -1, 2 ** 60][Math.floor(next() * 5)] ?? 0);
      return [line, values.get(line) ?? 0];
    });
    const got = read(reader, wanted.map(([line, value]) => `${line} ${value}\n`).join(''));
    if (JSON.stringify(got) !== JSON.stringify(wanted)) t.same(got, wanted, `round ${round}`);
  }
});
