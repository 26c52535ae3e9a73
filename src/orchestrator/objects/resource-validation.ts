// Requests and limits of a container: known resources, quantities that are not negative, requests within limits.
import { type Cause, forbidden, invalid } from './cause.ts';
import type { ResourceRequirements } from './pod.ts';
import { parseBytes, parseMillicores, quantitySign } from './quantity.ts';

const KNOWN = ['cpu', 'memory', 'ephemeral-storage'];

const amount = (name: string, text: string): number => (name === 'cpu' ? parseMillicores(text) : parseBytes(text)) ?? 0;

export function validateResources(resources: ResourceRequirements | undefined, field: string): readonly Cause[] {
  const { requests = {}, limits = {} } = resources ?? {};
  const each = (given: Readonly<Record<string, string>>, where: string): readonly Cause[] =>
    Object.entries(given).flatMap(([name, text]) => {
      const at = `${field}.${where}[${name}]`;
      return [
        ...(KNOWN.includes(name)
          ? []
          : [
              forbidden(
                at,
                `the resource ${JSON.stringify(name)} is not supported in this version; ${KNOWN.join(', ')} are`,
              ),
            ]),
        ...(quantitySign(text) === -1 ? [invalid(at, text, 'must be greater than or equal to 0')] : []),
      ];
    });
  const above = Object.entries(requests).flatMap(([name, text]) => {
    const limit = limits[name];
    return limit === undefined || amount(name, text) <= amount(name, limit)
      ? []
      : [invalid(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`)];
  });
  return [...each(limits, 'limits'), ...each(requests, 'requests'), ...above];
}
