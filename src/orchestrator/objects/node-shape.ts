// The fields of a Node.
import { conditionsShape, typeShape } from './meta-shape.ts';
import { anything, type Field, flag, integer, list, map, object, quantity, refused, set, text, time } from './shape.ts';

const info = object({
  machineID: text,
  systemUUID: text,
  bootID: text,
  kernelVersion: text,
  osImage: text,
  containerRuntimeVersion: text,
  kubeletVersion: text,
  kubeProxyVersion: text,
  operatingSystem: text,
  architecture: text,
  swap: anything,
});

export const nodeShape: Readonly<Record<string, Field>> = {
  ...typeShape,
  spec: object({
    podCIDR: text,
    podCIDRs: set(text),
    providerID: text,
    unschedulable: flag,
    taints: refused(
      'taints are not supported in this version; use unschedulable (kubectl cordon)',
      list(object({ key: text, value: text, effect: text, timeAdded: time })),
    ),
    configSource: refused('configuration by the API is not supported'),
    externalID: text,
  }),
  status: object({
    capacity: map(quantity),
    allocatable: map(quantity),
    phase: text,
    conditions: conditionsShape,
    addresses: list(object({ type: text, address: text }), 'type'),
    daemonEndpoints: object({ kubeletEndpoint: object({ Port: integer }) }),
    nodeInfo: info,
    images: list(object({ names: list(text), sizeBytes: integer })),
    volumesInUse: list(text),
    volumesAttached: anything,
    config: anything,
    runtimeHandlers: anything,
    features: anything,
    declaredFeatures: anything,
  }),
};
