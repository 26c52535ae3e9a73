// The port to where objects are kept: SQLite here, etcd later; both pass test/contracts/object-store.ts.
import { faultKind } from '../../base/fault.ts';
import type { AnyObject } from '../objects/meta.ts';

export const OBJECT_EXISTS = faultKind('JD_OBJECT_EXISTS', 409, 'choose another name, or change the object there is');
export const OBJECT_CONFLICT = faultKind(
  'JD_OBJECT_CONFLICT',
  409,
  'read the object again, apply the change to what it is now, and send that',
);
export const OBJECT_NOT_FOUND = faultKind('JD_OBJECT_NOT_FOUND', 404, 'list what there is with kubectl get');
export const HISTORY_EXPIRED = faultKind(
  'JD_HISTORY_EXPIRED',
  410,
  'list again and watch from the resourceVersion of that list; changes are kept for ten minutes',
);

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: string;
  readonly revision: number;
  /** As it is now; as it was last where it was deleted. Its resourceVersion is the revision of the change. */
  readonly object: AnyObject;
  /** As it was before. */
  readonly previous?: AnyObject;
}

/** Changes in the order they were made. It ends by itself when its reader is too slow: list again then. */
export interface Watch extends AsyncDisposable {
  /** The next changes, at least one; undefined after the end; an empty list when `waitMs` went by without one. */
  next(waitMs: number): Promise<readonly WatchEvent[] | undefined>;
  /** Every change up to here was handed out by `next`. */
  revision(): number;
}

/** Another object that has to be there as it was read, for a write to happen. */
export interface Guard {
  readonly key: string;
  readonly resourceVersion: string;
}

interface ObjectPage {
  readonly items: readonly AnyObject[];
  /** The state of the whole store that the items belong to; watch from here. */
  readonly revision: number;
  /** The key to go on after, where there is more. */
  readonly next?: string;
}

/**
 * Objects by key (see `objectKey`). What a write acknowledged is on disk. `metadata.resourceVersion` is set by the store: one
 * counter over all objects that only grows.
 */
export interface ObjectStore {
  get(key: string): Promise<AnyObject | undefined>;
  /** Everything whose key begins with `prefix`, by key. */
  list(prefix: string, page?: { readonly limit?: number; readonly after?: string }): Promise<ObjectPage>;
  /** Rejects with JD_OBJECT_EXISTS; with JD_OBJECT_CONFLICT where the guard is gone or has changed. */
  create(key: string, object: AnyObject, guard?: Guard): Promise<AnyObject>;
  /** Replaces what has the resourceVersion that `object` carries. Rejects with JD_OBJECT_CONFLICT, JD_OBJECT_NOT_FOUND. */
  update(key: string, object: AnyObject): Promise<AnyObject>;
  /** Removes what has the resourceVersion that `object` carries; gives its last state. Rejects as `update` does. */
  remove(key: string, object: AnyObject): Promise<AnyObject>;
  /** Changes of keys that begin with `prefix`, after the revision `since`, or from now on. Rejects with JD_HISTORY_EXPIRED. */
  watch(prefix: string, since?: number): Promise<Watch>;
  /** Forgets history that is older than it needs to be. */
  compact(): Promise<void>;
}
