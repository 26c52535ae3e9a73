// What the operator sees after the start: addresses, the token's file, one line per part, the first inspection.
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthState } from '../base/component.ts';
import type { Call } from '../base/route.ts';
import { z } from '../base/schema.ts';
import type { DataDir } from './data-dir.ts';

const HEALTH_STATES = [
  'starting',
  'available',
  'limited',
  'missing',
  'failing',
] as const satisfies readonly HealthState[];

/** A part's health with its name, as the processes tell it each other. */
export const PartStatus = z.object({
  name: z.string(),
  state: z.enum(HEALTH_STATES),
  summary: z.string().optional(),
  reason: z.string().optional(),
  costs: z.string().optional(),
  remedy: z.string().optional(),
});

/** The answer of the serve process to `Daemon::summary`. */
export const Summary = z.object({
  version: z.string(),
  addresses: z.array(z.string()),
  parts: z.array(PartStatus),
  /** The first inspection as text, once it is done. */
  inspection: z.array(z.string()).optional(),
});
export type Summary = z.output<typeof Summary>;

const LISTENING_MS = 30_000;
const PARTS_MS = 8000;
const INSPECTION_MS = 20_000;

interface WelcomeOptions {
  readonly call: Call;
  readonly dir: DataDir;
  readonly say: (line: string) => void;
}

/** Prints what is known as soon as it is known. Never rejects: the daemon goes on when nobody can be asked. */
export async function welcome({ call, dir, say }: WelcomeOptions): Promise<void> {
  const ask = (): Promise<Summary | undefined> =>
    call('Daemon::summary', {}, 2000).then(
      (reply) => Summary.parse(reply),
      () => undefined,
    );
  const until = async (deadlineMs: number, ready: (summary: Summary) => boolean): Promise<Summary | undefined> => {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const summary = await ask();
      if ((summary !== undefined && ready(summary)) || Date.now() > end) return summary;
      await sleep(100);
    }
  };

  const up = await until(LISTENING_MS, ({ addresses }) => addresses.length > 0);
  if (up === undefined) return say('jdos: nothing listens yet; the log says why, `jdos status` shows when it does');
  const settled = (await until(PARTS_MS, ({ parts }) => parts.every(({ state }) => state !== 'starting'))) ?? up;
  for (const line of [...addressLines(settled, dir), ...partLines(settled)]) say(line);
  const inspected = await until(INSPECTION_MS, ({ inspection }) => inspection !== undefined);
  say('');
  for (const line of inspected?.inspection ?? ['the first inspection is still running: see `jdos report`']) say(line);
}

const addressLines = (summary: Summary, dir: DataDir): readonly string[] => [
  `jdos ${summary.version}`,
  ...summary.addresses.map((address) => `  listens   ${address}`),
  `  token     ${dir.adminTokenFile}`,
  `  data      ${dir.root}`,
];

const PART_COLUMNS = 15;

/** One line per part: what it can see, and what it cannot, why, what that costs and what to do. */
const partLines = (summary: Summary): readonly string[] => [
  '',
  ...summary.parts.map(({ name, state, summary: fact, reason, costs, remedy }) => {
    const words = [
      fact,
      reason,
      costs === undefined ? undefined : `without it: ${costs}`,
      remedy === undefined ? undefined : `try: ${remedy}`,
    ];
    return `  ${name.padEnd(PART_COLUMNS)}${state.padEnd(11)}${words.filter((word) => word !== undefined).join('; ')}`.trimEnd();
  }),
];
