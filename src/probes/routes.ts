// The routes of the probes: the exposition and its views, the processes, the collectors, the host.
import { Fault, faultKind } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Registry } from '../base/metrics.ts';
import { route, type Route, type RouteReply } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { openSpareBuffer } from '../base/spare-buffer.ts';
import type { View } from './collector.ts';
import { withoutKubeletLabels } from './container/metrics.ts';
import { CONTENT_TYPES, negotiate, renderExposition, type ExposedFamily } from './exposition.ts';
import { BY, type By, type FdsGrowthView } from './history/index.ts';
import { fdHeadroom, fdRatio } from './process/fd-use.ts';
import { nodeBuildFamily, nodeSelfFamilies, ownFamilies, selfFamilies } from './self-metrics.ts';
import type { CollectorFacts, Snapshots } from './snapshots.ts';

const BAD_SELECTION = faultKind(
  'JD_BAD_SELECTION',
  400,
  'give either collect[] or exclude[], each with names from /jdos/v1/collectors',
);
export const NOT_SEEN_YET = faultKind(
  'JD_NOT_SEEN_YET',
  503,
  'ask again in some seconds; if it stays so, /jdos/v1/collectors says why',
);

interface ProbeRoutesOptions {
  readonly snapshots: Snapshots;
  /** The daemon's own metrics. */
  readonly own: Registry;
  /** Has the fast collectors run and publish once now. */
  readonly refresh: () => Promise<void>;
  /** How fast processes gain file descriptors. */
  readonly fdsGrowth: Pick<FdsGrowthView, 'process'>;
  /** The daemon's. */
  readonly version: string;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export function probeRoutes(options: ProbeRoutesOptions): readonly Route[] {
  return [
    expositionRoute(options, undefined),
    expositionRoute(options, 'node'),
    expositionRoute(options, 'process'),
    expositionRoute(options, 'container'),
    expositionRoute(options, 'container', '/metrics/cadvisor'),
    expositionRoute(options, 'problem'),
    expositionRoute(options, 'ovs'),
    processesRoute(options),
    collectorsRoute(options),
    hostsRoute(options),
  ];
}

const names = z.union([z.string(), z.array(z.string()).max(200)]).optional();
const Selection = z.object({ 'collect[]': names, 'exclude[]': names });
type Selection = z.output<typeof Selection>;

function expositionRoute(
  { snapshots, own, version, log, now }: ProbeRoutesOptions,
  view: View | undefined,
  path = view === undefined ? '/metrics' : `/metrics/${view}`,
): Route {
  const spare = openSpareBuffer();
  const offered = snapshots.facts.filter((facts) => view === undefined || facts.view === view);
  return route({
    method: 'GET',
    path,
    right: 'metrics',
    summary:
      view === undefined
        ? 'Every metric in the Prometheus exposition formats'
        : `The metrics compatible with ${path.slice('/metrics/'.length)}`,
    query: Selection,
    async handler({ query, headers }): Promise<RouteReply> {
      const chosen = selectCollectors(offered, query);
      const of = (some: View | undefined) => {
        const wanted = new Set(
          chosen.filter((facts) => some === undefined || facts.view === some).map(({ name }) => name),
        );
        return snapshots.collectors().filter(({ name }) => wanted.has(name));
      };
      const families: ExposedFamily[] = [
        ...chosen.flatMap(({ name }) => snapshots.families(name)).map(path === CADVISOR_ALONE ? withoutKubelet : asIs),
        ...(view === undefined || view === 'node' ? nodeSelfFamilies(of('node')) : []),
        ...(view === 'node' ? nodeBuildFamily(version) : []),
        ...(view === undefined ? selfFamilies(of(undefined), snapshots, now()) : []),
        ...(view === undefined && query['collect[]'] === undefined ? await ownFamilies(own, log) : []),
      ];
      const format = negotiate(headers['accept']);
      const body = renderExposition(families, format, spare.take);
      const settled = (): void => spare.giveBack(body);
      return { type: CONTENT_TYPES[format], headers: { vary: 'accept' }, body, settled };
    },
  });
}

/** Containers are written with the kubelet's labels; here they have cAdvisor's own, which are fewer. */
const CADVISOR_ALONE = '/metrics/container';
const asIs = (family: ExposedFamily): ExposedFamily => family;
const withoutKubelet = (family: ExposedFamily): ExposedFamily => ({
  ...family,
  text: withoutKubeletLabels(family.text.toString('utf8')),
});

/** The collectors that `collect[]` names or `exclude[]` leaves. Throws a Fault for both at once and for unknown names. */
function selectCollectors(offered: readonly CollectorFacts[], query: Selection): readonly CollectorFacts[] {
  const [collect, exclude] = [query['collect[]'], query['exclude[]']];
  if (collect !== undefined && exclude !== undefined) {
    throw new Fault(BAD_SELECTION, 'collect[] and exclude[] are given together');
  }
  const key = collect === undefined ? 'exclude[]' : 'collect[]';
  const given = new Set([collect ?? exclude ?? []].flat());
  const known = offered.map(({ name }) => name);
  const details = [...given]
    .filter((name) => !known.includes(name))
    .map((value) => ({ path: key, expected: `one of ${known.join(', ')}`, value }));
  if (details.length > 0) throw new Fault(BAD_SELECTION, `${key} names collectors that are not here`, { details });
  return offered.filter(({ name }) => (collect === undefined ? !given.has(name) : given.has(name)));
}

const count = z.number().nullable();
const Processes = z.object({
  processes: z.array(
    z.looseObject({
      pid: z.number(),
      startTime: z.number(),
      cpuRatio: count,
      rssBytes: count,
      fds: count,
      fdLimit: count.optional(),
    }),
  ),
  dstate: z.array(z.looseObject({ pid: z.number() })),
  zombies: z.array(z.looseObject({ pid: z.number() })),
});
const PROCESS_COLLECTOR = 'process';
/** A collection is fresh for this many milliseconds: asking more often does not run the collectors more often. */
const FRESH_MS = 1000;

function processesRoute({ snapshots, refresh, fdsGrowth, now }: ProbeRoutesOptions): Route {
  const collectedAt = (): number | undefined =>
    snapshots.collectors().find(({ name }) => name === PROCESS_COLLECTOR)?.lastSuccessAt;
  return route({
    method: 'GET',
    path: '/jdos/v1/processes',
    right: 'read',
    summary: 'The processes that use most CPU, memory or file descriptors, and those that are stuck or dead',
    query: z.object({
      by: z.enum(Object.keys(BY) as [By, ...By[]]).default('cpu'),
      limit: z.coerce.number().int().min(1).max(150).default(50),
      fresh: z.enum(['true', 'false']).default('false'),
    }),
    async handler({ query: { by, limit, fresh } }) {
      if (fresh === 'true' && now() - (collectedAt() ?? 0) >= FRESH_MS) await refresh();
      const at = collectedAt();
      const details = Processes.safeParse(snapshots.details(PROCESS_COLLECTOR));
      if (at === undefined || !details.success) throw new Fault(NOT_SEEN_YET, 'the processes have not been read yet');
      const { processes, dstate, zombies } = details.data;
      const key = BY[by];
      const items = processes
        .toSorted((a, b) => (b[key] ?? -1) - (a[key] ?? -1))
        .slice(0, limit)
        .map((process) => ({
          ...process,
          fdRatio: fdRatio(process) ?? null,
          fdHeadroom: fdHeadroom(process) ?? null,
          fdsGrowthPerHour: fdsGrowth.process(process) ?? null,
        }));
      return { body: { items, at, dstate, zombies, next: null } };
    },
  });
}

const collectorsRoute = ({ snapshots }: ProbeRoutesOptions): Route =>
  route({
    method: 'GET',
    path: '/jdos/v1/collectors',
    right: 'read',
    summary: 'What each collector did last, and what it does not read because it hung',
    handler: () => ({
      body: {
        items: snapshots.collectors().map((status) => {
          const facts = snapshots.facts.find(({ name }) => name === status.name);
          return {
            ...status,
            view: facts?.view,
            lastSuccessAt: status.lastSuccessAt ?? null,
            error: status.error ?? null,
            stretched: status.stretched ?? null,
          };
        }),
        next: null,
      },
    }),
  });

const UNAME = 'node_uname_info';

const hostsRoute = ({ snapshots }: ProbeRoutesOptions): Route =>
  route({
    method: 'GET',
    path: '/jdos/v1/hosts',
    right: 'read',
    summary: 'What this host is: kernel, operating system, hardware; null is not known',
    handler() {
      const uname = snapshots.samples(UNAME)?.[0]?.labels ?? null;
      const inventory = snapshots.details('inventory') ?? null;
      return { body: { items: [{ name: uname?.['nodename'] ?? null, uname, inventory }], next: null } };
    },
  });
