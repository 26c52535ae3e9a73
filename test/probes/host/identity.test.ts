// The distribution and the machine: os-release and DMI.
import t from 'tap';
import { HostFiles } from '../../../src/probes/host-files.ts';
import { dmi, parseDmiValue, readDmi } from '../../../src/probes/host/dmi.ts';
import { os, parseOsRelease } from '../../../src/probes/host/os-release.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';
import { collectOnce, RECORDED } from '../kernel/written.ts';

t.test('the recorded host is Debian 12', async (t) => {
  const [sample] = (await collectOnce(os, new HostFiles(RECORDED))).samples;
  t.match(sample, { metric: 'node_os_info', value: 1 });
  t.match(sample?.labels, {
    id: 'debian',
    version_id: '12',
    pretty_name: 'Debian GNU/Linux 12 (bookworm)',
    id_like: '',
  });
});

t.test('os-release is quoted as a shell reads it', async (t) => {
  t.same(
    parseOsRelease(
      '# NAME=no\nNAME="A \\"B\\" \\$C \\\\ \\`d\\` e\\n"\nID=arch\nVERSION=\'1 "x"\'\nHOME_URL=x\nnonsense\n=\nid=lower\nVARIANT=\n',
    ),
    { name: 'A "B" $C \\ `d` e\\n', id: 'arch', version: '1 "x"', variant: '' },
  );
  t.equal(parseOsRelease(`NAME=${'x'.repeat(5000)}\n`).name?.length, 256);
});

t.test('the file of the vendor is read where /etc has none', async (t) => {
  const root = t.testdir({ usr: { lib: { 'os-release': 'ID=flatcar\n' } } });
  t.match((await collectOnce(os, new HostFiles(root))).text, 'id="flatcar"');
  t.equal((await collectOnce(os, new HostFiles(t.testdir({})))).text, '', 'and without either there is no series');
});

t.test(`mutilated os-release gives bounded strings (seed ${FUZZ_SEED})`, async (t) => {
  const next = random();
  const original = Buffer.from('NAME="Debian \\"GNU\\"/Linux"\nVERSION_ID=\'12\'\nID=debian\n');
  for (let round = 0; round < 2000; round += 1) {
    const values = Object.values(parseOsRelease(mutate(original, next).toString()));
    if (!values.every((value) => typeof value === 'string' && value.length <= 256)) t.fail(JSON.stringify(values));
  }
  t.pass('2000 rounds');
});

t.test('the machine is named without its serial numbers', async (t) => {
  const id = {
    sys_vendor: 'Dell Inc.\n',
    product_name: 'PowerEdge R740  \n',
    product_serial: 'ABC123\n',
    board_serial: 'S\n',
  };
  const host = new HostFiles(t.testdir({ sys: { class: { dmi: { id } } } }));
  t.same(readDmi(host), { system_vendor: 'Dell Inc.', product_name: 'PowerEdge R740' });
  const { text } = await collectOnce(dmi, host);
  t.match(text, 'product_name="PowerEdge R740"');
  t.notMatch(text, 'ABC123');
  t.notMatch(text, /serial|uuid/);
});

t.test('what vendors leave in DMI strings is cleaned', async (t) => {
  t.equal(parseDmiValue('  To Be Filled \0\x01\ufffd\n'), 'To Be Filled');
  t.equal(parseDmiValue('x'.repeat(1000)).length, 256);
});

t.test('a machine without DMI has no series and no failure', async (t) => {
  t.equal((await collectOnce(dmi, new HostFiles(t.testdir({})))).text, '');
});
