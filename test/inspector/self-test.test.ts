// The checks' own samples, and that a broken check is found out.
import t from 'tap';
import { checks } from '../../src/inspector/checks/index.ts';
import { selfTest } from '../../src/inspector/index.ts';
import { sampleFacts } from '../../src/inspector/self-test.ts';
import { LOCALES } from '../../src/inspector/model.ts';
import { contradiction } from '../../src/inspector/limits.ts';
import { judge } from '../../src/inspector/judge.ts';
import { limitsFor } from '../../src/inspector/limits.ts';
import { golden } from '../support/golden.ts';

const READ_ONLY = new Set([
  '',
  'cat',
  'du',
  'grep',
  'head',
  'jdos',
  'journalctl',
  'ls',
  'ps',
  'sort',
  'tail',
  'timedatectl',
  'uniq',
]);
const READS =
  /^(?:ovs-vsctl (?:--\S+ )*(?:find|list|show)|ovs-appctl (?:bond|dpctl)\/show|smartctl -a -n standby)(?: |$)/;

t.test('every check passes its self-test', async (t) => {
  for (const { code, ok, why } of selfTest()) t.ok(ok, `${code}: ${why}`);
});

t.test('a check that cannot fire, throws, or has no samples fails its self-test', async (t) => {
  const [first] = checks;
  if (first === undefined) throw new Error('no checks');
  const evaluate = (): never => {
    throw new Error('boom');
  };
  const deaf = { ...first, limits: { ...first.limits, warn: 9, crit: 9, clearWarn: 9, clearCrit: 9 } };
  const [thrown, silent, none] = selfTest([{ ...first, evaluate }, deaf, { ...first, samples: [] }]);
  t.match(thrown, { ok: false, why: /boom/ });
  t.match(silent, { ok: false, why: /expected .*crit/ });
  t.match(none, { ok: false });
});

t.test('codes are unique, limits are in order, texts are complete, no command changes anything', async (t) => {
  t.equal(new Set(checks.map((check) => check.code)).size, checks.length);
  for (const check of checks) {
    t.match(check.code, /^[A-Z][A-Z_]+$/);
    for (const limits of [check.limits, ...Object.values(check.variants ?? {}).map((variant) => variant.limits)]) {
      t.equal(contradiction(limits), undefined, check.code);
    }
    for (const text of Object.values(check.text)) {
      for (const locale of LOCALES) t.ok(text[locale].length > 1, `${check.code} speaks ${locale}`);
      t.match(text['zh-CN'], /\p{Script=Han}/u);
      t.notMatch(text.en, /\p{Script=Han}/u);
    }
    const commands = check.samples.flatMap((sample) =>
      check.evaluate(sampleFacts(check, sample)).observations.map((observation) => check.command?.(observation) ?? ''),
    );
    for (const command of commands) {
      const bare = command.replace(/"[^"]*"|'[^']*'/g, '');
      t.notMatch(bare, /[>;&`$]/, 'one pipeline that writes nothing');
      const parts = bare.split('|').map((part) => part.trim());
      for (const part of parts)
        t.ok(READ_ONLY.has(part.split(' ')[0] ?? '') || READS.test(part), `${part} in ${command} only reads`);
    }
  }
});

t.test('what the checks say about their samples reads well', async (t) => {
  const lines = checks.flatMap((check) =>
    check.samples.flatMap((sample) =>
      check.evaluate(sampleFacts(check, sample)).observations.flatMap((observation) => {
        const limits = limitsFor(check, observation, {});
        const { verdict } = judge(undefined, observation, limits, 0);
        if (observation.value === undefined || verdict === 'unknown' || verdict === 'skipped') {
          const reason = observation.missing?.reason;
          return [`${check.code} ${verdict}`, `  ${reason?.['zh-CN']}`, `  ${reason?.en}`];
        }
        const limit = verdict === 'crit' ? limits.crit : limits.warn;
        const line = check.line(observation, observation.value, verdict, limit);
        const command = check.command?.(observation);
        return [
          `${check.code} ${verdict}`,
          `  ${line['zh-CN']}`,
          `  ${line.en}`,
          `  ${observation.evidence.join(' · ')}`,
          ...(command === undefined ? [] : [`  $ ${command}`]),
        ];
      }),
    ),
  );
  await golden(t, 'inspector/lines.txt', `${lines.join('\n')}\n`);
});
