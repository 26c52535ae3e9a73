// What metadata has to be like, at creation and at a change.
import { type Cause, forbidden, invalid, required } from './cause.ts';
import { dnsSubdomain, labelValue, qualifiedName } from './names.ts';
import type { KubeObject } from './meta.ts';

const MAX_ANNOTATIONS = 256 * 1024;

type NameCheck = (name: string) => string | undefined;

export function validateMeta({ metadata }: KubeObject, checkName: NameCheck = dnsSubdomain): readonly Cause[] {
  const causes: Cause[] = [];
  if ((metadata.name ?? '') === '') causes.push(required('metadata.name', 'name or generateName is required'));
  else {
    const wrong = checkName(metadata.name);
    if (wrong !== undefined) causes.push(invalid('metadata.name', metadata.name, wrong));
  }
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    // Kubernetes checks annotations' keys in lower case.
    const wrong = qualifiedName(key.toLowerCase());
    if (wrong !== undefined) causes.push(invalid('metadata.annotations', key, wrong));
    size += key.length + value.length;
  }
  if (size > MAX_ANNOTATIONS) {
    causes.push({
      reason: 'FieldValueTooLong',
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${MAX_ANNOTATIONS} bytes`,
    });
  }
  return [...causes, ...validateLabels(metadata.labels ?? {}, 'metadata.labels')];
}

export function validateLabels(labels: Readonly<Record<string, string>>, field: string): readonly Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const key_ = qualifiedName(key);
    const value_ = labelValue(value);
    return [
      ...(key_ === undefined ? [] : [invalid(field, key, key_)]),
      ...(value_ === undefined ? [] : [invalid(field, value, value_)]),
    ];
  });
}

/** Names of finalizers: only what controllers of this daemon know could ever take one away again. */
export const refuseFinalizers = ({ metadata }: KubeObject, known: readonly string[] = []): readonly Cause[] =>
  (metadata.finalizers ?? [])
    .filter((one) => !known.includes(one))
    .map((one) =>
      forbidden('metadata.finalizers', `the finalizer ${JSON.stringify(one)} is not supported in this version`),
    );
