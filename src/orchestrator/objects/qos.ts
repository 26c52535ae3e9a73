// The QoS class of a pod (kubernetes pkg/apis/core/v1/helper/qos).
import type { Container, Pod, PodStatus } from './pod.ts';
import { parseBytes, parseMillicores } from './quantity.ts';

const amount = (name: string, text: string | undefined): number => {
  if (text === undefined) return 0;
  return (name === 'cpu' ? parseMillicores(text) : parseBytes(text)) ?? 0;
};

/** Guaranteed: every container has limits of both, and requests that equal them. BestEffort: none has any. */
export function qosClass({ spec }: Pick<Pod, 'spec'>): NonNullable<PodStatus['qosClass']> {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const asked = ({ resources }: Container): boolean =>
    ['cpu', 'memory'].some(
      (name) => amount(name, resources?.requests?.[name]) > 0 || amount(name, resources?.limits?.[name]) > 0,
    );
  if (!containers.some(asked)) return 'BestEffort';
  const guaranteed = ({ resources }: Container): boolean =>
    ['cpu', 'memory'].every((name) => {
      const limit = amount(name, resources?.limits?.[name]);
      return limit > 0 && amount(name, resources?.requests?.[name] ?? resources?.limits?.[name]) === limit;
    });
  return containers.every(guaranteed) ? 'Guaranteed' : 'Burstable';
}
