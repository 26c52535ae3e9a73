// What all verbs work with, and the addresses of objects in the store.
import { Fault } from '../../base/fault.ts';
import type { AnyObject } from '../objects/meta.ts';
import { keyPrefix, objectKey } from '../store/key.ts';
import { OBJECT_CONFLICT, OBJECT_EXISTS, OBJECT_NOT_FOUND, type ObjectStore } from '../store/object-store.ts';
import { alreadyExists, badRequest, conflict, MODIFIED, notFound } from './faults.ts';
import type { KubeRequest } from './request.ts';
import { type Resource, subjectOf } from './resource.ts';

export interface ApiContext {
  readonly objects: ObjectStore;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** A new uid, as a UUID. */
  readonly newUid: () => string;
  /** Aborts when the part stops: watches and logs end. */
  readonly stopping: () => AbortSignal;
}

export interface Target {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly key: string;
}

export const prefixOf = (resource: Resource, namespace: string | undefined): string =>
  keyPrefix({ group: resource.group, plural: resource.plural, namespace });

export const keyOf = (resource: Resource, namespace: string | undefined, name: string): string =>
  objectKey({ group: resource.group, plural: resource.plural, namespace }, name);

/** A segment of a key: what is none could reach another's. Throws 400. */
function segment(text: string | undefined): string | undefined {
  if (text === undefined || /^[A-Za-z0-9][-A-Za-z0-9._:]{0,252}$/.test(text)) return text;
  throw badRequest(`${JSON.stringify(text.slice(0, 60))} can be no name`);
}

/** The object that a path names. */
export function targetOf(resource: Resource, { params }: Pick<KubeRequest, 'params'>): Target {
  const namespace = resource.namespaced ? segment(params['namespace']) : undefined;
  const name = segment(params['name']) ?? '';
  return { namespace, name, key: keyOf(resource, namespace, name) };
}

export const namespaceOf = (resource: Resource, { params }: Pick<KubeRequest, 'params'>): string | undefined =>
  resource.namespaced ? segment(params['namespace']) : undefined;

/** The object, or 404. */
export async function read({ objects }: ApiContext, resource: Resource, { key, name }: Target): Promise<AnyObject> {
  const found = await objects.get(key);
  if (found === undefined) throw notFound(subjectOf(resource, name));
  return found;
}

const TRIES = 5;

/**
 * Runs a change again on what is there now while others are faster; `once` where the client named the version it meant.
 * Faults of the store become those of the API.
 */
export async function retrying<T>(resource: Resource, name: string, change: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code === OBJECT_CONFLICT.code && left > 1) continue;
      if (error.code === OBJECT_CONFLICT.code) throw conflict(subjectOf(resource, name), MODIFIED);
      if (error.code === OBJECT_EXISTS.code) throw alreadyExists(subjectOf(resource, name));
      if (error.code === OBJECT_NOT_FOUND.code) throw notFound(subjectOf(resource, name));
      throw error;
    }
  }
}
