// Events as a resource of the API: what happened to an object, kept for an hour.
import { invalid } from '../objects/cause.ts';
import { eventShape } from '../objects/event-shape.ts';
import { refuseFinalizers, validateMeta } from '../objects/meta-validation.ts';
import type { Event } from '../objects/event.ts';
import { age } from './age.ts';
import { column, wide } from './columns.ts';
import type { Resource } from './resource.ts';

const eventTime = (event: Event): string =>
  event.lastTimestamp ?? event.series?.lastObservedTime ?? event.eventTime ?? event.metadata.creationTimestamp;

export const events: Resource = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  description: 'Something that happened to an object, kept for an hour after it was seen last.',
  shortNames: ['ev'],
  namespaced: true,
  fields: eventShape,
  write: 'admin',
  // The node agent writes them all the time; an admin who wants to hide something gains nothing by an event.
  audited: false,
  prepare: (object) => object,
  validate: (object) => {
    const { namespace } = (object as Event).involvedObject ?? {};
    const wrong = namespace !== undefined && namespace !== '' && namespace !== object.metadata.namespace;
    return [
      ...validateMeta(object),
      ...refuseFinalizers(object),
      ...(wrong ? [invalid('involvedObject.namespace', namespace, 'does not match event.namespace')] : []),
    ];
  },
  selectable: (object) => {
    const { involvedObject = {}, reason, type, source, reportingComponent } = object as Partial<Event>;
    const fields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;
    return {
      ...Object.fromEntries(fields.map((field) => [`involvedObject.${field}`, involvedObject[field] ?? ''])),
      reason: reason ?? '',
      type: type ?? '',
      source: source?.component ?? reportingComponent ?? '',
      reportingComponent: reportingComponent ?? '',
    };
  },
  columns: [
    column('Last Seen', 'When it happened last'),
    column('Type', 'Normal or Warning'),
    column('Reason', 'What happened, one word'),
    column('Object', 'To what'),
    wide('Subobject', 'To which part of it'),
    wide('Source', 'Who saw it'),
    column('Message', 'What happened'),
    wide('First Seen', 'When it happened first'),
    wide('Count', 'How often'),
    wide('Name', 'Name of the event'),
  ],
  cells(object, now) {
    const event = object as Event;
    const { kind = '', name = '', fieldPath = '' } = event.involvedObject ?? {};
    return [
      age(eventTime(event), now),
      event.type ?? 'Normal',
      event.reason ?? '',
      `${kind.toLowerCase()}/${name}`,
      fieldPath,
      [event.source?.component ?? event.reportingComponent, event.source?.host].filter(Boolean).join(', '),
      (event.message ?? '').trim(),
      age(event.firstTimestamp ?? eventTime(event), now),
      event.count ?? 1,
      event.metadata.name,
    ];
  },
  deletion: () => ({ how: 'now' }),
};
