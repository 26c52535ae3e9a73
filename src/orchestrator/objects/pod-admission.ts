// Who may create which pods: what an operator is refused, and what is written on a pod so that the node agent knows it too.
import { type Cause, forbidden } from './cause.ts';
import type { Pod, SecurityContext } from './pod.ts';
import { RUNTIME_ANNOTATION } from './pod.ts';
import { beyondBaseline, everyContainer } from './pod-security.ts';

/**
 * `"false"` on a pod that may not run on the process runtime with the users it has: it was created by an operator, and a
 * container would be root or a system account of the host there. The node agent refuses it on that runtime.
 * Written at creation by the API, whatever the client sends, and never changed.
 */
export const ROOT_PROCESS_ANNOTATION = 'jdos.io/allow-root-process';

/** Users below this are the host's own accounts (login.defs, UID_MIN); the process runtime puts no wall around them. */
const FIRST_USER = 1000;

const OWN = [ROOT_PROCESS_ANNOTATION, RUNTIME_ANNOTATION] as const;

/** What is wrong with the users of a pod where it runs as processes of the host. */
function asProcesses({ spec }: Pod): readonly Cause[] {
  const pod = spec.securityContext ?? {};
  const groups = [...(pod.supplementalGroups ?? []), ...(pod.fsGroup === undefined ? [] : [pod.fsGroup])];
  const wrongUser = (uid: number | undefined): boolean => uid === undefined || uid < FIRST_USER;
  return [
    ...(groups.some((gid) => gid < FIRST_USER)
      ? [forbidden('spec.securityContext', `groups below ${FIRST_USER} on the process runtime need admin`)]
      : []),
    ...everyContainer(spec, ({ securityContext: own = {} as SecurityContext }, field) => {
      const uid = own.runAsUser ?? pod.runAsUser;
      const gid = own.runAsGroup ?? pod.runAsGroup;
      return [
        ...(wrongUser(uid)
          ? [
              forbidden(
                `${field}.securityContext.runAsUser`,
                `the process runtime as root or as a user below ${FIRST_USER} needs admin`,
              ),
            ]
          : []),
        ...(gid !== undefined && gid < FIRST_USER
          ? [
              forbidden(
                `${field}.securityContext.runAsGroup`,
                `groups below ${FIRST_USER} on the process runtime need admin`,
              ),
            ]
          : []),
      ];
    }),
  ];
}

/** What a caller who is no admin may not ask for. */
export const admitPod = (pod: Pod): readonly Cause[] => [
  ...beyondBaseline(pod),
  ...(pod.spec.runtimeClassName === 'process' ? asProcesses(pod) : []),
];

/** The pod with the annotations that are the daemon's own: decided at creation, kept at changes, whatever the client sent. */
export function ownAnnotations(pod: Pod, isAdmin: boolean, current?: Pod): Pod {
  const annotations: Record<string, string> = { ...pod.metadata.annotations };
  for (const key of OWN) {
    // The node agent, which is an admin, notes the runtime it chose.
    if (key === RUNTIME_ANNOTATION && isAdmin) continue;
    delete annotations[key];
    const kept = current?.metadata.annotations?.[key];
    if (kept !== undefined) annotations[key] = kept;
  }
  if (current === undefined && !isAdmin && asProcesses(pod).length > 0) annotations[ROOT_PROCESS_ANNOTATION] = 'false';
  const { annotations: _, ...metadata } = pod.metadata;
  return { ...pod, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
}
