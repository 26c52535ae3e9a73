// W3C trace context by its own rules (https://www.w3.org/TR/trace-context-2/).
import t from 'tap';
import {
  childTrace,
  currentTrace,
  parseTrace,
  parseTracestate,
  traceHeaders,
  withinTrace,
} from '../../src/tracing/context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

t.test('traceparent is taken only as the specification has it', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['version 00', `00-${TRACE}-${SPAN}-01`, true],
    ['version 00 with more', `00-${TRACE}-${SPAN}-01-what`, false],
    ['version 00 with a final dash', `00-${TRACE}-${SPAN}-01-`, false],
    ['a future version', `cc-${TRACE}-${SPAN}-01`, true],
    ['a future version with more', `cc-${TRACE}-${SPAN}-01-what-else`, true],
    ['a future version with more, not separated', `cc-${TRACE}-${SPAN}-01.what`, false],
    ['version ff', `ff-${TRACE}-${SPAN}-01`, false],
    ['a version of one digit', `0-${TRACE}-${SPAN}-01`, false],
    ['a version that is not hexadecimal', `.0-${TRACE}-${SPAN}-01`, false],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`, false],
    ['a zero trace id', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
    ['a zero span id', `00-${TRACE}-${'0'.repeat(16)}-01`, false],
    ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`, false],
    ['a long span id', `00-${TRACE}-${SPAN}0-01`, false],
    ['flags of one digit', `00-${TRACE}-${SPAN}-1`, false],
    ['flags that are not hexadecimal', `00-${TRACE}-${SPAN}-.0`, false],
    ['no flags', `00-${TRACE}-${SPAN}`, false],
    ['two headers, joined', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, false],
    ['white space', ` 00-${TRACE}-${SPAN}-01`, false],
    ['nothing', '', false],
  ];
  for (const [what, header, valid] of cases) {
    const parsed = parseTrace(header);
    if (valid) t.match(parsed, { traceId: TRACE, spanId: SPAN, flags: 1 }, what);
    else t.equal(parsed, undefined, what);
  }
  t.equal(parseTrace(`00-${TRACE}-${SPAN}-ff`)?.flags, 3, 'known flags are kept, unknown ones dropped');
  t.equal(parseTrace(`00-${TRACE}-${SPAN}-00`)?.flags, 0);
});

t.test('tracestate is kept as it came or dropped whole', async (t) => {
  const long = 'x'.repeat(256);
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['one member', 'congo=t61rcWkgMzE', 'congo=t61rcWkgMzE'],
    ['two headers with white space', 'foo=1 , \tbar=2', 'foo=1,bar=2'],
    ['empty members', 'foo=1,,bar=2', 'foo=1,bar=2'],
    ['a tenant', 'fw529a3039@dt=FfAzl', 'fw529a3039@dt=FfAzl'],
    ['a key that starts with a digit', '1a=2', '1a=2'],
    ['the longest key', `${long}=1`, `${long}=1`],
    ['a key too long', `x${long}=1`, undefined],
    ['the longest value', `a=${long}`, `a=${long}`],
    ['a value too long', `a=x${long}`, undefined],
    ['an upper-case key', 'Foo=1', undefined],
    ['no value', 'foo', undefined],
    ['an empty value', 'foo=', undefined],
    ['an equals sign in the value', 'foo=b=c', undefined],
    ['a key twice', 'foo=1,foo=2', undefined],
    ['a tenant too long', `${'t'.repeat(242)}@v=1`, undefined],
    ['a system too long', `t@${'v'.repeat(15)}=1`, undefined],
    [
      '32 members',
      Array.from({ length: 32 }, (_, i) => `a${i}=1`).join(','),
      Array.from({ length: 32 }, (_, i) => `a${i}=1`).join(','),
    ],
    ['33 members', Array.from({ length: 33 }, (_, i) => `a${i}=1`).join(','), undefined],
  ];
  for (const [what, text, is] of cases) t.equal(parseTracestate(text), is, what);
  t.match(
    parseTrace(`00-${TRACE}-${SPAN}-01`, 'Bad=1'),
    { traceId: TRACE },
    'a wrong tracestate leaves traceparent as it is',
  );
  t.equal(parseTrace('wrong', 'foo=1'), undefined, 'without traceparent, tracestate counts for nothing');
});

t.test('a call continues the trace of the handler it is made in', async (t) => {
  const outer = parseTrace(`00-${TRACE}-${SPAN}-01`, 'foo=1');
  if (outer === undefined) throw new Error('a valid header was refused');
  const child = await withinTrace(outer, async () => {
    await new Promise((resolve) => void setImmediate(resolve));
    return childTrace(currentTrace());
  });
  t.match(child, { traceId: TRACE, state: 'foo=1' });
  t.not(child.spanId, SPAN);
  t.equal(traceHeaders(child)['traceparent'], `00-${TRACE}-${child.spanId}-01`);
  t.equal(currentTrace(), undefined);
  t.match(childTrace(undefined), { traceId: /^[0-9a-f]{32}$/, flags: 1 });
});
