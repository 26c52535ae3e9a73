// What the probe process tells the serve process after each collection, as bytes of a yaRPC request in encoding `raw`.
import { z } from '../base/schema.ts';
import { FAMILY_TYPES } from './collector.ts';
import type { WrittenFamily } from './family-writer.ts';

const count = z.number().int().nonnegative();

const MOST_FAMILIES = 100_000;

/** Families by their place: there are hundreds in each round, and lists of words and numbers are quickly checked. */
const Families = z
  .object({
    names: z.array(z.string()).max(MOST_FAMILIES),
    samples: z.array(count),
    bytes: z.array(count),
    /** What is said of those that are not declared. */
    found: z.array(z.object({ at: count, help: z.string(), type: z.enum(FAMILY_TYPES) })).optional(),
  })
  .refine(({ names, samples, bytes }) => samples.length === names.length && bytes.length === names.length);

/** What stands before the bytes of a publication, as JSON. */
const Head = z.object({
  collector: z.string(),
  /** Unix milliseconds at the end of the collection. */
  at: z.number(),
  /** Until the next collection. */
  periodSeconds: z.number(),
  durationSeconds: z.number(),
  /** CPU time of the collection. */
  cpuSeconds: z.number().nonnegative().optional(),
  /** Present when the period is longer than configured: what was configured, and the share of a core it would cost then. */
  stretched: z.object({ fromSeconds: z.number(), cpuRatio: z.number() }).optional(),
  /** Why it failed; absent on success. */
  error: z.object({ reason: z.enum(['failed', 'permission', 'absent', 'deadline']), message: z.string() }).optional(),
  /** Samples that went beyond `probes.maxSeries`. */
  dropped: count.optional(),
  /** Samples of series that had one in this collection already. */
  duplicates: count.optional(),
  /** Label values that were cut to `probes.maxLabelLength`. */
  cut: count.optional(),
  /** Targets this collector skips because reading them hung. */
  quarantined: z.array(z.object({ target: z.string(), since: z.number(), until: z.number() })),
  details: z.unknown().optional(),
  families: Families,
  stateBytes: count.optional(),
});

/** One collection, successful or not. */
export interface Publication extends Omit<z.output<typeof Head>, 'families' | 'stateBytes'> {
  readonly families: readonly WrittenFamily[];
  /** What the collector gets back when the probe process is started again. */
  readonly state?: Buffer | undefined;
}

/** Series that a publication brings. */
export const seriesOf = ({ families }: Publication): number => families.reduce((sum, { samples }) => sum + samples, 0);

const LENGTH_BYTES = 4;

/**
 * The bytes of publications, each: the length of its head, the head, the lines of its families, its state. They are
 * copied into a buffer that `take` gives for their length.
 */
export function encodePublications(publications: readonly Publication[], take: (length: number) => Buffer): Buffer {
  const pieces = publications.flatMap(piecesOf);
  const bytes = take(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) at += piece.copy(bytes, at);
  return bytes;
}

function piecesOf({ families, state, ...rest }: Publication): readonly Buffer[] {
  const head = Buffer.from(
    JSON.stringify({
      ...rest,
      families: {
        names: families.map(({ name }) => name),
        samples: families.map(({ samples }) => samples),
        bytes: families.map(({ text }) => text.length),
        found: foundIn(families),
      },
      ...(state === undefined ? {} : { stateBytes: state.length }),
    } satisfies z.input<typeof Head>),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return [length, head, ...families.map(({ text }) => text), ...(state === undefined ? [] : [state])];
}

function foundIn(families: Publication['families']): z.input<typeof Families>['found'] {
  const found = families.flatMap(({ found: said }, at) => (said === undefined ? [] : [{ at, ...said }]));
  return found.length === 0 ? undefined : found;
}

/** Reads publications that follow each other. They are views of `bytes`. Throws when it is not what was encoded. */
export function decodePublications(bytes: Buffer): readonly Publication[] {
  const publications: Publication[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    if (length > bytes.length - at) throw new Error(`a publication ends before its ${length} bytes`);
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const head = Head.parse(JSON.parse(take(take(LENGTH_BYTES).readUInt32LE()).toString('utf8')));
    const { families, stateBytes, ...rest } = head;
    const { names, samples, bytes: lengths } = families;
    const found = new Map(families.found?.map(({ at: place, ...said }) => [place, said]));
    publications.push({
      ...rest,
      families: names.map((name, place) => {
        const family = { name, samples: samples[place] ?? 0, text: take(lengths[place] ?? 0) };
        const said = found.get(place);
        return said === undefined ? family : { ...family, found: said };
      }),
      ...(stateBytes === undefined ? {} : { state: take(stateBytes) }),
    });
  }
  return publications;
}

const JSON_STATE = Buffer.of(0);
const BYTES_STATE = Buffer.of(1);

/** What a collector saves, as the bytes that are kept for it. */
export function packState(state: unknown): Buffer | undefined {
  if (state === undefined) return undefined;
  return Buffer.isBuffer(state)
    ? Buffer.concat([BYTES_STATE, state])
    : Buffer.concat([JSON_STATE, Buffer.from(JSON.stringify(state))]);
}

/** What {@link packState} was given. */
export function unpackState(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  return bytes[0] === BYTES_STATE[0] ? bytes.subarray(1) : JSON.parse(bytes.toString('utf8', 1));
}

/** The same publication with its bytes in `store`, which must have room for {@link bytesOf} it. */
export function copyPublication(publication: Publication, store: Buffer): Publication {
  let at = 0;
  const keep = (bytes: Buffer): Buffer => store.subarray(at, (at += bytes.copy(store, at)));
  const families = publication.families.map((family) => ({ ...family, text: keep(family.text) }));
  return { ...publication, families, state: publication.state && keep(publication.state) };
}

export const bytesOf = ({ families, state }: Publication): number =>
  families.reduce((sum, { text }) => sum + text.length, state?.length ?? 0);

/** The answer to `Probes::publish`: of which collectors nothing was published since the serve process was started. */
export const Published = z.object({ missing: z.array(z.string()) });

/** The answer to `Probes::resume`: the states saved from the process before, in base64. */
export const Resumption = z.object({ states: z.record(z.string(), z.base64()) });
export type Resumption = z.output<typeof Resumption>;
