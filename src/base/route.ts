// HTTP routes and yaRPC procedures as values: what they need, what they take, what they give. `http/` mounts them.
import type { Readable } from 'node:stream';
import type { Fault } from './fault.ts';
import type { z } from './schema.ts';

/**
 * The right a route needs. Who has it:
 * `health`, `metrics`, `ingest`: everyone on the loopback listener, else viewers (ingest: operators) and above;
 * `read`: viewer; `logs`, `operate`: operator; `admin`: admin only.
 */
export const RIGHTS = ['health', 'metrics', 'ingest', 'read', 'logs', 'operate', 'admin'] as const;
export type Right = (typeof RIGHTS)[number];

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The least role that has a right. */
const LEAST_ROLE = {
  health: 'viewer',
  metrics: 'viewer',
  read: 'viewer',
  ingest: 'operator',
  logs: 'operator',
  operate: 'operator',
  admin: 'admin',
} as const satisfies Record<Right, Role>;

const RANK = { viewer: 1, operator: 2, admin: 3 } as const satisfies Record<Role, number>;

/** Whether a role has a right; `anonymous` has none beyond the loopback listener's. */
export const roleHas = (role: Role | 'anonymous', right: Right): boolean =>
  role !== 'anonymous' && RANK[role] >= RANK[LEAST_ROLE[right]];

/** Who calls, for rights and for the audit. */
export interface Caller {
  /** Token name, `anonymous`, or `unix:uid` for the socket. */
  readonly name: string;
  readonly role: Role | 'anonymous';
  /** Remote address and port, or `unix`. */
  readonly from: string;
}

export type Params = z.ZodObject;

export interface RouteRequest<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly caller: Caller;
  /** Aborts when the client goes away or the route's time is up. */
  readonly signal: AbortSignal;
}

/** What a handler gives back. An object body is sent as JSON. */
export interface RouteReply {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer | Readable | object | null;
  /** Told, once it is sent or the connection is closed, whether the connection took the reply whole. */
  readonly settled?: (written: boolean) => void;
}

/** The answer to a fault in a protocol's own form; the status is the fault's. */
export interface FaultBody {
  readonly type: string;
  readonly body: string | Buffer;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With parameters as `:name`. */
  readonly path: string;
  readonly right: Right;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** JSON body schema, or `raw` for bytes handed over undecoded (already decompressed, within `bodyLimit`). */
  readonly body?: z.ZodType | 'raw';
  readonly reply?: z.ZodType;
  /** Largest body in bytes after decompression; 1 MiB unless said. */
  readonly bodyLimit?: number;
  /** Milliseconds until 503; 30 s unless said. */
  readonly deadlineMs?: number;
  /** Writes the answer to a fault where the protocol has a form of its own; RFC 9457 problem details unless given. */
  readonly problem?: (fault: Fault, headers: RouteRequest<unknown, unknown, unknown>['headers']) => FaultBody;
  /** Whether a call is written to the audit; every method but GET is, unless this says false (ingest). */
  readonly audited?: boolean;
  readonly handler: (request: RouteRequest<unknown, unknown, unknown>) => RouteReply | Promise<RouteReply>;
}

type Output<S, Otherwise> = S extends z.ZodType ? z.output<S> : Otherwise;

/** Describes a route; parameters, query and body of the handler are typed by their schemas. */
export function route<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | 'raw' | undefined = undefined,
>(
  definition: Omit<Route, 'handler' | 'params' | 'query' | 'body'> & {
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly handler: (
      request: RouteRequest<
        Output<P, Record<string, never>>,
        Output<Q, Record<string, string>>,
        B extends 'raw' ? Buffer : Output<B, undefined>
      >,
    ) => RouteReply | Promise<RouteReply>;
  },
): Route {
  return definition as Route;
}

interface ProcedureContext {
  readonly caller: string;
  /** Aborts at the caller's deadline. */
  readonly signal: AbortSignal;
}

/** One yaRPC procedure, unary: JSON in and out, or bytes in (encoding `raw`), answered by the bytes of JSON. */
export interface Procedure {
  /** `Service::method`. */
  readonly name: string;
  readonly right: Right;
  /** Of `raw` the handler gets the body as a Buffer, which it checks itself and keeps no view of when it has answered. */
  readonly request: z.ZodType | 'raw';
  /** Whether its calls stand in the message ledger; they do, unless this says false. */
  readonly recorded?: boolean;
  readonly handler: (request: unknown, context: ProcedureContext) => unknown;
}

/** Describes a procedure; the request of the handler is typed by its schema. */
export function procedure<S extends z.ZodType | 'raw'>(definition: {
  readonly name: string;
  readonly right: Right;
  readonly request: S;
  readonly recorded?: boolean;
  readonly handler: (request: S extends z.ZodType ? z.output<S> : Buffer, context: ProcedureContext) => unknown;
}): Procedure {
  return definition as Procedure;
}

/**
 * Calls a procedure of one peer; what `daemon/` hands to the parts. A Buffer goes out in encoding `raw`, anything else as
 * JSON. Rejects with a Fault after `deadlineMs`.
 */
export type Call = (procedure: string, request: unknown, deadlineMs: number) => Promise<unknown>;
