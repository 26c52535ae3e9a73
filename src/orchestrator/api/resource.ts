// What a kind is to the API. Adding a kind is one file that exports one of these, and one line in resources.ts.
import type { Caller, Right } from '../../base/route.ts';
import type { Cause } from '../objects/cause.ts';
import type { AnyObject } from '../objects/meta.ts';
import type { Field } from '../objects/shape.ts';
import type { Subject } from './faults.ts';

/** A column of a Table; priority 1 is shown by `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type?: 'string' | 'integer' | 'date';
  readonly priority?: 0 | 1;
  readonly description: string;
}

/** Who writes, absent for a status; and what is there already, at a change. */
interface Preparation {
  readonly caller?: Caller;
  readonly current?: AnyObject;
}

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  /** One sentence for `kubectl explain`. */
  readonly description: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly fields: Readonly<Record<string, Field>>;
  /** Whether all that selectors match can be deleted at once; it can unless said. */
  readonly collection?: false;
  /** The right to create, change and delete. Everyone with `read` reads. */
  readonly write: Right;
  /** Whether writes are audited; they are unless said. Only for what none but an admin writes. */
  readonly audited?: false;
  /** The right to write the status subresource, where there is one. Never audited: the node agent does it all the time. */
  readonly status?: Right;
  /** Fills in defaults and what the server owns. */
  readonly prepare: (object: AnyObject, about: Preparation) => AnyObject;
  readonly validate: (object: AnyObject) => readonly Cause[];
  /** What may not be changed. */
  readonly validateChange?: (wanted: AnyObject, current: AnyObject) => readonly Cause[];
  /** Warnings about an object that is valid. */
  readonly warnings?: (object: AnyObject) => readonly string[];
  /** What the caller may not ask for: an answer of 403 that names each field. */
  readonly admit?: (object: AnyObject, caller: Caller) => readonly Cause[];
  /** Values for field selectors, beside metadata.name and metadata.namespace. */
  readonly selectable: (object: AnyObject) => Readonly<Record<string, string>>;
  readonly columns: readonly Column[];
  readonly cells: (object: AnyObject, now: number) => readonly (string | number)[];
  /** How a deletion goes: at once, after a grace period, or by a controller that first removes what belongs to it. */
  readonly deletion: (object: AnyObject, askedSeconds: number | undefined) => Deletion;
}

type Deletion =
  | { readonly how: 'now' }
  | { readonly how: 'grace'; readonly seconds: number }
  | { readonly how: 'controller'; readonly mark: (object: AnyObject) => AnyObject }
  | { readonly how: 'refused'; readonly why: string };

export const apiVersionOf = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);

/** For errors about one that is looked for. */
export const subjectOf = ({ group, plural }: Resource, name: string): Subject => ({ group, kind: plural, name });

/** For errors about one that is wrong. */
export const kindSubject = ({ group, kind }: Resource, name: string): Subject => ({ group, kind, name });
