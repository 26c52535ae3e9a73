// Numbers and words of the kernel's text.
import t from 'tap';
import { decimal, eachLine, unexpected, unsigned, words } from '../../../src/probes/kernel/text.ts';

t.test('only digits are an unsigned integer', async (t) => {
  for (const [word, value] of [
    ['0', 0],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9223372036854775807', 9223372036854775807],
    ['18446744073709551615', 18446744073709551615],
    ['123456789012345678901', undefined],
    ['', undefined],
    [' 1', undefined],
    ['1 ', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['1.5', undefined],
    ['٣', undefined],
    [undefined, undefined],
  ] as const) {
    t.equal(unsigned(word), value, JSON.stringify(word));
  }
});

t.test('a decimal has digits on both sides of one point', async (t) => {
  for (const [word, value] of [
    ['0.42', 0.42],
    ['12', 12],
    ['.5', undefined],
    ['5.', undefined],
    ['1.2.3', undefined],
    ['1.-2', undefined],
    ['nan', undefined],
    [undefined, undefined],
  ] as const) {
    t.equal(decimal(word), value, JSON.stringify(word));
  }
});

t.test('words are separated by any blanks', async (t) => {
  t.same(words('  a\t b  '), ['a', 'b']);
  t.same(words('   '), []);
  t.same(words(''), []);
});

t.test('lines come without line feeds, empty ones not at all', async (t) => {
  const seen: string[] = [];
  eachLine('a\n\nb\nno line feed', (line) => seen.push(line));
  t.same(seen, ['a', 'b', 'no line feed']);
});

t.test('a fault quotes a bounded part of the line', async (t) => {
  const fault = unexpected('/proc/stat', 'x'.repeat(5000));
  t.match(fault.message, '/proc/stat');
  t.ok(fault.message.length < 200);
});
