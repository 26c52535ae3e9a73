// A body as an object of its kind: unknown fields by `fieldValidation`, refused ones by name, warnings collected.
import { decode, type Misfit } from '../objects/decode.ts';
import type { AnyObject } from '../objects/meta.ts';
import { badRequest, invalidObject } from './faults.ts';
import { type BodyValue, type KubeRequest, parameter } from './request.ts';
import { apiVersionOf, kindSubject, type Resource } from './resource.ts';

export interface DecodedBody {
  readonly object: AnyObject;
  readonly warnings: readonly string[];
}

const MODES = ['Strict', 'Warn', 'Ignore'];

/** Throws 400 for what cannot be read, 422 for fields that are known and refused. */
export function decodeBody(resource: Resource, body: BodyValue, request: Pick<KubeRequest, 'query'>): DecodedBody {
  const mode = parameter(request, 'fieldValidation') ?? 'Warn';
  if (!MODES.includes(mode) && mode !== '') throw badRequest(`fieldValidation must be one of ${MODES.join(', ')}`);
  return decodeObject(resource, body, mode);
}

/** At most this many are named; a manifest of a million unknown fields is no reason for an answer of megabytes. */
const MOST_NAMED = 20;

export function decodeObject(resource: Resource, { value: raw, repeated }: BodyValue, mode: string): DecodedBody {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw badRequest('the body must be an object');
  const { kind, version } = resource;
  const wrong = (why: string, all: readonly Misfit[], separator: string): Error => {
    const named = all.slice(0, MOST_NAMED);
    const message = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}${named.map(({ text }) => text).join(separator)}`;
    return badRequest(
      message,
      named.map(({ field, text }) => ({ reason: 'FieldValueInvalid', field, message: text })),
    );
  };
  const { value, unknown: unknownFields, errors, refused, warnings } = decode(resource.fields, raw);
  if (errors.length > 0) throw wrong('', errors, '; ');
  const twice = repeated.map((field) => ({ field, text: `duplicate field ${JSON.stringify(field)}` }));
  const unknown = [...twice, ...unknownFields];
  if (unknown.length > 0 && mode === 'Strict') throw wrong('strict decoding error: ', unknown, ', ');
  const given = value as Partial<AnyObject>;
  const apiVersion = apiVersionOf(resource);
  if (given.kind !== undefined && given.kind !== kind) throw badRequest(`the object is a ${given.kind}, not a ${kind}`);
  if (given.apiVersion !== undefined && given.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${given.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  const metadata = given.metadata ?? ({} as AnyObject['metadata']);
  if (refused.length > 0) throw invalidObject(kindSubject(resource, metadata.name ?? ''), refused);
  return {
    object: { ...given, apiVersion, kind, metadata } as AnyObject,
    warnings: [...(mode === 'Ignore' ? [] : unknown.map(({ text }) => text)), ...warnings],
  };
}

const MAX_WARNINGS = 40;
const MAX_WARNING = 256;

/** The Warning header (RFC 7234, 5.5), which kubectl prints; absent without warnings. */
export function warningHeader(warnings: readonly string[]): { readonly warning?: string } {
  if (warnings.length === 0) return {};
  const quoted = [...new Set(warnings)].slice(0, MAX_WARNINGS).map((text) => {
    const plain = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_WARNING);
    return `299 - "${plain.replaceAll(/["\\]/g, '\\$&')}"`;
  });
  return { warning: quoted.join(', ') };
}
