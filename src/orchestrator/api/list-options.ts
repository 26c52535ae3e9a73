// From which state a list or a watch is asked for (meta/v1 ListOptions, apimachinery/pkg/apis/meta/internalversion/validation).
import { forbidden, oneOf, type Cause } from '../objects/cause.ts';
import { HISTORY_EXPIRED } from '../store/object-store.ts';
import { badRequest, invalidObject, KubeFault, TOO_NEW } from './faults.ts';
import { isTrue, type KubeRequest, parameter } from './request.ts';

export interface ListOptions {
  /** Undefined where any state will do. */
  readonly revision: number | undefined;
  /** Whether only that very state will do. */
  readonly exact: boolean;
  /** Of a watch: whether it begins with what there is, and says when that was all; undefined where the client leaves it open. */
  readonly initialEvents: boolean | undefined;
}

const MATCHES = ['Exact', 'NotOlderThan'];
const REVISION = 'resourceVersion';
const MATCH = 'resourceVersionMatch';
const INITIAL = 'sendInitialEvents';

function causes(request: KubeRequest, watching: boolean): readonly Cause[] {
  const match = parameter(request, MATCH) ?? '';
  const initial = parameter(request, INITIAL);
  const revision = parameter(request, REVISION) ?? '';
  if (watching) {
    if (initial === undefined)
      return match === '' ? [] : [forbidden(MATCH, `${MATCH} is forbidden for watch unless ${INITIAL} is provided`)];
    return match === 'NotOlderThan' ? [] : [forbidden(MATCH, `${INITIAL} requires setting ${MATCH} to NotOlderThan`)];
  }
  if (initial !== undefined) return [forbidden(INITIAL, `${INITIAL} is forbidden for list`)];
  if (match === '') return [];
  if ((parameter(request, 'continue') ?? '') !== '')
    return [forbidden(MATCH, `${MATCH} is forbidden when continue is provided`)];
  if (revision === '') return [forbidden(MATCH, `${MATCH} is forbidden unless ${REVISION} is provided`)];
  if (match === 'Exact' && revision === '0')
    return [forbidden(MATCH, `${MATCH} "Exact" is forbidden for ${REVISION} "0"`)];
  return oneOf(MATCH, match, MATCHES);
}

/** Throws 400 for what is no version, 422 for options that contradict each other. */
export function listOptions(request: KubeRequest, watching: boolean): ListOptions {
  const revision = parameter(request, REVISION) ?? '';
  if (!/^\d{0,15}$/.test(revision))
    throw badRequest(`invalid resource version ${JSON.stringify(revision.slice(0, 40))}`);
  const wrong = causes(request, watching);
  if (wrong.length > 0) throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions', name: '' }, wrong);
  const initial = parameter(request, INITIAL);
  return {
    revision: revision === '' || revision === '0' ? undefined : Number(revision),
    exact: parameter(request, MATCH) === 'Exact',
    initialEvents: initial === undefined ? undefined : isTrue(initial),
  };
}

/** Throws where what is there now is not the state asked for: 504 for one that is yet to come, 410 for one that is past. */
export function checkRevision({ revision, exact }: ListOptions, current: number): void {
  if (revision === undefined) return;
  if (revision > current) {
    const message = `Too large resource version: ${revision}, current: ${current}`;
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
    throw new KubeFault(TOO_NEW, 'Timeout', message, { causes });
  }
  if (exact && revision < current) {
    throw new KubeFault(HISTORY_EXPIRED, 'Expired', 'the state at this resourceVersion is no longer there as a list');
  }
}
