// A front door before the Kubernetes API, with a store of its own, and tokens for each role.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Component } from '../../src/base/component.ts';
import type { Role, Route } from '../../src/base/route.ts';
import { openStateStore, type StateStore } from '../../src/drivers/sqlite/index.ts';
import { httpMigrations } from '../../src/http/index.ts';
import { openOrchestrator, type OrchestratorOptions, orchestratorMigrations } from '../../src/orchestrator/index.ts';
import { apiRoutes } from '../../src/orchestrator/api/api.ts';
import type { ApiContext } from '../../src/orchestrator/api/context.ts';
import { ensureNamespaces } from '../../src/orchestrator/controllers/namespaces.ts';
import { openSqliteObjects } from '../../src/orchestrator/store/sqlite-store.ts';
import { openTestDoor, quiet, temporaryDirectory, type TestDoor } from '../http/door.ts';

export type Json = Record<string, any>;

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Json;
}

export interface Call {
  readonly as?: Role;
  readonly type?: string;
  readonly accept?: string;
}

export interface ApiDoor {
  readonly door: TestDoor;
  readonly tokens: Readonly<Record<Role, string>>;
  /** A call with a body, a value as JSON, as admin unless said. */
  readonly call: (method: string, path: string, body?: unknown, how?: Call) => Promise<Reply>;
  readonly logged: readonly Record<string, unknown>[];
}

const CALL = {
  readLog: () => Promise.reject(new Error('no agent in this test')),
  plan: () => Promise.reject(new Error('no agent in this test')),
};

/** The whole part, with the controllers that change objects in the background. */
export function openApiDoor(t: Test, options: Partial<OrchestratorOptions> = {}): Promise<ApiDoor> {
  return openDoor(t, (store, logged) =>
    openOrchestrator({
      store,
      version: '1.2.3',
      log: quiet(logged),
      now: () => Date.now(),
      call: CALL,
      ...options,
    }),
  );
}

export interface BareApi extends ApiDoor {
  /** What the API works with. */
  readonly context: ApiContext;
}

/** The API alone: an object is what the last call made of it, and nothing changes by itself. */
export async function openBareApi(
  t: Test,
  { now = () => Date.now(), call = CALL }: BareOptions = {},
): Promise<BareApi> {
  const stopping = new AbortController();
  let context: ApiContext | undefined;
  const door = await openDoor(t, (store) => {
    const made: ApiContext = {
      objects: openSqliteObjects({ store, now }),
      now,
      newUid: randomUUID,
      stopping: () => stopping.signal,
    };
    context = made;
    return {
      routes: apiRoutes(made, { version: '1.2.3', call }),
      start: () => ensureNamespaces(made),
      stop: async () => stopping.abort(),
    };
  });
  if (context === undefined) throw new Error('the API was not opened');
  return { ...door, context };
}

type BareOptions = Partial<Pick<OrchestratorOptions, 'now' | 'call'>>;

interface Part extends Pick<Component, 'start' | 'stop'> {
  readonly routes: readonly Route[];
}

async function openDoor(
  t: Test,
  open: (store: StateStore, logged: Record<string, unknown>[]) => Part,
): Promise<ApiDoor> {
  const dir = await temporaryDirectory(t);
  const migrations = [httpMigrations, orchestratorMigrations];
  // What these tests are about does not depend on fsync.
  const store = await openStateStore(join(dir, 'objects.db'), migrations, { synchronous: 'NORMAL' });
  const logged: Record<string, unknown>[] = [];
  const part = open(store, logged);
  const door = await openTestDoor(t, { store, routes: part.routes, now: () => Date.now() });
  await part.start(new AbortController().signal);
  t.teardown(async () => {
    await part.stop();
    await store[Symbol.asyncDispose]();
  });
  const tokens = {} as Record<Role, string>;
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    tokens[role] = (await door.door.tokens.create({ name: `the-${role}`, role })).token;
  }
  return {
    door,
    tokens,
    logged,
    async call(method, path, body, { as = 'admin', type = 'application/json', accept = 'application/json' } = {}) {
      const text =
        body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const answer = await door.ask({
        method,
        path,
        token: tokens[as],
        headers: { accept, ...(text === undefined ? {} : { 'content-type': type }) },
        ...(text === undefined ? {} : { body: text }),
      });
      let parsed: Json = {};
      try {
        parsed = JSON.parse(answer.text) as Json;
      } catch {
        parsed = { text: answer.text };
      }
      return { status: answer.status, headers: answer.headers, body: parsed };
    },
  };
}

/** A pod that every role who may create any may create. */
export const pod = (name: string, spec: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'busybox:1' }], ...spec },
});

export const PODS = '/api/v1/namespaces/default/pods';
