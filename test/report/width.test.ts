import t from 'tap';
import { clip, displayWidth, pad, wrap } from '../../src/report/width.ts';
import { random } from '../support/random.ts';

t.test('Chinese takes two columns, marks take none', async (t) => {
  const table = [
    ['', 0],
    ['disk', 4],
    ['磁盘将满', 8],
    ['✖1 ▲2 ?3', 8],
    ['，。（）', 8],
    ['e\u0301', 1],
    ['a\u200bb', 2],
    ['▁▂▃█', 4],
    ['𠮷', 2],
  ] as const;
  for (const [text, width] of table) t.equal(displayWidth(text), width, JSON.stringify(text));
});

t.test('padding and clipping count columns', async (t) => {
  t.equal(pad('内存', 6), '内存  ');
  t.equal(pad('7', 3, 'left'), '  7');
  t.equal(pad('内存', 2), '内存');
  t.equal(clip('磁盘将满', 8), '磁盘将满');
  t.equal(clip('磁盘将满', 7), '磁盘将…');
  t.equal(clip('disk', 3), 'di…');
});

t.test('lines break at spaces and between Chinese characters, and continue indented', async (t) => {
  t.same(wrap('one two three', 7, 2), ['one two', '  three']);
  t.same(wrap('磁盘将满', 4), ['磁盘', '将满']);
  t.same(wrap('磁盘满。', 6), ['磁盘', '满。'], 'a full stop does not begin a line');
  t.same(wrap('/var/lib/containers', 8), ['/var/lib', '/contain', 'ers'], 'a word no line can hold is cut');
  t.same(wrap('down 4 h 48 m', 8), ['down 4 h', '48 m'], 'a number is not parted from its unit');
  t.same(wrap('   lead', 20, 5), ['   lead'], 'the first line keeps its own lead');
});

t.test('no line is wider than asked and no text is lost, whatever the text', async (t) => {
  const next = random();
  const alphabet = [...'ab /.-—磁盘满，。（）%9', '𠮷', '\u0301'];
  for (let round = 0; round < 400; round += 1) {
    const text = Array.from(
      { length: Math.floor(next() * 90) },
      () => alphabet[Math.floor(next() * alphabet.length)],
    ).join('');
    const columns = 8 + Math.floor(next() * 70);
    const lines = wrap(text, columns, 3);
    // Closing punctuation stays with what it closes, and may then hang over by its own width.
    for (const line of lines)
      t.ok(displayWidth(line) <= columns, `${displayWidth(line)} <= ${columns}: ${JSON.stringify(line)}`);
    t.equal(lines.join('').replaceAll(/\s/g, ''), text.replaceAll(/\s/g, ''));
  }
});
