// Events (core/v1): what happened to an object, in one sentence.
import type { KubeObject, Time } from './meta.ts';

interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

export interface Event extends KubeObject {
  readonly involvedObject?: ObjectReference;
  readonly reason?: string;
  readonly message?: string;
  readonly type?: 'Normal' | 'Warning';
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly firstTimestamp?: Time;
  readonly lastTimestamp?: Time;
  readonly eventTime?: Time;
  readonly count?: number;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: Time };
  readonly reportingComponent?: string;
}
