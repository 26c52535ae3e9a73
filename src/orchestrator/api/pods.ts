// Pods as a resource of the API.
import { admitPod, ownAnnotations } from '../objects/pod-admission.ts';
import { defaultPod } from '../objects/pod-defaults.ts';
import { podShape } from '../objects/pod-shape.ts';
import { validatePodChange } from '../objects/pod-change.ts';
import { podWarnings, validatePod } from '../objects/pod-validation.ts';
import { qosClass } from '../objects/qos.ts';
import type { AnyObject } from '../objects/meta.ts';
import type { Pod } from '../objects/pod.ts';
import { AGE, column, NAME, wide } from './columns.ts';
import { podRow } from './pod-row.ts';
import type { Resource } from './resource.ts';

/** Safe after decoding and `prepare`: the shape table and the validation have seen to it. */
const asPod = (object: AnyObject): Pod => object as unknown as Pod;

export const pods: Resource = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  description: 'Containers that run together on one host, as the docker or the process runtime starts them.',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  fields: podShape,
  write: 'operate',
  status: 'admin',
  prepare(object, { caller, current }) {
    const given = defaultPod(asPod(object));
    const pod =
      caller === undefined
        ? given
        : ownAnnotations(given, caller.role === 'admin', current === undefined ? undefined : asPod(current));
    return { ...pod, status: { ...pod.status, phase: pod.status?.phase ?? 'Pending', qosClass: qosClass(pod) } };
  },
  validate: (object) => validatePod(asPod(object)),
  validateChange: (wanted, current) => validatePodChange(asPod(wanted), asPod(current)),
  warnings: (object) => podWarnings(asPod(object)),
  admit: (object, caller) => (caller.role === 'admin' ? [] : admitPod(asPod(object))),
  selectable: (object) => {
    const { spec, status } = object as Partial<Pod>;
    return {
      'spec.nodeName': spec?.nodeName ?? '',
      'spec.restartPolicy': spec?.restartPolicy ?? '',
      'spec.hostNetwork': String(spec?.hostNetwork === true),
      'status.phase': status?.phase ?? '',
      'status.podIP': status?.podIP ?? '',
    };
  },
  columns: [
    NAME,
    column('Ready', 'Containers that are ready, of all'),
    column('Status', 'What the pod is doing, or why it is not running'),
    column('Restarts', 'How often its containers were started again, and when last'),
    AGE,
    wide('IP', 'Address of the pod'),
    wide('Node', 'The node it is bound to'),
  ],
  cells: (object, now) => podRow(asPod(object), now),
  deletion(object, asked) {
    const { spec, status } = asPod(object);
    const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
    if (spec.nodeName === undefined || ended) return { how: 'now' };
    const seconds = asked ?? spec.terminationGracePeriodSeconds;
    return seconds === 0 ? { how: 'now' } : { how: 'grace', seconds };
  },
};
