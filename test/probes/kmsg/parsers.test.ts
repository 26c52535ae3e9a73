// Records, the prefilter and the literals of patterns: the parsers of foreign bytes.
import t from 'tap';
import { crossesLines, literalsOf } from '../../../src/probes/kmsg/literals.ts';
import { openPrefilter } from '../../../src/probes/kmsg/prefilter.ts';
import { dictionaryOf, emptyHead, parseHead, textOf } from '../../../src/probes/kmsg/record.ts';
import { random as seeded } from '../../support/random.ts';
import { record } from './lines.ts';

const read = (text: string | Buffer) => {
  const bytes = Buffer.from(text);
  const head = emptyHead();
  if (!parseHead(bytes, bytes.length, head)) return undefined;
  const { from, to, ...rest } = head;
  return { ...rest, text: textOf(bytes, { from, to }), below: dictionaryOf(bytes, bytes.length, head) };
};

t.test('a record is read as the kernel documents it', async (t) => {
  t.same(read('7,160,424069,-;pci_root PNP0A03:00: host bridge\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n'), {
    severity: 7,
    facility: 0,
    seq: 160,
    usec: 424069,
    flag: '-',
    caller: '',
    text: 'pci_root PNP0A03:00: host bridge',
    below: { SUBSYSTEM: 'acpi', DEVICE: '+acpi:PNP0A03:00' },
  });
  t.match(read('30,339,5140900,-,caller=T1;NET: Registered\n'), { severity: 6, facility: 3, caller: 'T1' });
  t.match(read('6,1,0,c,caller=C2;begins'), { flag: 'c', caller: 'C2', text: 'begins' });
  t.match(read('6,1,0,+;goes on\n'), { flag: '+', text: 'goes on' });
  t.match(read('6,1,0,-,more=of,caller=T9,later;text;with, all\n'), { caller: 'T9', text: 'text;with, all' });
});

t.test('what is escaped comes back: UTF-8, line feeds, backslashes, anything', async (t) => {
  for (const text of ['größe 内核', 'two\nlines', 'a\\x41b', '\x00\x1b[31m', 'plain'])
    t.equal(read(record(text, {}))?.text, text);
});

t.test('what is no record is refused, and nothing breaks', async (t) => {
  for (const text of [
    '',
    ';',
    '6',
    '6,',
    '6,1,2',
    '6,1,2,-',
    'x,1,2,-;t',
    '6,,2,-;t',
    '6,1,99999999999999999999,-;t',
    '-1,1,1,-;t',
  ])
    t.equal(read(text), undefined, text);
  const random = seeded();
  const head = emptyHead();
  for (let round = 0; round < 3000; round += 1) {
    const bytes = record(`Killed process ${round} (x) total-vm`, { seq: round, below: ' DEVICE=b8:0\n' });
    for (let flips = 0; flips < 3; flips += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const length = Math.floor(random() * (bytes.length + 1));
    if (!parseHead(bytes, length, head)) continue;
    t.ok(head.from <= length && head.to <= length && head.from <= head.to + 1, 'the text is within the record');
    textOf(bytes, head);
    dictionaryOf(bytes, length, head);
  }
});

t.test('the prefilter finds what indexOf finds, in any line', async (t) => {
  const random = seeded();
  const letters = 'abcd ';
  const word = (length: number): string =>
    Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('');
  const literals = Array.from({ length: 60 }, () => [word(4 + Math.floor(random() * 4)), word(5)]);
  const prefilter = openPrefilter(literals);
  for (let round = 0; round < 3000; round += 1) {
    const line = word(Math.floor(random() * 120));
    const padded = Buffer.from(`abcd${line}abcd`);
    const expected = literals.flatMap((texts, owner) => (texts.some((text) => line.includes(text)) ? [owner] : []));
    t.same([...prefilter.scan(padded, 4, padded.length - 4)], expected, JSON.stringify(line));
  }
  t.throws(() => openPrefilter([['abc']]), /shorter than 4/);
});

t.test('a literal is only what every match must contain', async (t) => {
  const table: readonly (readonly [string, readonly string[] | undefined])[] = [
    [String.raw`Killed process \d+ (.+) total-vm:\d+kB, anon-rss:\d+kB`, ['Killed process ']],
    [String.raw`task [\S ]+:\w+ blocked for more than \w+ seconds\.`, [' blocked for more than ']],
    [String.raw`unregister_netdevice: waiting for \w+ to become free. Usage`, ['unregister_netdevice: waiting for ']],
    ['abcdef|ghijkl', ['abcdef', 'ghijkl']],
    ['abcdef|x', undefined],
    ['(abcdef)', undefined],
    ['abcde?f', ['abcd']],
    ['abcde{0,3}fghijk', ['fghijk']],
    ['abcde*', ['abcd']],
    [String.raw`\[Hardware Error\]: x`, ['[Hardware Error]: x']],
    [String.raw`\d\w\s\bword\x41\p{Greek}`, ['word']],
    ['[]abcdef]ghij', ['ghij']],
    ['[^a[:alpha:]bcdef]ghij', ['ghij']],
    ['(?i)abcdef', undefined],
    [String.raw`\Qabcdef\E`, undefined],
    ['.*', undefined],
    ['((a|b)(c|[)d]))efgh', ['efgh']],
    ['^abcd$', ['abcd']],
  ];
  for (const [pattern, literals] of table) t.same(literalsOf(pattern), literals, pattern);
});

t.test('a pattern that can match a line feed is known', async (t) => {
  for (const pattern of [String.raw`a\nb`, String.raw`a\sb`, 'a[^b]c', '(?s)a.b', String.raw`\D`, String.raw`\W`])
    t.ok(crossesLines(pattern), pattern);
  for (const pattern of ['a.b', String.raw`task [\S ]+:\w+`, String.raw`\d+kB.*`, 'a$'])
    t.notOk(crossesLines(pattern), pattern);
});
