// Faults as Kubernetes' Status, whoever throws them: the verbs, the store, or the front door before them.
import type { Fault } from '../../base/fault.ts';
import type { FaultBody } from '../../base/route.ts';
import { KubeFault, type Reason } from './faults.ts';

const REASONS: Readonly<Record<number, Reason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** A Status of a failure (meta/v1). The code and the remedy of the fault stand under `fault`. */
export function failure(fault: Fault): Readonly<Record<string, unknown>> {
  const kube = fault instanceof KubeFault ? fault : undefined;
  const subject = kube?.subject;
  const causes =
    kube?.causes ??
    fault.details.map(({ path, expected }) => ({ reason: 'FieldValueInvalid', field: path, message: expected }));
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: fault.message,
    reason: kube?.reason ?? REASONS[fault.status] ?? 'InternalError',
    details: {
      ...(subject === undefined ? {} : { name: subject.name, group: subject.group, kind: subject.kind }),
      ...(causes.length === 0 ? {} : { causes }),
    },
    code: fault.status,
    // Beside what Kubernetes knows; clients ignore it.
    fault: { code: fault.code, remedy: fault.remedy },
  };
}

export const success = (subject: { readonly kind: string; readonly name: string; readonly uid: string }): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: subject,
});

/** For the `problem` of every route of the Kubernetes API. */
export const statusBody = (fault: Fault): FaultBody => ({
  type: 'application/json',
  body: JSON.stringify(failure(fault)),
});
