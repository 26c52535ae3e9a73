// Busy addresses, left-over sockets, and the way out.
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openTestDoor, temporaryDirectory } from './door.ts';

async function hold(t: Test, where: object): Promise<Server> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

t.test('a busy port is named, the other listeners go on, and it is taken when it is free', async (t) => {
  const holder = await hold(t, { host: '127.0.0.1', port: 0 });
  const { port } = holder.address() as AddressInfo;
  const { door, ask, logged } = await openTestDoor(t, { config: { listen: port } });
  t.match(door.health(), {
    state: 'failing',
    reason: new RegExp(`127\\.0\\.0\\.1:${port} is in use by another process`),
    remedy: new RegExp(`ss -ltnp 'sport = :${port}'.*http\\.listen`),
  });
  t.equal(door.addresses().loopback, undefined);
  t.equal((await ask({ path: '/livez', listener: 'socket' })).status, 200);
  t.equal((await ask({ path: '/livez', listener: 'tls' })).status, 401);
  await new Promise((resolve) => holder.close(resolve));
  while (door.addresses().loopback === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal((await ask({ path: '/livez' })).status, 200);
  t.equal(door.health().state, 'available');
  t.match(logged.at(-1), { msg: 'listener works now' });
});

t.test('the Unix socket is for its group, and gone after the stop', async (t) => {
  const { door, dir } = await openTestDoor(t);
  const path = join(dir, 'jdos.sock');
  t.equal(((await stat(path)).mode & 0o777).toString(8), '660');
  t.equal(door.addresses().socket, `unix:${path}`);
  await door.stop();
  await t.rejects(stat(path), { code: 'ENOENT' });
});

t.test('a socket left over by a crash is replaced', async (t) => {
  const path = join(await temporaryDirectory(t), 'jdos.sock');
  const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  t.throws(() => execFileSync(process.execPath, ['-e', leave]));
  t.ok((await stat(path)).isSocket());
  const { ask } = await openTestDoor(t, { socketPath: path });
  t.equal((await ask({ path: '/livez', listener: 'socket' })).status, 200);
});

t.test('a socket that someone answers on, and a file that is no socket, are left alone', async (t) => {
  const dir = await temporaryDirectory(t);
  const taken = join(dir, 'taken.sock');
  const holder = await hold(t, { path: taken });
  holder.on('connection', (socket) => socket.destroy());
  t.match((await openTestDoor(t, { socketPath: taken })).door.health(), {
    state: 'failing',
    reason: /another process answers/,
  });
  const file = join(dir, 'file');
  await writeFile(file, 'precious');
  t.match((await openTestDoor(t, { socketPath: file })).door.health(), { state: 'failing', reason: /is no socket/ });
  t.ok((await stat(file)).isFile());
  const long = join(dir, 'x'.repeat(120));
  t.match((await openTestDoor(t, { socketPath: long })).door.health(), {
    state: 'failing',
    reason: /longer than the 107 bytes/,
  });
});

t.test('a stop lets go of clients that do not', async (t) => {
  const { door, port } = await openTestDoor(t);
  const { connect } = await import('node:net');
  const idle = [connect(port('loopback'), '127.0.0.1'), connect(port('tls'), '127.0.0.1')];
  for (const socket of idle) socket.on('error', () => undefined);
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  const closed = idle.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await door.stop();
  await Promise.all(closed);
  t.equal(door.addresses().loopback, undefined);
});
