// The clients of OVSDB and unixctl against servers that lie, hang, answer late, break off and come back.
import { execFileSync, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openDatabase } from '../../../src/drivers/ovsdb/database.ts';
import { followDatabase } from '../../../src/drivers/ovsdb/follow.ts';
import { openUnixctl } from '../../../src/drivers/ovsdb/unixctl.ts';
import { eventually, privateDirectory } from '../../support/daemon.ts';

interface Said {
  readonly id: number | string | null;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
}
type Answer = (said: Said, socket: Socket) => void;

/** A server that reads whole messages, one for each write of the client. */
async function serve(t: Test, path: string, answer: Answer): Promise<{ readonly said: Said[]; stop(): Promise<void> }> {
  const said: Said[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const text of chunk.toString().replaceAll('}{', '}\n{').split('\n')) {
        const one = JSON.parse(text) as Said;
        said.push(one);
        answer(one, socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(stop);
  return { said, stop };
}

const reply = (socket: Socket, id: unknown, result: unknown, error: unknown = null): void =>
  void socket.write(JSON.stringify({ id, result, error }));

const A = '11111111-1111-1111-1111-111111111111';
const SCHEMA = { name: 'db', version: '1.0.0', tables: { T: { columns: { name: { type: 'string' } } } } };
const WISH = { T: ['name', 'newer'] };

/** Knows a schema, and answers a monitor with one row. */
const honest =
  (over: Partial<Record<string, Answer>> = {}): Answer =>
  (said, socket) => {
    const own = over[said.method ?? 'answer'];
    if (own !== undefined) return own(said, socket);
    if (said.method === 'list_dbs') reply(socket, said.id, ['_Server', 'db']);
    if (said.method === 'get_schema') reply(socket, said.id, SCHEMA);
    if (said.method === 'monitor_cond') reply(socket, said.id, { T: { [A]: { initial: { name: 'one' } } } });
  };

const names = (following: ReturnType<typeof followDatabase>): readonly unknown[] | string =>
  following.state.kind === 'followed'
    ? [...(following.state.tables.get('T')?.values() ?? [])].map((row) => row.get('name'))
    : following.state.kind;

t.test('a change that comes in one piece with the first rows is not lost', async (t) => {
  const socket = join(privateDirectory(t), 's');
  const { said } = await serve(
    t,
    socket,
    honest({
      monitor_cond({ id }, to) {
        const first = JSON.stringify({ id, result: { T: { [A]: { initial: { name: 'one' } } } }, error: null });
        const change = { T: { [A]: { modify: { name: 'two' } } } };
        to.write(first + JSON.stringify({ id: null, method: 'update2', params: ['jdos', change] }));
      },
    }),
  );
  using following = followDatabase(socket, 'db', WISH);
  await following.settled(5000);
  t.same(names(following), ['two']);
  t.same(
    said.find(({ method }) => method === 'monitor_cond')?.params?.[2],
    { T: [{ columns: ['name'] }] },
    'without newer',
  );
});

t.test('a server without monitor_cond is asked in the older way', async (t) => {
  const socket = join(privateDirectory(t), 's');
  await serve(
    t,
    socket,
    honest({
      monitor_cond: ({ id }, to) => reply(to, id, null, 'unknown method'),
      monitor: ({ id }, to) => reply(to, id, { T: { [A]: { new: { name: 'old way' } } } }),
    }),
  );
  using following = followDatabase(socket, 'db', WISH);
  await following.settled(5000);
  t.same(names(following), ['old way']);
});

t.test('the server asks whether we are there, and is answered', async (t) => {
  const socket = join(privateDirectory(t), 's');
  const { said } = await serve(
    t,
    socket,
    honest({ list_dbs: (_, to) => void to.write('{"id":"echo","method":"echo","params":["x"]}') }),
  );
  using following = followDatabase(socket, 'db', WISH);
  await eventually('an answer', () => said.find(({ id }) => id === 'echo'));
  t.match(
    said.find(({ id }) => id === 'echo'),
    { result: ['x'] },
  );
  t.equal(names(following), 'connecting');
});

t.test('a database that breaks off is followed again, and in between it is down and says why', async (t) => {
  const socket = join(privateDirectory(t), 's');
  using following = followDatabase(socket, 'db', WISH);
  await following.settled(5000);
  t.match(following.state, { kind: 'down', why: { code: 'JD_OVS_MISSING' } });
  const first = await serve(t, socket, honest());
  await eventually('the rows', () => (names(following) === 'down' ? undefined : true));
  t.same(names(following), ['one']);
  await first.stop();
  await eventually('the end', () => (names(following) === 'down' ? true : undefined));
  writeFileSync(socket, ''); // what a server that was killed leaves is a socket that nobody listens at; a file is refused alike
  await sleep(300);
  t.match(following.state, { kind: 'down', why: { code: 'JD_OVS_DOWN' } });
  rmSync(socket);
  await serve(t, socket, honest({ monitor_cond: ({ id }, to) => reply(to, id, { T: {} }) }));
  await eventually('the new rows', () => (names(following) === 'down' ? undefined : true));
  t.same(names(following), [], 'nothing of the rows before is kept');
  t.equal(following.connections, 2);
});

t.test('garbage, floods and a missing database are told apart from a server that is down', async (t) => {
  const dir = privateDirectory(t);
  for (const [name, list_dbs, why] of [
    ['text', (_: Said, to: Socket) => void to.write('HTTP/1.1 400 Bad Request\r\n'), 'JD_OVS_GARBLED'],
    ['json', (_: Said, to: Socket) => void to.write('{"id" 1}'), 'JD_OVS_GARBLED'],
    ['depth', (_: Said, to: Socket) => void to.write('{"a":'.repeat(5000)), 'JD_OVS_GARBLED'],
    ['flood', (_: Said, to: Socket) => void to.write(`{"a":"${'x'.repeat(50 * 1024 * 1024)}`), 'JD_OVS_GARBLED'],
    ['list', ({ id }: Said, to: Socket) => reply(to, id, [1]), 'JD_OVS_GARBLED'],
    ['other', ({ id }: Said, to: Socket) => reply(to, id, ['OVN_Southbound']), 'JD_OVS_MISSING'],
    ['end', (_: Said, to: Socket) => void to.end(), 'JD_OVS_DOWN'],
  ] as const) {
    const socket = join(dir, name);
    const { stop } = await serve(t, socket, honest({ list_dbs }));
    using following = followDatabase(socket, 'db', WISH);
    await following.settled(10_000);
    t.match(following.state, { kind: 'down', why: { code: why } }, name);
    await stop();
  }
});

t.test('an answer after its deadline reaches nobody, and the next question gets its own', async (t) => {
  const socket = join(privateDirectory(t), 's');
  await serve(t, socket, ({ id, method }, to) => {
    if (method === 'transact') return void setTimeout(() => reply(to, id, [{ count: 99 }]), 150);
    reply(to, id, ['db']);
  });
  using database = await openDatabase(socket, () => {});
  const slow = database.transact('db', [{ op: 'delete', table: 'T', where: [] }], 50);
  await t.rejects(slow, { code: 'JD_OVS_HUNG' });
  t.same(await database.databases(), ['db']);
  await sleep(200);
  t.same(await database.databases(), ['db']);
});

/** In a process of its own: it answers while this one's thread is busy. */
const ANSWERING = `
  const answer = (socket) => (data) => socket.write(JSON.stringify({ id: JSON.parse(data).id, result: [], error: null }));
  require('net').createServer((socket) => socket.on('data', answer(socket))).listen(process.argv[1]);`;

t.test('an answer that waits in the socket while the thread is busy is not late', async (t) => {
  const socket = join(privateDirectory(t), 's');
  const child = spawn(process.execPath, ['-e', ANSWERING, socket], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  const database = await eventually('a server', () => openDatabase(socket, () => {}));
  t.teardown(() => database[Symbol.dispose]());
  const asked = database.transact('db', [], 100);
  await sleep(1); // the question is sent
  execFileSync('sleep', ['0.5']);
  t.same(await asked, []);
});

async function vswitchd(t: Test, rundir: string, pid: number, answer: Answer) {
  writeFileSync(join(rundir, 'ovs-vswitchd.pid'), `${pid}\n`);
  return serve(t, join(rundir, `ovs-vswitchd.${pid}.ctl`), answer);
}

t.test('what changes the switch, costs it much, or is unknown is never sent', async (t) => {
  const rundir = privateDirectory(t);
  const { said } = await vswitchd(t, rundir, 10, ({ id }, to) => reply(to, id, 'done'));
  using unixctl = openUnixctl(rundir);
  for (const [command, ...args] of [
    ['exit'],
    ['fdb/flush'],
    ['dpctl/dump-flows'],
    ['dpctl/dump-conntrack'],
    ['dpctl/show', '-s'],
    ['dpctl/ct-set-limits', 'default=1'],
    ['revalidator/purge'],
    ['dpif-netdev/pmd-stats-clear'],
    ['qos/show', '--help'],
    ['vlog/set', 'ANY:dbg'],
    ['constructor'],
    [''],
  ] as const)
    await t.rejects(unixctl.ask(command, args), { code: 'JD_OVS_COMMAND_BARRED' }, [command, ...args].join(' '));
  t.same(said, []);
  t.equal(await unixctl.ask('qos/show', ['eth0']), 'done');
});

t.test('while an answer is outstanding nothing more is asked, and when it comes all is well again', async (t) => {
  const rundir = privateDirectory(t);
  let wake = (): void => {};
  const { said } = await vswitchd(t, rundir, 10, ({ id, method }, to) => {
    if (method === 'coverage/show') wake = () => reply(to, id, 'late');
    else reply(to, id, `answer to ${method}`);
  });
  using unixctl = openUnixctl(rundir);
  const both = [unixctl.ask('coverage/show', [], 50), unixctl.ask('version', [], 50)];
  for (const one of both) await t.rejects(one, { code: 'JD_OVS_HUNG' });
  await t.rejects(unixctl.ask('version'), { code: 'JD_OVS_HUNG' });
  t.same(
    said.map(({ method }) => method),
    ['coverage/show'],
    'one question waits, not three',
  );
  wake();
  const answer = await eventually('an answer', () => unixctl.ask('version'));
  t.equal(answer, 'answer to version');
});

t.test('questions that are asked together are answered in their order, each for itself', async (t) => {
  const rundir = privateDirectory(t);
  const { said } = await vswitchd(t, rundir, 10, (_, to) => {
    // Nothing is answered before all are there, and the last one first.
    if (said.length === 3) for (const one of said.toReversed()) answer(one, to);
  });
  const answer = ({ id, method }: Said, to: Socket): void =>
    method === 'dpctl/show' ? reply(to, id, null, 'no datapath') : reply(to, id, `answer to ${method}`);
  using unixctl = openUnixctl(rundir);
  const ask = (...commands: readonly string[]) =>
    unixctl.askTogether(
      commands.map((command) => ({ command, args: [] })),
      2000,
    );
  const [first, refused, last] = await ask('upcall/show', 'dpctl/show', 'bond/show');
  t.match(first, { status: 'fulfilled', value: 'answer to upcall/show' });
  t.match(refused, { status: 'rejected', reason: { code: 'JD_OVS_REFUSED' } });
  t.match(last, { status: 'fulfilled', value: 'answer to bond/show' });
  await t.rejects(ask('version', 'exit'), { code: 'JD_OVS_COMMAND_BARRED' });
  t.equal(said.length, 3, 'of those with one that is barred, none is asked');
  t.same(await ask(), []);
});

t.test('a switch that is restarted is found by its new pid; one that is gone is down', async (t) => {
  const rundir = privateDirectory(t);
  using unixctl = openUnixctl(rundir);
  await t.rejects(unixctl.ask('version'), { code: 'JD_OVS_MISSING' });
  writeFileSync(join(rundir, 'ovs-vswitchd.pid'), 'not a pid');
  await t.rejects(unixctl.ask('version'), { code: 'JD_OVS_GARBLED' });
  writeFileSync(join(rundir, 'ovs-vswitchd.pid'), '10\n');
  await t.rejects(unixctl.ask('version'), { code: 'JD_OVS_DOWN' });
  const first = await vswitchd(t, rundir, 10, ({ id }, to) => reply(to, id, 'first'));
  t.equal(await unixctl.ask('version'), 'first');
  const second = await vswitchd(t, rundir, 11, ({ id, method }, to) =>
    method === 'list-commands'
      ? reply(to, id, 'The available commands are:\n  dpif/show   \n  version\n')
      : reply(to, id, 'second'),
  );
  t.equal(await unixctl.ask('version'), 'second', 'though the old one still listens');
  t.same(await unixctl.commands(), new Set(['dpif/show', 'version']));
  await unixctl.commands();
  t.equal(second.said.filter(({ method }) => method === 'list-commands').length, 1, 'asked once');
  await first.stop();
  t.equal(unixctl.connections, 2);
  await second.stop();
  await t.rejects(unixctl.ask('version'), { code: 'JD_OVS_DOWN' });
});

t.test('a FIFO in place of the pid file is not waited for', async (t) => {
  const rundir = privateDirectory(t);
  execFileSync('mkfifo', [join(rundir, 'ovs-vswitchd.pid')]);
  using unixctl = openUnixctl(rundir);
  await t.rejects(unixctl.ask('version'));
});
