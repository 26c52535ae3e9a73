// The kernel's name and version.
import { machine } from 'node:os';
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { parseLine, uname } from '../../../src/probes/kernel/uname.ts';
import { collectOnce } from './written.ts';

const kernel = {
  domainname: '(none)\n',
  hostname: 'h1\n',
  osrelease: '4.18.0\n',
  ostype: 'Linux\n',
  version: '#1 SMP\n',
};

t.test('one line is a value, nothing and two lines are not', async (t) => {
  t.equal(parseLine('/f', 'vm\n'), 'vm');
  t.equal(parseLine('/f', '#1 SMP PREEMPT "x"'), '#1 SMP PREEMPT "x"');
  for (const text of ['', '\n', 'a\nb\n']) t.throws(() => parseLine('/f', text), { code: 'JD_UNEXPECTED_KERNEL_TEXT' });
});

t.test('the machine comes from the kernel where it says so, else from uname(2)', async (t) => {
  const [newer] = (
    await collectOnce(uname, new HostFiles(t.testdir({ proc: { sys: { kernel: { ...kernel, arch: 'riscv64\n' } } } })))
  ).samples;
  t.same(newer?.labels, {
    domainname: '(none)',
    machine: 'riscv64',
    nodename: 'h1',
    release: '4.18.0',
    sysname: 'Linux',
    version: '#1 SMP',
  });
  const [older] = (await collectOnce(uname, new HostFiles(t.testdir({ proc: { sys: { kernel } } })))).samples;
  t.equal(older?.labels['machine'], machine());
});
