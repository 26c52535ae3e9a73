// The one question over OpenFlow: answers of each version, in any pieces, of servers that lie or are silent, and of a real bridge.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { askFlows, countFlows, HELLO_MESSAGE } from '../../../src/drivers/ovsdb/openflow.ts';
import { privateDirectory } from '../../support/daemon.ts';
import { needsOvs, startOvs } from '../../support/ovs.ts';
import { FUZZ_SEED, mutate, random } from '../../support/random.ts';

const message = (version: number, type: number, body: Buffer = Buffer.alloc(0)): Buffer => {
  const header = Buffer.from([version, type, 0, 0, 0, 0, 0, 1]);
  header.writeUInt16BE(8 + body.length, 2);
  return Buffer.concat([header, body]);
};
/** With a list of versions as bits, or none. */
const hello = (version: number, bits?: number): Buffer => {
  if (bits === undefined) return message(version, 0);
  const element = Buffer.from([0, 1, 0, 8, 0, 0, 0, 0]);
  element.writeUInt32BE(bits, 4);
  return message(version, 0, element);
};
/** The statistics of tables with so many flows each. */
function tables(version: number, flows: readonly number[], more = false): Buffer {
  const old = version === 1;
  const body = Buffer.from(old ? [0, 3, 0, Number(more)] : [0, 3, 0, Number(more), 0, 0, 0, 0]);
  const entries = flows.map((count, index) => {
    const entry = Buffer.alloc(old ? 64 : 24, 0xff);
    entry[0] = index;
    entry.writeUInt32BE(count, old ? 44 : 4);
    return entry;
  });
  return message(version, old ? 17 : 19, Buffer.concat([body, ...entries]));
}

const ECHO_REQUEST = 2;

t.test('the newest version that both speak is spoken, and flows of all tables are summed', async (t) => {
  for (const [what, greeting, version, request] of [
    ['1.0 alone', hello(1), 1, message(1, 16, Buffer.from([0, 3, 0, 0]))],
    [
      '1.0 to 1.5, as Open vSwitch unless told otherwise',
      hello(6),
      6,
      message(6, 18, Buffer.from([0, 3, 0, 0, 0, 0, 0, 0])),
    ],
    ['1.0 and 1.3 by a list', hello(4, 0b10010), 4, message(4, 18, Buffer.from([0, 3, 0, 0, 0, 0, 0, 0]))],
    ['1.1 to 1.4', hello(5, 0b111100), 5, message(5, 18, Buffer.from([0, 3, 0, 0, 0, 0, 0, 0]))],
    ['a version of the future', hello(9), 6, message(6, 18, Buffer.from([0, 3, 0, 0, 0, 0, 0, 0]))],
  ] as const) {
    const question = askFlows('br0');
    t.same(question.take(greeting), request, what);
    t.equal(question.take(message(version, ECHO_REQUEST)), undefined);
    question.take(tables(version, [1, 2, 3], true));
    t.equal(question.flows, undefined, 'there is more');
    question.take(tables(version, [70_000, 0]));
    t.equal(question.flows, 70_006, what);
  }
  t.same([...HELLO_MESSAGE], [6, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0b1110010]);
});

t.test('it does not matter in which pieces an answer comes', async (t) => {
  const all = Buffer.concat([hello(6), message(6, ECHO_REQUEST), tables(6, [5, 6], true), tables(6, [7])]);
  for (const size of [1, 3, 7, 8, 9, 50, all.length]) {
    const question = askFlows('br0');
    for (let at = 0; at < all.length; at += size) question.take(all.subarray(at, at + size));
    t.equal(question.flows, 18, `${size} bytes each`);
  }
});

t.test('what is no answer is an error', async (t) => {
  for (const [what, code, ...said] of [
    ['no version in common', 'JD_OVS_REFUSED', hello(3, 0b1100)],
    ['a refusal', 'JD_OVS_REFUSED', hello(6), message(6, 1, Buffer.alloc(4))],
    ['a message without a length', 'JD_OVS_GARBLED', Buffer.from([6, 0, 0, 3, 0, 0, 0, 1])],
    ['statistics of something else', 'JD_OVS_GARBLED', hello(6), message(6, 19, Buffer.alloc(8))],
    ['statistics cut short', 'JD_OVS_GARBLED', hello(6), message(6, 19, Buffer.from([0, 3]))],
    [
      'without an end',
      'JD_OVS_GARBLED',
      hello(6),
      ...Array<Buffer>(10).fill(message(6, ECHO_REQUEST, Buffer.alloc(30_000))),
    ],
  ] as const) {
    const question = askFlows('br0');
    t.throws(() => said.forEach((one) => question.take(one)), { code }, what);
  }
});

t.test(`broken answers end in a number or an error, seed ${FUZZ_SEED}`, async (t) => {
  const next = random();
  const seed = Buffer.concat([hello(6, 0b1110010), tables(6, [1, 2, 3], true), tables(6, [4])]);
  let counted = 0;
  for (let round = 0; round < 2000; round += 1) {
    const question = askFlows('br0');
    try {
      question.take(mutate(seed, next));
    } catch (error) {
      if ((error as { code?: string }).code === undefined) throw error;
    }
    if (question.flows !== undefined) counted += 1;
    if (question.flows !== undefined && !(question.flows >= 0)) t.fail(`${question.flows}`);
  }
  t.ok(counted > 0);
});

/** A bridge that says this to whoever connects. */
async function bridge(t: Test, says: Buffer | undefined): Promise<string> {
  const path = join(privateDirectory(t), 'br0.mgmt');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (says !== undefined) socket.end(says);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return path;
}

t.test('a bridge that is silent, breaks off or is not there is not waited for', async (t) => {
  const began = performance.now();
  await t.rejects(countFlows(await bridge(t, undefined), 200), { code: 'JD_OVS_HUNG' });
  t.ok(performance.now() - began < 2000);
  await t.rejects(countFlows(await bridge(t, hello(6))), { code: 'JD_OVS_DOWN' });
  await t.rejects(countFlows(join(privateDirectory(t), 'none.mgmt')), { code: 'JD_OVS_MISSING' });
  await t.rejects(countFlows(`/tmp/${'x'.repeat(200)}`), { code: /^JD_OVS_/ });
});

for (const version of ['installed', 'new'] as const)
  t.test(`a bridge of the ${version} Open vSwitch`, { skip: needsOvs(version) }, async (t) => {
    const ovs = startOvs(t, { version });
    ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    const socket = join(ovs.rundir, 'br0.mgmt');
    const own = await countFlows(socket);
    t.equal(own, 1, 'the rule that a bridge begins with');
    const rules = [3, 7, 200].flatMap((table) =>
      Array.from({ length: 500 }, (_, index) => `table=${table},priority=${index},actions=drop`),
    );
    execFileSync('ovs-ofctl', ['add-flows', `unix:${socket}`, '-'], { input: `${rules.join('\n')}\n` });
    for (const protocols of ['OpenFlow10', 'OpenFlow13', 'OpenFlow10,OpenFlow12,OpenFlow14', 'OpenFlow15']) {
      ovs.vsctl('set', 'bridge', 'br0', `protocols=${protocols}`);
      t.equal(await countFlows(socket), own + rules.length, protocols);
    }
    ovs.vsctl('set', 'bridge', 'br0', 'protocols=OpenFlow12');
    await t.rejects(countFlows(socket), { code: 'JD_OVS_REFUSED' });
    await ovs.signal('SIGSTOP');
    await t.rejects(countFlows(socket, 200), { code: 'JD_OVS_HUNG' });
  });
