// A front door before the Kubernetes API, with a store of its own, and tokens for each role.
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Role } from '../../src/base/route.ts';
import { openStateStore } from '../../src/drivers/sqlite/index.ts';
import { httpMigrations } from '../../src/http/index.ts';
import { openOrchestrator, type OrchestratorOptions, orchestratorMigrations } from '../../src/orchestrator/index.ts';
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
  /** A call with a JSON (or textual) body, as admin unless said. */
  readonly call: (method: string, path: string, body?: unknown, how?: Call) => Promise<Reply>;
  /** Waits for a background change. */
  readonly logged: readonly Record<string, unknown>[];
}

export async function openApiDoor(t: Test, options: Partial<OrchestratorOptions> = {}): Promise<ApiDoor> {
  const dir = await temporaryDirectory(t);
  const store = await openStateStore(join(dir, 'objects.db'), [httpMigrations, orchestratorMigrations]);
  const logged: Record<string, unknown>[] = [];
  const orchestrator = openOrchestrator({
    store,
    version: '1.2.3',
    log: quiet(logged),
    now: () => Date.now(),
    call: {
      readLog: () => Promise.reject(new Error('no agent in this test')),
      plan: () => Promise.reject(new Error('no agent in this test')),
    },
    ...options,
  });
  const door = await openTestDoor(t, { store, routes: orchestrator.routes, now: () => Date.now() });
  await orchestrator.start(new AbortController().signal);
  t.teardown(async () => {
    await orchestrator.stop();
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
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
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
