// What a DELETE asks for (meta/v1 DeleteOptions), in its body or its query.
import { decode } from '../objects/decode.ts';
import { type Field, flag, integer, list, object, text } from '../objects/shape.ts';
import { badRequest } from './faults.ts';
import { isDryRun, type KubeRequest, parameter, readBody, wholeNumber } from './request.ts';

export interface DeleteOptions {
  readonly graceSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly dryRun: boolean;
}

const fields: Readonly<Record<string, Field>> = {
  apiVersion: text,
  kind: text,
  gracePeriodSeconds: integer,
  preconditions: object({ uid: text, resourceVersion: text }),
  propagationPolicy: text,
  orphanDependents: flag,
  dryRun: list(text),
  ignoreStoreReadErrorWithClusterBreakingPotential: flag,
};

interface Body {
  readonly kind?: string;
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: string;
  readonly dryRun?: readonly string[];
}

/** Nothing here owns anything, so that all of them do the same. */
const POLICIES = ['Background', 'Foreground', 'Orphan'];

/** Throws 400: a misspelt precondition must not delete what it was to protect. */
export function deleteOptions(request: KubeRequest): DeleteOptions {
  const { value, repeated } = readBody(request);
  const found = decode(fields, value ?? {});
  const wrong = [...found.errors, ...found.unknown].map(({ text: why }) => why);
  const twice = repeated.map((field) => `duplicate field ${JSON.stringify(field)}`);
  if (wrong.length + twice.length > 0)
    throw badRequest(`DeleteOptions: ${[...wrong, ...twice].slice(0, 20).join(', ')}`);
  const { kind, preconditions, dryRun = [], ...body } = found.value as Body;
  if (kind !== undefined && kind !== 'DeleteOptions') throw badRequest(`the body is a ${kind}, not DeleteOptions`);
  const policy = body.propagationPolicy ?? parameter(request, 'propagationPolicy') ?? 'Background';
  if (!POLICIES.includes(policy)) throw badRequest(`propagationPolicy must be one of ${POLICIES.join(', ')}`);
  const graceSeconds = body.gracePeriodSeconds ?? wholeNumber(request, 'gracePeriodSeconds');
  if (graceSeconds !== undefined && graceSeconds < 0) {
    throw badRequest('gracePeriodSeconds must be a whole number that is not negative');
  }
  if (dryRun.some((one) => one !== 'All')) throw badRequest('dryRun must be All');
  return {
    graceSeconds,
    uid: preconditions?.uid,
    resourceVersion: preconditions?.resourceVersion,
    dryRun: isDryRun(request) || dryRun.length > 0,
  };
}
