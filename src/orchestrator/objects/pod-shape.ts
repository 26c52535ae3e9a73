// The fields of a Pod (core/v1), all of them, with what this version does not act on marked.
import { appArmorProfile, container, seccompProfile, seLinuxOptions, windowsOptions } from './container-shape.ts';
import { conditionsShape, typeShape } from './meta-shape.ts';
import {
  anything,
  type Field,
  flag,
  integer,
  list,
  map,
  object,
  quantity,
  refused,
  text,
  time,
  withoutEffect,
} from './shape.ts';

/** Sources of volumes that are known and not there (core/v1 VolumeSource). */
const REFUSED_SOURCES = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'configMap',
  'csi',
  'downwardAPI',
  'ephemeral',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'image',
  'iscsi',
  'nfs',
  'persistentVolumeClaim',
  'photonPersistentDisk',
  'portworxVolume',
  'projected',
  'quobyte',
  'rbd',
  'scaleIO',
  'secret',
  'storageos',
  'vsphereVolume',
] as const;

const volume = object(
  {
    name: text,
    emptyDir: object({ medium: text, sizeLimit: quantity }),
    hostPath: object({ path: text, type: text }),
    ...Object.fromEntries(
      REFUSED_SOURCES.map((source): [string, Field] => [
        source,
        refused(`${source} volumes are not supported in this version; emptyDir and hostPath are`),
      ]),
    ),
  },
  { retainKeys: true },
);

const securityContext = object({
  runAsUser: integer,
  runAsGroup: integer,
  runAsNonRoot: flag,
  supplementalGroups: list(integer),
  supplementalGroupsPolicy: withoutEffect(text),
  fsGroup: integer,
  fsGroupChangePolicy: withoutEffect(text),
  sysctls: list(object({ name: text, value: text })),
  seccompProfile,
  seLinuxOptions: withoutEffect(seLinuxOptions),
  seLinuxChangePolicy: withoutEffect(text),
  appArmorProfile: withoutEffect(appArmorProfile),
  windowsOptions,
});

const selectorTerm = object({
  matchLabels: map(text),
  matchExpressions: list(object({ key: text, operator: text, values: list(text) })),
});
const nodeTerm = object({
  matchExpressions: list(object({ key: text, operator: text, values: list(text) })),
  matchFields: list(object({ key: text, operator: text, values: list(text) })),
});
const podTerm = object({
  labelSelector: selectorTerm,
  namespaces: list(text),
  topologyKey: text,
  namespaceSelector: selectorTerm,
  matchLabelKeys: list(text),
  mismatchLabelKeys: list(text),
});
const podAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: list(podTerm),
  preferredDuringSchedulingIgnoredDuringExecution: list(object({ weight: integer, podAffinityTerm: podTerm })),
});
const affinity = object({
  nodeAffinity: object({
    requiredDuringSchedulingIgnoredDuringExecution: object({ nodeSelectorTerms: list(nodeTerm) }),
    preferredDuringSchedulingIgnoredDuringExecution: list(object({ weight: integer, preference: nodeTerm })),
  }),
  podAffinity,
  podAntiAffinity: podAffinity,
});
const toleration = object({ key: text, operator: text, value: text, effect: text, tolerationSeconds: integer });
const spread = object({
  maxSkew: integer,
  topologyKey: text,
  whenUnsatisfiable: text,
  labelSelector: selectorTerm,
  minDomains: integer,
  nodeAffinityPolicy: text,
  nodeTaintsPolicy: text,
  matchLabelKeys: list(text),
});

const SELECTOR_ONLY = 'has no effect in this version; use nodeSelector';
const spec = object({
  initContainers: list(container, 'name'),
  containers: list(container, 'name'),
  volumes: list(volume, 'name'),
  restartPolicy: text,
  terminationGracePeriodSeconds: integer,
  activeDeadlineSeconds: integer,
  nodeName: text,
  nodeSelector: map(text),
  hostname: text,
  hostNetwork: flag,
  hostPID: flag,
  hostIPC: flag,
  shareProcessNamespace: flag,
  runtimeClassName: text,
  securityContext,
  ephemeralContainers: refused('ephemeral containers are not supported in this version'),
  serviceAccountName: withoutEffect(text, 'has no effect in this version; pods get no token for the API'),
  serviceAccount: withoutEffect(text, 'has no effect in this version; pods get no token for the API'),
  automountServiceAccountToken: withoutEffect(flag, 'has no effect in this version; pods get no token for the API'),
  imagePullSecrets: withoutEffect(
    list(object({ name: text }), 'name'),
    'has no effect in this version; images are pulled with the credentials of the daemon',
  ),
  subdomain: withoutEffect(text),
  affinity: withoutEffect(affinity, SELECTOR_ONLY),
  tolerations: withoutEffect(list(toleration), 'has no effect in this version; nodes have no taints'),
  topologySpreadConstraints: withoutEffect(list(spread, 'topologyKey'), SELECTOR_ONLY),
  schedulerName: withoutEffect(text, 'has no effect in this version', 'default-scheduler'),
  schedulingGates: refused('scheduling gates are not supported in this version'),
  priorityClassName: withoutEffect(text),
  priority: withoutEffect(integer),
  preemptionPolicy: withoutEffect(text),
  dnsPolicy: withoutEffect(
    text,
    'has no effect in this version; pods resolve names as their runtime does',
    'ClusterFirst',
  ),
  dnsConfig: withoutEffect(
    object({
      nameservers: list(text),
      searches: list(text),
      options: list(object({ name: text, value: text })),
    }),
  ),
  hostAliases: withoutEffect(list(object({ ip: text, hostnames: list(text) }), 'ip')),
  enableServiceLinks: withoutEffect(flag, 'has no effect in this version', true),
  readinessGates: refused('readiness gates are not supported in this version'),
  overhead: refused('the overhead of a pod is set by its runtime class'),
  setHostnameAsFQDN: withoutEffect(flag),
  hostUsers: withoutEffect(flag),
  hostnameOverride: refused('use hostname'),
  os: object({ name: text }),
  resourceClaims: refused('resource claims are not supported in this version'),
  resources: refused('resources of whole pods are not supported in this version; give them to the containers'),
  workloadRef: refused('workloads are not supported in this version'),
});

const state = object({
  waiting: object({ reason: text, message: text }),
  running: object({ startedAt: time }),
  terminated: object({
    exitCode: integer,
    signal: integer,
    reason: text,
    message: text,
    startedAt: time,
    finishedAt: time,
    containerID: text,
  }),
});
const containerStatus = object({
  name: text,
  state,
  lastState: state,
  ready: flag,
  started: flag,
  restartCount: integer,
  image: text,
  imageID: text,
  containerID: text,
  allocatedResources: map(quantity),
  resources: anything,
  volumeMounts: anything,
  user: anything,
});

const status = object({
  phase: text,
  conditions: conditionsShape,
  message: text,
  reason: text,
  nominatedNodeName: text,
  hostIP: text,
  hostIPs: list(object({ ip: text }), 'ip'),
  podIP: text,
  podIPs: list(object({ ip: text }), 'ip'),
  startTime: time,
  initContainerStatuses: list(containerStatus),
  containerStatuses: list(containerStatus),
  ephemeralContainerStatuses: list(containerStatus),
  qosClass: text,
  observedGeneration: integer,
  resize: text,
  resourceClaimStatuses: anything,
});

export const podShape: Readonly<Record<string, Field>> = { ...typeShape, spec, status };
