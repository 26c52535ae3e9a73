// The collector of Open vSwitch: its database is followed, ovs-vswitchd is asked, and neither is ever waited for long.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseWith, z } from '../../base/schema.ts';
import { countFlows, DEFAULT_RUNDIR, followDatabase, openUnixctl, type Tables } from '../../drivers/ovsdb/index.ts';
import type { Collecting, Collector, CollectorContext } from '../collector.ts';
import { BRIDGE_METRICS, writeConfiguration, writeManagers, writeRunning } from './bridges.ts';
import { openDetail } from './detail.ts';
import { FLOW_COUNT } from './flows.ts';
import { INTERFACE_METRICS, writeBroken, writeCounts, writeInterface, writeOwner, writeSum } from './interfaces.ts';
import { ANSWER_METRICS } from './questions.ts';
import { shapedOf } from './queues.ts';
import { write } from './readings.ts';
import { openRounds, type Known } from './rounds.ts';
import { isAbsent, isLive, STATE_METRICS, writeState } from './state.ts';
import { openSums } from './sums.ts';
import { DATABASE, describeSwitch, WISH, type Switch } from './switch.ts';

/**
 * Open vSwitch by its own sockets. Without it there is one sample that says so. When ovs-vswitchd does not run or does not answer,
 * what it told is absent, though the database still holds it; what is configured is told all the same.
 */
export const ovs: Collector = {
  name: 'ovs',
  view: 'ovs',
  periodSeconds: 15,
  metrics: [...STATE_METRICS, ...BRIDGE_METRICS, FLOW_COUNT, ...INTERFACE_METRICS, ...ANSWER_METRICS],
  open: openOvs,
};

/** Other collectors wait as long: in it, what answers at all has answered. What comes later is told by the next collection. */
const PATIENCE_MS = 250;

/** /var/run is a link to /run, and within a mounted root it would lead out of that. */
const underRoot = (root: string, path: string): string =>
  root === '/' ? path : path.replace(/^\/var\/run\//, '/run/');

const NOTHING_KNOWN: Known = { bonds: undefined, shaped: [], bridges: [] };

const Saved = z.object({ sums: z.unknown(), restarts: z.number().min(0).default(0) });

function openOvs({ host, config, sources, saved }: CollectorContext): Collecting {
  const rundir = host.path(underRoot(host.root, sources?.ovsRundir ?? DEFAULT_RUNDIR));
  const following = followDatabase(`${rundir}/db.sock`, DATABASE, WISH);
  const unixctl = openUnixctl(rundir);
  const parsed = parseWith(Saved, saved);
  const before = 'value' in parsed ? parsed.value : { sums: undefined, restarts: 0 };
  const rounds = openRounds({
    unixctl,
    countFlows: (bridge) => countFlows(`${rundir}/${bridge}.mgmt`),
    restarts: before.restarts,
  });
  const sums = openSums(before.sums);
  const choose = openDetail(config.ovs.detail);
  let described: { readonly tables: Tables; readonly it: Switch; readonly asked: Known } | undefined;

  /** The switch, described anew when a row of it changed. */
  const known = (): NonNullable<typeof described> | undefined => {
    const { state } = following;
    if (state.kind !== 'followed') return undefined;
    if (described?.tables !== state.tables) {
      const it = describeSwitch(state.tables);
      const bridges = it.bridges.map(({ name, datapathType }) => ({ bridge: name, datapathType }));
      described = { tables: state.tables, it, asked: { bonds: it.bonds, shaped: shapedOf(it), bridges } };
    }
    return described;
  };
  const patiently = (work: Promise<void>): Promise<void> =>
    Promise.race([work, sleep(PATIENCE_MS, undefined, { ref: false })]);

  return {
    async collect(out) {
      await following.settled(PATIENCE_MS);
      const asked = rounds.run(known()?.asked ?? NOTHING_KNOWN);
      if (rounds.state.kind !== 'hung') await patiently(asked);
      const now = performance.now();
      writeState(out, following, rounds, now);
      if (isAbsent(following.state, rounds.state)) return;
      const live = isLive(rounds.state, now);
      if (live) for (const { metric, value, labels } of rounds.readings()) write(out, metric, value, labels);
      const it = known()?.it;
      if (it === undefined) return;
      writeConfiguration(out, it);
      writeManagers(out, it);
      for (const one of it.interfaces) writeOwner(out, one);
      if (!live) return;
      const { state } = following;
      writeRunning(out, it, {
        vswitchd: rounds.version,
        schema: state.kind === 'followed' ? state.schemaVersion : undefined,
      });
      const { detailed, summed } = choose(it.interfaces);
      for (const one of detailed) writeInterface(out, one);
      for (const sum of sums.advance(summed, it.bridges)) writeSum(out, sum);
      writeCounts(out, it.interfaces);
      for (const one of it.interfaces) writeBroken(out, one);
    },
    save: () => ({ sums: sums.state(), restarts: rounds.restarts }),
    close() {
      following[Symbol.dispose]();
      unixctl[Symbol.dispose]();
    },
  };
}
