// The details of many containers, asked for once: what was seen stays true until an event tells otherwise.
import type { ContainerDetails, ContainerSummary, Docker } from '../../../drivers/docker/index.ts';

export interface Inspections {
  /**
   * The details of all of them; one that is removed meanwhile is left out, and so is one that is being started: about that
   * the engine answers only when it is done, and nobody but who starts it has to know.
   */
  of(
    docker: Pick<Docker, 'inspect'>,
    containers: readonly ContainerSummary[],
    isBusy: (name: string) => boolean,
  ): Promise<readonly ContainerDetails[]>;
  /** This container changed. */
  forget(container: string): void;
  /** Whether changes are told: without that nothing is kept. */
  heard(isHeard: boolean): void;
}

interface Kept {
  readonly state: string;
  readonly details: ContainerDetails;
}

const AT_ONCE = 16;

export function keepInspections(): Inspections {
  let kept = new Map<string, Kept>();
  let isHeard = false;
  /** What was asked before the events were heard may have changed unheard. */
  let hearing = 0;
  /** For each question under way, what changed meanwhile. */
  const questions = new Set<Set<string>>();

  const ask = async (
    docker: Pick<Docker, 'inspect'>,
    containers: readonly ContainerSummary[],
    changed: ReadonlySet<string>,
  ): Promise<Map<string, Kept>> => {
    const before = kept;
    const found = new Map<string, Kept>();
    const rest = [...containers];
    const work = async (): Promise<void> => {
      for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
        const { Id, State } = one;
        const had = before.get(Id);
        const details = had?.state === State && !changed.has(Id) ? had.details : await docker.inspect(Id);
        if (details !== undefined) found.set(Id, { state: State, details });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  };

  return {
    async of(docker, listed, isBusy) {
      const containers = listed.filter(
        ({ State, Names }) => State !== 'created' || !Names.some((name) => isBusy(name.replace(/^\//, ''))),
      );
      const changed = new Set<string>();
      const since = hearing;
      questions.add(changed);
      try {
        const found = await ask(docker, containers, changed);
        const details = containers.flatMap(({ Id }) => found.get(Id)?.details ?? []);
        for (const id of changed) found.delete(id);
        if (isHeard && since === hearing) kept = found;
        return details;
      } finally {
        questions.delete(changed);
      }
    },
    forget(container) {
      kept.delete(container);
      for (const changed of questions) changed.add(container);
    },
    heard(now) {
      isHeard = now;
      hearing += 1;
      kept = new Map();
    },
  };
}
