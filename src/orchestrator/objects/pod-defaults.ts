// What Kubernetes fills in where a pod says nothing (pkg/apis/core/v1/defaults.go), for the fields this version acts on or shows.
import type { Container, ContainerPort, Pod, PodSpec, Volume } from './pod.ts';

/** Whether an image has the tag `latest`, or neither tag nor digest. */
const isLatest = (image: string): boolean => {
  if (image.includes('@')) return false;
  const last = image.slice(image.lastIndexOf('/') + 1);
  return !last.includes(':') || last.endsWith(':latest');
};

const resourcesOf = ({ resources }: Container): Pick<Container, 'resources'> => {
  if (resources?.limits === undefined) return { resources: resources ?? {} };
  return { resources: { ...resources, requests: { ...resources.limits, ...resources.requests } } };
};

const defaultContainer = (container: Container, hostNetwork: boolean): Container => ({
  // Shown by every client; nothing here reads them.
  ...{ terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' },
  ...container,
  ...(container.image === undefined
    ? {}
    : { imagePullPolicy: container.imagePullPolicy ?? (isLatest(container.image) ? 'Always' : 'IfNotPresent') }),
  ...resourcesOf(container),
  ...(container.ports === undefined
    ? {}
    : {
        ports: container.ports.map((port): ContainerPort => ({
          ...port,
          protocol: port.protocol ?? 'TCP',
          ...(hostNetwork && port.hostPort === undefined ? { hostPort: port.containerPort } : {}),
        })),
      }),
  ...(container.env === undefined
    ? {}
    : {
        env: container.env.map((one) =>
          one.valueFrom?.fieldRef === undefined
            ? one
            : {
                ...one,
                valueFrom: {
                  fieldRef: { ...one.valueFrom.fieldRef, apiVersion: one.valueFrom.fieldRef.apiVersion ?? 'v1' },
                },
              },
        ),
      }),
});

const defaultVolume = (volume: Volume): Volume =>
  volume.emptyDir === undefined && volume.hostPath === undefined ? { ...volume, emptyDir: {} } : volume;

/** The spec with its defaults; applied again it changes nothing. Takes what was decoded: lists may be missing. */
function defaultPodSpec(spec: PodSpec): PodSpec {
  const hostNetwork = spec.hostNetwork === true;
  const containers = (list: readonly Container[]): readonly Container[] =>
    list.map((container) => defaultContainer(container, hostNetwork));
  return {
    ...{ dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler', enableServiceLinks: true },
    ...spec,
    restartPolicy: spec.restartPolicy ?? 'Always',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    securityContext: spec.securityContext ?? {},
    containers: containers(spec.containers ?? []),
    ...(spec.initContainers === undefined ? {} : { initContainers: containers(spec.initContainers) }),
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(defaultVolume) }),
  };
}

export const defaultPod = (pod: Pod): Pod => ({ ...pod, spec: defaultPodSpec(pod.spec ?? ({} as PodSpec)) });
