// Which patch it is, by its media type, as a function from the object that is there to the one that is wanted.
import type { AnyObject } from '../objects/meta.ts';
import { badRequest, KubeFault, MEDIA } from './faults.ts';
import { jsonPatch, mergePatch } from './json-patch.ts';
import type { Resource } from './resource.ts';
import { strategicPatch } from './strategic-patch.ts';

/** Throws 400 for a body that is no patch, 415 for a kind of patch that is not supported. */
export function applyPatch(resource: Resource, type: string, body: unknown): (current: AnyObject) => unknown {
  const record = (): Readonly<Record<string, unknown>> => {
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
    throw badRequest('the patch must be an object');
  };
  switch (type) {
    case 'application/json-patch+json':
      return (current) => jsonPatch(current, body);
    case 'application/merge-patch+json': {
      const patch = record();
      return (current) => mergePatch(current, patch);
    }
    case 'application/strategic-merge-patch+json': {
      const patch = record();
      return (current) => strategicPatch(resource.fields, current, patch);
    }
    case 'application/apply-patch+yaml':
    case 'application/apply-patch+cbor':
      throw new KubeFault(
        MEDIA,
        'UnsupportedMediaType',
        'server-side apply is not supported in this version; kubectl apply without --server-side works',
      );
    default:
      throw new KubeFault(
        MEDIA,
        'UnsupportedMediaType',
        `${type.slice(0, 60) || 'no media type'} is no kind of patch that is known here`,
      );
  }
}
