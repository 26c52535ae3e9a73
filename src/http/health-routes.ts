// /livez, /readyz and the status of the daemon's parts.
import type { Health } from '../base/component.ts';
import { route, type Route } from '../base/route.ts';
import { z } from '../base/schema.ts';

export type Parts = ReadonlyMap<string, Health>;

/** One process of the daemon, as the status shows it; what could not be seen is absent. */
export interface ProcessFacts {
  readonly name: string;
  readonly pid: number;
  readonly user?: string;
  /** CPU used over the last period, 1 is one core. */
  readonly cpuRatio?: number;
  readonly residentBytes?: number;
  readonly restarts?: number;
}

/** What the front door cannot know itself. */
export interface DaemonFacts {
  readonly processes: readonly ProcessFacts[];
  /** Series in the exposition; absent when there is none yet. */
  readonly series?: number;
}

interface StatusSources {
  readonly parts: () => Parts;
  /** Asked before the parts are, whose health may be learnt by it. */
  readonly facts: () => DaemonFacts | Promise<DaemonFacts>;
  readonly version: string;
  readonly hostname: string;
  readonly now: () => number;
}

/** Whether a part keeps the daemon from being ready: what the host lacks does not. */
const holdsUp = ({ state }: Health): boolean => state === 'failing' || state === 'starting';

/** Kubernetes' lines: `[+]name ok`, `[-]name failed: reason`. */
function lines(parts: Parts): string {
  const each = [...parts].map(([name, health]) => {
    if (holdsUp(health)) return `[-]${name} ${health.state === 'failing' ? 'failed' : 'starting'}${reason(health)}`;
    return `[+]${name} ok${health.state === 'available' ? '' : ` (${health.state}${reason(health)})`}`;
  });
  return each.map((line) => `${line}\n`).join('');
}

const reason = (health: Health): string =>
  health.reason === undefined ? '' : `: ${health.reason.replace(/\s+/g, ' ').slice(0, 300)}`;

/** 200 or 503 and the text for it, from the health of the parts. */
export function readiness(parts: Parts, verbose: boolean): { readonly status: 200 | 503; readonly text: string } {
  if ([...parts.values()].some(holdsUp)) return { status: 503, text: `${lines(parts)}readyz check failed\n` };
  return { status: 200, text: verbose ? `${lines(parts)}readyz check passed\n` : 'ok\n' };
}

const HealthReply = z.object({
  name: z.string(),
  state: z.string(),
  reason: z.string().optional(),
  costs: z.string().optional(),
  remedy: z.string().optional(),
  summary: z.string().optional(),
});

const StatusReply = z.object({
  version: z.string(),
  host: z.string(),
  startedAt: z.number().describe('Unix milliseconds'),
  uptimeSeconds: z.number(),
  ready: z.boolean(),
  parts: z.array(HealthReply),
  processes: z.array(
    z.object({
      name: z.string(),
      pid: z.number().int(),
      user: z.string().optional(),
      cpuRatio: z.number().optional(),
      residentBytes: z.number().optional(),
      restarts: z.number().optional(),
    }),
  ),
  series: z.number().optional(),
});

/** The health routes of a daemon that has been up since they are made. */
export function healthRoutes({ parts, facts, version, hostname, now }: StatusSources): readonly Route[] {
  const startedAt = now();
  return [
    route({
      method: 'GET',
      path: '/livez',
      right: 'health',
      summary: 'Whether the daemon answers at all',
      handler: () => ({ body: 'ok\n' }),
    }),
    route({
      method: 'GET',
      path: '/readyz',
      right: 'health',
      summary: 'Whether every part works; with ?verbose one line per part',
      query: z.object({ verbose: z.string().optional() }),
      handler({ query }) {
        const { status, text } = readiness(parts(), query.verbose !== undefined);
        return { status, body: text };
      },
    }),
    route({
      method: 'GET',
      path: '/jdos/v1/status',
      right: 'read',
      summary: 'Version, uptime, parts with their health, processes and series',
      reply: StatusReply,
      async handler() {
        const more = await facts();
        const known = parts();
        return {
          body: {
            version,
            host: hostname,
            startedAt,
            uptimeSeconds: (now() - startedAt) / 1000,
            ready: ![...known.values()].some(holdsUp),
            parts: [...known].map(([name, health]) => ({ name, ...health })),
            ...more,
          },
        };
      },
    }),
  ];
}
