// `Node::plan`: what the agent would do for these pods if they were bound here now. Nothing is carried out.
import type { Pod } from '../objects/pod.ts';
import type { Clock } from '../clock.ts';
import { plan, type PodView } from './plan.ts';
import { parsePod } from './pod-api.ts';
import type { Pods } from './pods.ts';
import type { PlanReply } from './procedures.ts';
import { render, targetOf } from './step.ts';
import type { PodSync } from './sync.ts';

/** A pod that the API has not made yet gets what the API would give it. */
function asBound(raw: unknown, pods: Pods): Pod {
  const given = raw as { metadata?: Record<string, unknown>; spec?: object; status?: object };
  const { namespace = 'default', name = '' } = given.metadata ?? {};
  const known = pods.named(String(namespace), String(name));
  const parsed = parsePod({
    ...given,
    metadata: { resourceVersion: '', namespace, uid: `not-made/${namespace}/${name}`, ...given.metadata },
    status: { phase: 'Pending', ...given.status },
  });
  return known === undefined ? parsed : { ...known, spec: parsed.spec };
}

export async function planFor(
  raw: readonly unknown[],
  { pods, sync, clock }: { readonly pods: Pods; readonly sync: PodSync; readonly clock: Clock },
): Promise<PlanReply> {
  const views: PodView[] = [];
  for (const pod of raw.map((each) => asBound(each, pods))) {
    const view = await sync.look(pod.metadata.uid, pod);
    if (view !== undefined) views.push(view);
  }
  const steps = plan(views, clock.now());
  return {
    steps: steps.map((step) => ({ kind: step.kind, target: targetOf(step), because: step.because })),
    text: render(steps),
  };
}
