import t from 'tap';
import { Fault } from '../../../src/base/fault.ts';
import { parseTextFormat } from '../../../src/probes/host/text-format.ts';
import { BAD, GOOD } from '../../support/text-format-texts.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const LIMITS = { samples: 1000, labelLength: 64 };
const parse = (text: string) => parseTextFormat(text, LIMITS);
/** `series value` of each sample. */
const samples = (text: string): readonly string[] =>
  parse(text).flatMap((family) => family.samples.map(({ series, value }) => `${series} ${value}`));

t.test('families keep their help and type, and a histogram or summary its parts', async (t) => {
  const text = `# HELP jobs_total Jobs, \\\\ and\\nmore.
# TYPE jobs_total counter
jobs_total{queue="a"} 3
jobs_total{queue="b"} 4
# A comment.
#TYPE temperature GAUGE
temperature -1.5e1
plain 1
# HELP rpc_seconds RPCs.
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.5"} 2
rpc_seconds_sum 10
rpc_seconds_count 5
# TYPE size_bytes histogram
size_bytes_bucket{le="1"} 1
size_bytes_bucket{le="+Inf"} 2
size_bytes_sum 3
size_bytes_count 2
# TYPE never_written gauge
`;
  t.same(
    parse(text).map(({ name, help, type, samples }) => [name, help, type, samples.length]),
    [
      ['jobs_total', 'Jobs, \\ and\nmore.', 'counter', 2],
      ['temperature', undefined, 'gauge', 1],
      ['plain', undefined, 'untyped', 1],
      ['rpc_seconds', 'RPCs.', 'summary', 3],
      ['size_bytes', undefined, 'histogram', 4],
    ],
  );
});

t.test('what the format allows is read, and the same series is always the same text', async (t) => {
  for (const [text, expected] of GOOD) t.same([...samples(text)].sort(), [...expected].sort(), JSON.stringify(text));
});

t.test('what the format does not allow is refused whole, and the line is named', async (t) => {
  for (const [text, message] of BAD) {
    t.throws(() => parse(text), { code: 'JD_BAD_TEXTFILE', message }, JSON.stringify(text.slice(0, 80)));
  }
  t.throws(() => parseTextFormat('a 1\nb 1\nc 1\n', { ...LIMITS, samples: 2 }), {
    message: /^line 3: more than 2 series/,
  });
});

t.test('long label values are cut, those that differ behind the cut stay two series', async (t) => {
  const [one, two] = ['1', '2'].map((end) => `a{x="${'x'.repeat(100)}${end}"} 1\n`);
  const [family] = parse(`${one}${two}`);
  t.equal(family?.cut, 2);
  t.equal(family?.samples.length, 2);
  t.ok(family?.samples.every(({ series }) => series.length < 75));
});

t.test('no text makes it throw anything but its own fault, or take a series twice', async (t) => {
  t.comment(`FUZZ_SEED=${FUZZ_SEED}`);
  const next = random();
  const seeds = [...GOOD, ...BAD.slice(0, -1)].map(([text]) => Buffer.from(text));
  const whole = Buffer.concat(GOOD.map(([text]) => Buffer.from(text.replaceAll(/\b[a-e]\b/g, (c) => c.repeat(3)))));
  let accepted = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const seed = round % 4 === 0 ? whole : (seeds[Math.floor(next() * seeds.length)] ?? whole);
    const text = mutate(seed, next).toString('utf8');
    try {
      const read = samples(text).map((sample) => sample.slice(0, sample.lastIndexOf(' ')));
      accepted += 1;
      if (new Set(read).size !== read.length) t.fail(`a series twice: ${JSON.stringify(text)}`);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'JD_BAD_TEXTFILE') throw error;
    }
  }
  t.ok(accepted > 1000, `${accepted} texts were accepted`);
});
