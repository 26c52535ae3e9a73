// Objects are found in any pieces, and what would fill the memory is refused.
import t from 'tap';
import { openSplitter } from '../../../src/drivers/ovsdb/splitter.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const LIMITS = { bytes: 4096, depth: 8 };

/** The objects in `text`, given in pieces of `size` bytes. */
function split(text: string | Buffer, size: number, limits = LIMITS): readonly string[] {
  const splitter = openSplitter(limits);
  const found: string[] = [];
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size)
    splitter.push(bytes.subarray(at, at + size), (object) => found.push(object.toString('utf8')));
  return found;
}

const CASES = [
  ['nothing', '', []],
  ['one', '{"a":1}', ['{"a":1}']],
  ['two without anything between them', '{"a":1}{"b":[{}]}', ['{"a":1}', '{"b":[{}]}']],
  ['space and lines between them', ' \n{"a":1}\r\n\t{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ['braces in strings', '{"a":"}{"}{"]":"["}', ['{"a":"}{"}', '{"]":"["}']],
  [
    'quotes and backslashes in strings',
    String.raw`{"a":"\"}\\"}{"b":"\\\""}`,
    [String.raw`{"a":"\"}\\"}`, String.raw`{"b":"\\\""}`],
  ],
  ['characters of several bytes', '{"桥":"ⓑ𝄞"}{}', ['{"桥":"ⓑ𝄞"}', '{}']],
  ['one that has not ended', '{"a":1}{"b":', ['{"a":1}']],
] as const;

for (const [what, text, expected] of CASES)
  t.test(`${what}: found in pieces of every size`, async (t) => {
    for (let size = 1; size <= Math.max(1, Buffer.byteLength(text)); size += 1) t.same(split(text, size), expected);
  });

t.test('what is no row of objects is refused', async (t) => {
  for (const text of ['[1]', 'x', '{}x', '}', '"{}"', '{}]', '\0{}'])
    for (const size of [1, 100]) t.throws(() => split(text, size), { code: 'JD_OVS_GARBLED' }, text);
});

t.test('an answer that is too large or too deep is refused as soon as it is', async (t) => {
  const splitter = openSplitter({ bytes: 1024, depth: 4 });
  const piece = Buffer.from(`{"a":"${'x'.repeat(500)}`);
  splitter.push(piece, () => t.fail('nothing ended'));
  t.throws(() => splitter.push(Buffer.alloc(600, 'x'), () => {}), {
    code: 'JD_OVS_GARBLED',
    message: /larger than 1024/,
  });
  t.throws(() => split('{"a":'.repeat(9), 3), { message: /deeper than 8/ });
  t.throws(() => split(`{"a":${'['.repeat(1_000_000)}`, 65536, { bytes: 1e9, depth: 64 }), {
    message: /deeper than 64/,
  });
  t.same(
    split(`{"a":"${'x'.repeat(4096 - 8)}"}`, 64),
    [`{"a":"${'x'.repeat(4096 - 8)}"}`],
    'the limit itself is allowed',
  );
  t.throws(() => split(`{"a":"${'x'.repeat(4096 - 7)}"}`, 64), { message: /larger/ });
});

t.test(`broken bytes give the same in one piece as byte by byte, seed ${FUZZ_SEED}`, async (t) => {
  const next = random();
  const seeds = CASES.map(([, text]) => Buffer.from(text + text));
  const outcome = (bytes: Buffer, size: number): readonly string[] => {
    const found: string[] = [];
    const splitter = openSplitter(LIMITS);
    try {
      for (let at = 0; at < bytes.length; at += size)
        splitter.push(bytes.subarray(at, at + size), (object) => found.push(object.toString('latin1')));
    } catch (error) {
      found.push((error as { code: string }).code);
    }
    return found;
  };
  for (let round = 0; round < 3000; round += 1) {
    const bytes = mutate(seeds[round % seeds.length] as Buffer, next);
    const whole = outcome(bytes, bytes.length + 1);
    const size = 1 + Math.floor(next() * 7);
    const same = JSON.stringify(whole) === JSON.stringify(outcome(bytes, size));
    if (!same) t.fail(`pieces of ${size}: ${JSON.stringify(bytes.toString('latin1'))}`);
  }
  t.pass('3000 rounds');
});
