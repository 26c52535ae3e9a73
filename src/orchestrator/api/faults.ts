// What the Kubernetes API refuses, with the reason and the causes that a Status carries beside the fault.
import { Fault, faultKind, type FaultKind } from '../../base/fault.ts';
import { type Cause, causeText } from '../objects/cause.ts';

const BAD_REQUEST = faultKind('JD_KUBE_BAD_REQUEST', 400, 'correct what the message names and send it again');
export const FORBIDDEN = faultKind(
  'JD_KUBE_FORBIDDEN',
  403,
  'use a token of an admin, or take out the fields that the message names',
);
export const TERMINATING = faultKind(
  'JD_KUBE_NAMESPACE_TERMINATING',
  403,
  'wait until the namespace is gone and create it anew, or use another',
);
export const NOT_FOUND = faultKind(
  'JD_KUBE_NOT_FOUND',
  404,
  'list what there is with kubectl get, in all namespaces with -A',
);
export const NOT_SERVED = faultKind(
  'JD_KUBE_NOT_SERVED',
  405,
  'see docs/kubernetes.md for what is served; docker exec and nsenter work on the host of the pod',
);
const ALREADY_EXISTS = faultKind('JD_KUBE_EXISTS', 409, 'use kubectl apply to change what is there');
export const CONFLICT = faultKind(
  'JD_KUBE_CONFLICT',
  409,
  'read the object again, apply the change to what it is now, and send that',
);
export const TOO_LARGE = faultKind('JD_KUBE_TOO_LARGE', 413, 'objects may have 1 MiB; keep data elsewhere');
export const MEDIA = faultKind(
  'JD_KUBE_MEDIA_TYPE',
  415,
  'send JSON or YAML: protobuf is read of a few kinds only; patches as JSON patch, merge patch or strategic merge patch',
);
export const TOO_NEW = faultKind(
  'JD_KUBE_TOO_NEW',
  504,
  'list again without a resourceVersion: this one is of another store, or of one before a backup was restored',
);
export const INVALID = faultKind('JD_KUBE_INVALID', 422, 'correct the named fields');

/** Kubernetes' `reason` (apimachinery/pkg/apis/meta/v1/types.go), by which clients tell errors apart. */
export type Reason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout';

/** What an error is about. */
export interface Subject {
  readonly group: string;
  /** The plural where an object is looked for, the kind where one is wrong: as Kubernetes does it. */
  readonly kind: string;
  readonly name: string;
}

export class KubeFault extends Fault {
  readonly reason: Reason;
  readonly subject: Subject | undefined;
  readonly causes: readonly { readonly reason: string; readonly field?: string; readonly message: string }[];

  constructor(
    kind: FaultKind,
    reason: Reason,
    message: string,
    about: { subject?: Subject; causes?: KubeFault['causes'] } = {},
  ) {
    super(kind, message);
    this.reason = reason;
    this.subject = about.subject;
    this.causes = about.causes ?? [];
  }
}

export const badRequest = (message: string, causes: KubeFault['causes'] = []): KubeFault =>
  new KubeFault(BAD_REQUEST, 'BadRequest', message, { causes });

export const notFound = (subject: Subject): KubeFault =>
  new KubeFault(NOT_FOUND, 'NotFound', `${subject.kind} ${JSON.stringify(subject.name)} not found`, { subject });

export const alreadyExists = (subject: Subject): KubeFault =>
  new KubeFault(ALREADY_EXISTS, 'AlreadyExists', `${subject.kind} ${JSON.stringify(subject.name)} already exists`, {
    subject,
  });

export const conflict = (subject: Subject, why: string): KubeFault =>
  new KubeFault(
    CONFLICT,
    'Conflict',
    `Operation cannot be fulfilled on ${subject.kind} ${JSON.stringify(subject.name)}: ${why}`,
    { subject },
  );

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

/** A manifest can have a hundred thousand faults; nobody reads more of them at once. */
const MOST_CAUSES = 100;

/** `Pod "x" is invalid: spec.containers: Required value`; several in brackets. */
export function invalidObject(subject: Subject, found: readonly Cause[]): KubeFault {
  const causes = found.slice(0, MOST_CAUSES);
  const texts = [...new Set(causes.map(causeText))];
  if (found.length > causes.length) texts.push(`and ${found.length - causes.length} more`);
  const [first = 'unknown'] = texts;
  const all = texts.length === 1 ? first : `[${texts.join(', ')}]`;
  return new KubeFault(INVALID, 'Invalid', `${subject.kind} ${JSON.stringify(subject.name)} is invalid: ${all}`, {
    subject,
    causes,
  });
}

/** `pods "x" is forbidden: …`. */
export const forbiddenObject = (subject: Subject, why: string, causes: readonly Cause[] = []): KubeFault =>
  new KubeFault(FORBIDDEN, 'Forbidden', `${subject.kind} ${JSON.stringify(subject.name)} is forbidden: ${why}`, {
    subject,
    causes: causes.slice(0, MOST_CAUSES),
  });
