// The client of the Docker Engine against engines that lie, hang, break off and come back in other versions.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Fault } from '../../src/base/fault.ts';
import { openDocker } from '../../src/drivers/docker/index.ts';
import { eventually, privateDirectory } from '../support/daemon.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface Engine {
  readonly socket: string;
  /** What was asked, without the version. */
  readonly asked: string[];
  /** How it answers from now on; `/version` is answered unless it says otherwise. */
  answer: Answer;
  version: object;
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function startEngine(t: Test): Promise<Engine> {
  const socket = join(privateDirectory(t), 'd.sock');
  let server: Server | undefined;
  const engine: Engine = {
    socket,
    asked: [],
    answer: (_, response) => response.end('{}'),
    version: { Version: '28.1.0', ApiVersion: '1.49', MinAPIVersion: '1.24' },
    async start() {
      server = createServer((request, response) => {
        if (request.url?.startsWith('/version') === true) return void response.end(JSON.stringify(engine.version));
        engine.asked.push(`${request.method} ${decodeURIComponent(request.url ?? '')}`);
        request.resume();
        engine.answer(request, response);
      });
      await new Promise<void>((resolve) => server?.listen(socket, resolve));
    },
    async stop() {
      server?.closeAllConnections();
      await new Promise((resolve) => server?.close(resolve));
    },
  };
  await engine.start();
  t.teardown(() => engine.stop());
  return engine;
}

const json =
  (status: number, body: unknown): Answer =>
  (_, response) => {
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const faultOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no fault',
    (error: unknown) => (error instanceof Fault ? `${error.code}: ${error.message}` : String(error)),
  );

t.test('where there is no engine the fault says what kind of absence it is', async (t) => {
  const dir = privateDirectory(t);
  t.match(await faultOf(openDocker({ socket: join(dir, 'none') }).version()), /JD_DOCKER_MISSING: .*none/);
  writeFileSync(join(dir, 'file'), '');
  t.match(await faultOf(openDocker({ socket: join(dir, 'file', 'x') }).version()), /JD_DOCKER_MISSING/);
  t.match(await faultOf(openDocker({ socket: join(dir, 'file') }).version()), /JD_DOCKER_DOWN/);
});

t.test('the newest API version that both know is spoken, and asked anew when the engine was replaced', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  engine.answer = json(200, []);
  const spoken = async (): Promise<string | undefined> => {
    await docker.containers([]);
    return /^GET \/(v[\d.]+)\//.exec(engine.asked.at(-1) ?? '')?.[1];
  };
  t.equal(await spoken(), 'v1.47');
  engine.version = { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' };
  t.match(await docker.version(), { Version: '20.10.24' });
  t.equal(await spoken(), 'v1.41');
  engine.version = { Version: '40', ApiVersion: '1.60', MinAPIVersion: '1.50' };
  await docker.version();
  t.equal(await spoken(), 'v1.50');
  engine.version = { Version: '18.06', ApiVersion: '1.38' };
  t.match(await faultOf(docker.version()), /JD_DOCKER_TOO_OLD: Docker 18\.06 speaks API 1\.38/);
  engine.version = { nothing: true };
  t.match(await faultOf(docker.version()), /^(?!no fault)/);
});

t.test('what the environment says of Docker is for people at a terminal', async (t) => {
  const engine = await startEngine(t);
  const before = process.env['DOCKER_HOST'];
  process.env['DOCKER_HOST'] = 'tcp://192.0.2.1:2375';
  t.teardown(() => {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
  });
  using docker = openDocker({ socket: engine.socket });
  t.match(await docker.version(), { Version: '28.1.0' });
});

t.test('labels are asked for as Docker wants them, and names are escaped', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  engine.answer = json(200, []);
  await docker.containers(['a=b', 'c']);
  t.match(engine.asked.at(-1), 'GET /v1.47/containers/json?all=true&filters={"label":["a=b","c"]}');
  engine.answer = json(404, { message: 'No such container: x' });
  t.equal(await docker.inspect('../images/x?y'), undefined);
  t.match(engine.asked.at(-1), /^GET \/v1\.47\/containers\/\.\.\/images\/x\?y\/json/);
  await docker.stop('x', 3);
  t.match(engine.asked.at(-1), /^POST \/v1\.47\/containers\/x\/stop\?t=3/);
  t.equal(await docker.remove('x'), true);
  t.equal(await docker.image('a/b:1'), undefined);
});

