// The image of a container, brought to the host as its pull policy says; one pull at a time for each image.
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../../base/fault.ts';
import type { Docker } from '../../../drivers/docker/index.ts';
import type { Container } from '../../objects/pod.ts';
import { IMAGE_NAME_INVALID, IMAGE_NEVER_PULL, IMAGE_PULL_FAILED, IMAGE_PULLING } from '../faults.ts';

interface LocalImage {
  readonly id: string;
  /** As the image has it: `user`, `uid`, `user:group`, or empty. */
  readonly user: string;
}

export interface Images {
  /** Rejects where it may not be had, and where its pull goes on longer than one start may take. */
  ensure(docker: Pick<Docker, 'image'>, image: string, policy: Container['imagePullPolicy']): Promise<LocalImage>;
}

/** How long a start waits for a pull; the pull itself goes on. */
const WAIT_MS = 60_000;

/** distribution/reference: domain, path, tag, digest. */
const DOMAIN = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?`;
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REFERENCE = new RegExp(
  String.raw`^(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*(?::\w[\w.-]{0,127})?(?:@[A-Za-z]\w*(?:[-_+.][A-Za-z]\w*)*:[0-9a-fA-F]{32,})?$`,
);
const MAX_CHARS = 512;

/** Whether Docker could take it for the name of an image. */
export const isImageName = (text: string): boolean => text.length <= MAX_CHARS && REFERENCE.test(text);

/** `engine` is the one without the deadline of a single start: pulls outlive that, and a start waits `waitMs` for them. */
export function openImages(engine: Pick<Docker, 'pull'>, waitMs = WAIT_MS): Images {
  const pulls = new Map<string, Promise<void>>();
  const pull = (image: string): Promise<void> => {
    const under = pulls.get(image);
    if (under !== undefined) return under;
    const begun = engine.pull(image).finally(() => pulls.delete(image));
    pulls.set(image, begun);
    // Nobody may be waiting any more when it fails; the next start asks again.
    begun.catch(() => undefined);
    return begun;
  };
  return {
    async ensure(docker, image, policy = 'IfNotPresent') {
      if (!isImageName(image))
        throw new Fault(IMAGE_NAME_INVALID, `${JSON.stringify(image)} is not the name of an image`);
      const local = policy === 'Always' ? undefined : await docker.image(image);
      if (local !== undefined) return { id: local.Id, user: local.Config?.User ?? '' };
      if (policy === 'Never')
        throw new Fault(IMAGE_NEVER_PULL, `image ${image} is not on this host, and imagePullPolicy is Never`);
      await within(pull(image), image, waitMs);
      const pulled = await docker.image(image);
      if (pulled === undefined) throw new Fault(IMAGE_PULL_FAILED, `image ${image} was pulled, and is gone again`);
      return { id: pulled.Id, user: pulled.Config?.User ?? '' };
    },
  };
}

async function within(pull: Promise<void>, image: string, waitMs: number): Promise<void> {
  const waiting = new AbortController();
  const late = sleep(waitMs, 'late' as const, { signal: waiting.signal }).catch(() => undefined);
  try {
    if ((await Promise.race([pull, late])) === 'late') {
      throw new Fault(IMAGE_PULLING, `image ${image} is being pulled for more than ${waitMs / 1000} s`);
    }
  } catch (error) {
    if (error instanceof Fault && error.code === IMAGE_PULLING.code) throw error;
    throw new Fault(IMAGE_PULL_FAILED, `image ${image} cannot be pulled`, { cause: error });
  } finally {
    waiting.abort();
  }
}
