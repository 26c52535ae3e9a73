// Where objects stand in the store: `/registry/<group|core>/<plural>/<namespace>/<name>`, the layout of Kubernetes in etcd.

export interface Place {
  /** Empty for the core group. */
  readonly group: string;
  readonly plural: string;
  /** Absent for what has no namespace, and for everything in all of them. */
  readonly namespace?: string | undefined;
}

/** The beginning of the keys of all objects of a kind, or of those in one namespace. */
export const keyPrefix = ({ group, plural, namespace }: Place): string =>
  `/registry/${group === '' ? 'core' : group}/${plural}/${namespace === undefined ? '' : `${namespace}/`}`;

export const objectKey = (place: Place, name: string): string => `${keyPrefix(place)}${name}`;
