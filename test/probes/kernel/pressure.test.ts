// Pressure stall information, on kernels with it and without.
import { join } from 'node:path';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { parsePressure, pressure } from '../../../src/probes/kernel/pressure.ts';
import { collectOnce } from './written.ts';

const SOME = 'some avg10=0.38 avg60=0.69 avg300=0.71 total=16603555\n';
const FULL = 'full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n';

t.test('the totals are read whatever stands before them', async (t) => {
  t.same(parsePressure(SOME + FULL), { some: 16603555, full: 7 });
  t.same(parsePressure(SOME), { some: 16603555 }, 'cpu before Linux 5.13');
  t.same(parsePressure(FULL), { full: 7 }, 'irq');
  t.same(parsePressure(`${SOME}half avg10=1.00 total=x\n`), { some: 16603555 }, 'a line of a new kind');
  t.same(parsePressure('some avg10=0.38 new=5 total=9\n'), { some: 9 }, 'a new column');
});

t.test('text without totals is refused', async (t) => {
  for (const text of [
    '',
    'some avg10=0.38\n',
    'some avg10=0.00 total=\n',
    'some total=-1\n',
    'some total=1x\n',
    '\0\0',
  ]) {
    t.throws(() => parsePressure(text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' }, JSON.stringify(text));
  }
});

t.test('a kernel without pressure stall information has no series and no failure', async (t) => {
  t.equal((await collectOnce(pressure, new HostFiles(t.testdir({ proc: {} })))).text, '');
});

t.test('a kernel started with psi=0 refuses the reading, which is no failure', async (t) => {
  class Refusing extends HostFiles {
    override text(): string {
      throw Object.assign(new Error('EOPNOTSUPP'), { code: 'ENOTSUP' });
    }
  }
  t.equal((await collectOnce(pressure, new Refusing('/'))).text, '');
});

t.test('a file that may not be read is a failure, not an absence', async (t) => {
  class Forbidding extends HostFiles {
    override text(): string {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    }
  }
  await t.rejects(async () => collectOnce(pressure, new Forbidding('/')), { code: 'EACCES' });
});

t.test('interrupt pressure is written where the kernel has it', async (t) => {
  const root = t.testdir({ proc: { pressure: { irq: FULL } } });
  const { text } = await collectOnce(pressure, new HostFiles(join(root)));
  t.equal(text, 'node_pressure_irq_stalled_seconds_total 0.000007\n');
});
