// What a pod's worker asks of the API, as requests.
import { explain, Fault } from '../../base/fault.ts';
import { z } from '../../base/schema.ts';
import type { Pod } from '../objects/pod.ts';
import { API_REFUSED, type ApiClient, type ApiReply } from './api-client.ts';
import type { PodApi } from './sync.ts';

/** As much of a pod as must be right for the rest to be believed: it comes from our own API, which has validated it. */
const PodShape = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), uid: z.string(), resourceVersion: z.string() }),
  spec: z.looseObject({ containers: z.array(z.looseObject({ name: z.string() })), restartPolicy: z.string() }),
  status: z.looseObject({ phase: z.string() }),
});

/** A pod of the API's; throws a Fault where it is none. */
export function parsePod(raw: unknown): Pod {
  const parsed = PodShape.safeParse(raw);
  if (!parsed.success) throw new Fault(API_REFUSED, `the API sent a pod that is none: ${explain(parsed.error)}`);
  return parsed.data as unknown as Pod;
}

const podPath = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;

const TRIES = 3;

export function podApi(client: ApiClient): PodApi {
  const pathOf = ({ metadata }: Pod): string => podPath(metadata.namespace ?? 'default', metadata.name);
  /** The pod of this uid as it is now. */
  const current = async (pod: Pod): Promise<Pod | undefined> => {
    const { status, body } = await client.send('GET', pathOf(pod), { accept: [404] });
    const now = status === 404 ? undefined : parsePod(body);
    return now?.metadata.uid === pod.metadata.uid ? now : undefined;
  };
  /** Writes; where another was faster, on top of what is there now. */
  const write = async (pod: Pod, send: (now: Pod) => Promise<ApiReply>): Promise<Pod | undefined> => {
    let now: Pod | undefined = pod;
    for (let tries = 0; tries < TRIES && now !== undefined; tries += 1) {
      const { status, body } = await send(now);
      if (status === 404) return undefined;
      if (status !== 409) return parsePod(body);
      now = await current(pod);
    }
    if (now === undefined) return undefined;
    throw new Fault(API_REFUSED, `pod ${pod.metadata.name} changed under every write`);
  };
  return {
    writeStatus: (pod, status) =>
      write(pod, (now) =>
        client.send('PUT', `${pathOf(pod)}/status`, { body: { ...now, status }, accept: [404, 409] }),
      ),
    annotate: (pod, annotations) =>
      write(pod, ({ metadata: { uid } }) =>
        client.send('PATCH', pathOf(pod), { body: { metadata: { uid, annotations } }, accept: [404, 409] }),
      ),
    async confirmDeletion(pod) {
      const { uid } = pod.metadata;
      const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid } };
      await client.send('DELETE', pathOf(pod), { query: { gracePeriodSeconds: 0 }, body, accept: [404, 409] });
    },
    async uidOf(namespace, name) {
      const { status, body } = await client.send('GET', podPath(namespace, name), { accept: [404] });
      return status === 404 ? undefined : parsePod(body).metadata.uid;
    },
  };
}
