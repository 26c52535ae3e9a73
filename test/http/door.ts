// A front door on free ports with a store of its own, and a client for each of its listeners.
import { mkdtemp, rm } from 'node:fs/promises';
import { request as plainRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { Health } from '../../src/base/component.ts';
import type { Logger } from '../../src/base/logging.ts';
import { Registry } from '../../src/base/metrics.ts';
import type { Route } from '../../src/base/route.ts';
import { openStateStore, type StateStore } from '../../src/drivers/sqlite/index.ts';
import { HttpConfig, httpMigrations, openFrontDoor, type FrontDoor, type Listener } from '../../src/http/index.ts';
import type { FrontDoorOptions } from '../../src/http/server.ts';

export const HOSTNAME = 'test-host';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface Ask extends Pick<RequestOptions, 'method' | 'headers'> {
  readonly listener?: Listener;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly token?: string;
  /** The token as the password of HTTP Basic. */
  readonly basic?: string;
}

export interface TestDoor {
  readonly door: FrontDoor;
  readonly dir: string;
  readonly store: StateStore;
  readonly registry: Registry;
  /** Lines of the log, parsed. */
  readonly logged: Record<string, unknown>[];
  readonly port: (listener: 'loopback' | 'tls') => number;
  readonly ask: (ask: Ask) => Promise<Answer>;
  /** Sends bytes to the loopback listener and gives what comes back until the connection closes. */
  readonly raw: (bytes: string | Buffer) => Promise<string>;
}

export type DoorOptions = Partial<Omit<FrontDoorOptions, 'config'>> & { readonly config?: object };

export const quiet = (lines: Record<string, unknown>[] = []): Logger =>
  pino(
    { level: 'debug' },
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    }),
  );

export async function temporaryDirectory(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'jdos-http-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export const config = (slice: object = {}): HttpConfig =>
  HttpConfig.parse({ listen: '127.0.0.1:0', listenTls: '127.0.0.1:0', ...slice });

/** Opens a store that is closed after the test. */
export async function testStore(t: Test, dir: string): Promise<StateStore> {
  const store = await openStateStore(join(dir, 'state.db'), [httpMigrations]);
  t.teardown(() => store[Symbol.asyncDispose]());
  return store;
}

/** Opens and starts a front door that is stopped after the test. */
export async function openTestDoor(t: Test, { config: slice, ...options }: DoorOptions = {}): Promise<TestDoor> {
  const dir = await temporaryDirectory(t);
  const store = options.store ?? (await testStore(t, dir));
  const logged: Record<string, unknown>[] = [];
  const registry = new Registry();
  const door = openFrontDoor({
    config: config(slice),
    routes: [],
    tlsDir: join(dir, 'tls'),
    socketPath: join(dir, 'jdos.sock'),
    store,
    hostname: HOSTNAME,
    version: '1.2.3',
    parts: () => new Map<string, Health>([['probe', { state: 'available' }]]),
    facts: () => ({ processes: [] }),
    registry,
    log: quiet(logged),
    now: () => Date.now(),
    graceMs: 100,
    ...options,
  });
  t.teardown(() => door.stop());
  await door.start(new AbortController().signal);
  const port = (listener: 'loopback' | 'tls'): number => Number(new URL(door.addresses()[listener] ?? '').port);
  return {
    door,
    dir,
    store,
    registry,
    logged,
    port,
    ask: (ask) => send(ask, targetOf(door, ask.listener ?? 'loopback')),
    raw: (bytes) => exchange(port('loopback'), bytes),
  };
}

function targetOf(door: FrontDoor, listener: Listener): RequestOptions & { secure: boolean } {
  const address = door.addresses()[listener] ?? '';
  if (listener === 'socket') return { socketPath: address.replace('unix:', ''), secure: false };
  const { port } = new URL(address);
  const authority = door.authority();
  return { host: '127.0.0.1', port, secure: listener === 'tls', ...(authority === undefined ? {} : { ca: authority }) };
}

export function send(ask: Ask, { secure, ...target }: RequestOptions & { secure: boolean }): Promise<Answer> {
  const headers: Record<string, unknown> = { ...ask.headers };
  if (ask.token !== undefined) headers['authorization'] = `Bearer ${ask.token}`;
  if (ask.basic !== undefined) headers['authorization'] = `Basic ${Buffer.from(`me:${ask.basic}`).toString('base64')}`;
  if (ask.body !== undefined && headers['transfer-encoding'] === undefined)
    headers['content-length'] ??= Buffer.byteLength(ask.body);
  const options = { ...target, agent: false, path: ask.path, method: ask.method ?? 'GET', headers } as RequestOptions;
  return new Promise((resolve, reject) => {
    const request = (secure ? secureRequest : plainRequest)(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
      });
    });
    request.on('error', reject);
    request.end(ask.body);
  });
}

/** Writes bytes, and ends with them when `end`; reads until the other side closes or the connection fails. */
export function exchange(port: number, bytes: string | Buffer, end = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => (end ? socket.end(bytes) : socket.write(bytes)));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

/** A route for tests that answers with what it was given. */
export const echo = (definition: Partial<Route> & Pick<Route, 'method' | 'path' | 'right'>): Route => ({
  summary: 'Gives back what it was given',
  handler: ({ params, query, body, caller }) => ({
    body: { params, query, body: Buffer.isBuffer(body) ? body.toString('latin1') : (body ?? null), caller },
  }),
  ...definition,
});

/** The problem document in an answer. */
export const problemOf = (answer: Answer): Record<string, unknown> =>
  JSON.parse(answer.text) as Record<string, unknown>;
