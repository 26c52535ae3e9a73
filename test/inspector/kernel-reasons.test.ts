// The gravity of what the kernel tells of: every reason that is judged is one that the probes give.
import t from 'tap';
import { gravityOf, JUDGED_REASONS } from '../../src/inspector/checks/kernel-reasons.ts';
import { isNote } from '../../src/probes/kmsg/rule.ts';
import { RULES } from '../../src/probes/kmsg/rules/index.ts';

t.test('no reason is judged that nothing gives, and none twice', async (t) => {
  const given = new Set(RULES.flatMap((rule) => (isNote(rule) ? [] : [rule.reason])));
  for (const reason of JUDGED_REASONS) t.ok(given.has(reason), reason);
  t.equal(new Set(JUDGED_REASONS).size, JUDGED_REASONS.length);
});

t.test('what is not known is serious, and good news is no finding', async (t) => {
  t.equal(gravityOf('OurOwn'), 'serious');
  t.equal(gravityOf('KernelOops'), 'grave');
  t.equal(gravityOf('Segfault'), 'minor');
  t.equal(gravityOf('NetworkLinkUp'), undefined);
  t.equal(gravityOf('OOMKilling'), undefined);
});
