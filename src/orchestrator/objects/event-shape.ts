// The fields of an Event (core/v1).
import { typeShape } from './meta-shape.ts';
import { type Field, integer, object, text, time } from './shape.ts';

const reference = object({
  kind: text,
  namespace: text,
  name: text,
  uid: text,
  apiVersion: text,
  resourceVersion: text,
  fieldPath: text,
});

export const eventShape: Readonly<Record<string, Field>> = {
  ...typeShape,
  involvedObject: reference,
  related: reference,
  reason: text,
  message: text,
  source: object({ component: text, host: text }),
  firstTimestamp: time,
  lastTimestamp: time,
  eventTime: time,
  count: integer,
  type: text,
  series: object({ count: integer, lastObservedTime: time }),
  action: text,
  reportingComponent: text,
  reportingInstance: text,
};