t.test('what is refused is said in the engine’s words', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  const spec = { Image: 'x' };
  engine.answer = json(400, { message: 'Minimum memory limit allowed is 6MB' });
  t.match(await faultOf(docker.create('n', spec)), /JD_DOCKER_REFUSED: .*create container n: Minimum memory/);
  engine.answer = json(409, { message: 'Conflict' });
  t.equal(await docker.create('n', spec), undefined);
  t.equal(await docker.remove('n'), false);
  engine.answer = json(409, { message: 'removal of container n is already in progress' });
  t.equal(await docker.remove('n'), true);
  engine.answer = json(400, { message: 'exec: "x": not found' });
  t.equal(await docker.start('n'), 'exec: "x": not found');
  engine.answer = json(304, '');
  t.equal(await docker.start('n'), undefined);
  await docker.stop('n', 0);
  engine.answer = json(500, 'no JSON at all');
  t.match(await faultOf(docker.containers([])), /JD_DOCKER_REFUSED: .*list containers: status 500/);
  engine.answer = json(201, { Id: 'abc', Warnings: ['swap limit discarded'] });
  t.same(await docker.create('n', spec), { id: 'abc', warnings: ['swap limit discarded'] });
  engine.answer = json(201, { Id: 'abc', Warnings: null });
  t.same(await docker.create('n', spec), { id: 'abc', warnings: [] });
});

t.test('an answer that makes no sense is a fault, never an empty list', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  for (const body of ['', '{}', '[{}]', '[{"Id":1}]', 'x'.repeat(1000), 'null', '{"message":"x"}']) {
    engine.answer = json(200, body);
    t.match(await faultOf(docker.containers([])), /JD_DOCKER_REFUSED: .*cannot be understood/, body.slice(0, 20));
  }
  engine.answer = (_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('[{"Id":');
    setTimeout(() => response.destroy(), 20);
  };
  t.match(await faultOf(docker.within(3000).containers([])), /JD_DOCKER_(DOWN|HUNG)/);
});

t.test('no call waits longer than its deadline', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  await docker.version();
  engine.answer = () => undefined;
  const within = docker.within(200);
  t.match(await faultOf(within.containers([])), /JD_DOCKER_HUNG: .*list containers/);
  t.match(await faultOf(within.start('x')), /JD_DOCKER_HUNG/, 'the time is for all calls together');
});

t.test('a pull ends with the image, with the registry’s words, or with the connection', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  const told =
    (...lines: readonly string[]): Answer =>
    (_, response) => {
      for (const line of lines) response.write(line);
      response.end();
    };
  engine.answer = told('{"status":"Pulling"}\r\n{"stat', 'us":"Downloading","progressDetail":{}}\nnot JSON\n\n');
  await docker.pull('registry:5000/a/b');
  t.match(engine.asked.at(-1), 'POST /v1.47/images/create?fromImage=registry:5000/a/b&tag=latest');
  await docker.pull('a:1');
  t.match(engine.asked.at(-1), /fromImage=a:1$/);
  engine.answer = told(
    '{"status":"Pulling"}\n',
    '{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}',
  );
  t.match(await faultOf(docker.pull('a:1')), /JD_DOCKER_REFUSED: Docker could not pull image a:1: manifest unknown/);
  engine.answer = json(404, { message: 'pull access denied for a' });
  t.match(await faultOf(docker.pull('a:1')), /JD_DOCKER_REFUSED: .*pull image a:1: pull access denied for a$/);
  engine.answer = (_, response) => {
    response.write('{"status":"Pulling"}\n');
    setTimeout(() => response.destroy(), 20);
  };
  t.match(await faultOf(docker.pull('a:1')), /JD_DOCKER_DOWN: Docker broke off: pull image a:1/);
});

t.test('events are heard again after each loss, and every loss is told', async (t) => {
  const engine = await startEngine(t);
  using docker = openDocker({ socket: engine.socket });
  const heard: string[] = [];
  let open: ServerResponse | undefined;
  engine.answer = (_, response) => {
    open = response;
    response.writeHead(200);
    response.flushHeaders();
  };
  const tell = (id: string): unknown =>
    open?.write(`${JSON.stringify({ Type: 'container', Action: 'die', Actor: { ID: id } })}\n{"unknown":1}\n???\n`);
  const watch = docker.events(['x=y'], {
    event: (container) => heard.push(container),
    connected: () => heard.push('connected'),
    lost: () => heard.push('lost'),
  });
  const until = (count: number): Promise<unknown> =>
    eventually(`${count} calls`, () => heard.length >= count || undefined);
  await until(1);
  tell('a');
  await until(2);
  open?.destroy();
  await until(4);
  t.match(engine.asked.at(-1), /filters=.*"label":\["x=y"\]/);
  tell('b');
  await until(5);
  await engine.stop();
  await until(6);
  rmSync(engine.socket, { force: true });
  await sleep(50);
  t.notOk(existsSync(engine.socket));
  await engine.start();
  await until(7);
  t.same(heard, ['connected', 'a', 'lost', 'connected', 'b', 'lost', 'connected']);
  await watch[Symbol.asyncDispose]();
  t.same(heard.length, 7, 'an end that was asked for is no loss');
});
