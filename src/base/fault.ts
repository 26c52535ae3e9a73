// Errors an operator can act on: a stable code, what happened, and what to do next.

/** What `docs/errors.md` lists: one entry per code, its HTTP status and its remedy. */
export interface FaultKind {
  /** Stable name, `JD_` and capitals. Never used again once retired. */
  readonly code: `JD_${string}`;
  /** HTTP status when it crosses the front door (RFC 9110). */
  readonly status: number;
  /** What the operator should do, one sentence without a final full stop. */
  readonly remedy: string;
}

const kinds = new Map<string, FaultKind>();

/** Declares a kind of fault at module level. Throws when a code is declared twice. */
export function faultKind(code: `JD_${string}`, status: number, remedy: string): FaultKind {
  if (kinds.has(code)) throw new Error(`fault code ${code} is declared twice`);
  const kind = { code, status, remedy } as const;
  kinds.set(code, kind);
  return kind;
}

/** All kinds declared by the modules loaded so far, by code. */
export const faultKinds = (): readonly FaultKind[] => [...kinds.values()].sort((a, b) => a.code.localeCompare(b.code));

interface FaultOptions {
  readonly cause?: unknown;
  /** Replaces the kind's remedy where this case has a more precise one. */
  readonly remedy?: string;
  /** One entry per wrong field, for errors that report several. */
  readonly details?: readonly FieldError[];
}

/** One wrong field of an input: where, what stood there, what was expected. */
export interface FieldError {
  readonly path: string;
  readonly expected: string;
  readonly value?: unknown;
}

export class Fault extends Error {
  readonly code: string;
  readonly status: number;
  readonly remedy: string;
  readonly details: readonly FieldError[];

  constructor(kind: FaultKind, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = kind.code;
    this.status = kind.status;
    this.remedy = options.remedy ?? kind.remedy;
    this.details = options.details ?? [];
  }
}

/** The message of anything thrown, with its chain of causes: `outer: inner: innermost`. */
export function explain(error: unknown): string {
  const parts: string[] = [];
  let at: unknown = error;
  while (at !== undefined && at !== null && parts.length < 8) {
    const message = at instanceof Error ? at.message || at.name : String(at);
    if (parts.at(-1) !== message) parts.push(message);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ');
}

/** The `code` property that Node puts on system errors (`ENOENT`, `EACCES`…), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** For the default branch of a switch over a union: the compiler proves it is never reached. */
export function impossible(value: never): never {
  throw new TypeError(`unhandled variant: ${JSON.stringify(value)}`);
}
