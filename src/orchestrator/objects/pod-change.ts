// What may be changed of a pod that is there: images, its deadline, added tolerations, and metadata.
import { isDeepStrictEqual } from 'node:util';
import { type Cause, forbidden } from './cause.ts';
import type { Container, Pod } from './pod.ts';

const TEXT =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

type Tolerations = { readonly tolerations?: readonly unknown[] };

/** The spec without what may change. */
function fixed(pod: Pod): unknown {
  const { activeDeadlineSeconds: _, containers, initContainers, ...rest } = pod.spec;
  const { tolerations: __, ...kept } = rest as typeof rest & Tolerations;
  const without = ({ image: _image, imagePullPolicy, ...container }: Container): unknown => ({
    ...container,
    imagePullPolicy,
  });
  return { ...kept, containers: containers.map(without), initContainers: (initContainers ?? []).map(without) };
}

/** Changed fields below `spec`, for the message; a short list names what stood where. */
function changed(wanted: unknown, current: unknown, path: string): readonly string[] {
  if (isDeepStrictEqual(wanted, current)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isObject(wanted) || !isObject(current) || Array.isArray(wanted) !== Array.isArray(current)) return [path];
  if (Array.isArray(wanted) && Array.isArray(current) && wanted.length !== current.length) return [path];
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(current)])];
  return keys.flatMap((key) =>
    changed(wanted[key], current[key], Array.isArray(wanted) ? `${path}[${key}]` : `${path}.${key}`),
  );
}

export function validatePodChange(wanted: Pod, current: Pod): readonly Cause[] {
  const fields = changed(fixed(wanted), fixed(current), 'spec');
  const causes: Cause[] = [];
  if (fields.length > 0) causes.push(forbidden('spec', `${TEXT}; changed: ${fields.slice(0, 10).join(', ')}`));
  const had = (current.spec as Tolerations).tolerations ?? [];
  const has = (wanted.spec as Tolerations).tolerations ?? [];
  if (!had.every((one) => has.some((other) => isDeepStrictEqual(one, other)))) {
    causes.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  const before = current.spec.activeDeadlineSeconds;
  const after = wanted.spec.activeDeadlineSeconds;
  if (before !== undefined && (after === undefined || after > before)) {
    causes.push(forbidden('spec.activeDeadlineSeconds', 'may only be made smaller, and not be taken away'));
  }
  return causes;
}
