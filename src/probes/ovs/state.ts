// The families that say whether Open vSwitch is here, whether its two servers answer, and what asking them costs.
import {
  OVS_DOWN,
  OVS_FORBIDDEN,
  OVS_HUNG,
  OVS_MISSING,
  type DatabaseState,
  type Following,
} from '../../drivers/ovsdb/index.ts';
import type { Metric, SampleWriter } from '../collector.ts';
import { counter, gauge, write } from './readings.ts';
import { isMissing, type Rounds, type VswitchdState } from './rounds.ts';

const SOCKETS = 'the sockets in ovs.rundir';
const flag = { unit: '0 or 1' };
const PRESENT = gauge(
  'jdos_ovs_present',
  SOCKETS,
  'Whether Open vSwitch is on this host, 1 or 0: there is one of its sockets or pid files.',
  flag,
);
const UP = gauge('ovs_up', SOCKETS, 'Whether both servers of Open vSwitch answer, 1 or 0.', flag);
const REASONS = 'the reason says why not: missing, down, hung, garbled';
const reason = { labels: ['reason'], ...flag };
const OVSDB_UP = gauge(
  'jdos_ovs_ovsdb_up',
  SOCKETS,
  `Whether ovsdb-server answers, 1 or 0; ${REASONS}, forbidden.`,
  reason,
);
const VSWITCHD_UP = gauge('jdos_ovs_vswitchd_up', SOCKETS, `Whether ovs-vswitchd answers, 1 or 0; ${REASONS}.`, reason);
const CONNECTIONS = counter(
  'jdos_ovs_ovsdb_connections_total',
  'the OVSDB client',
  'Connections made to ovsdb-server.',
);
const RECEIVED = counter('jdos_ovs_ovsdb_received_bytes_total', 'the OVSDB client', 'What ovsdb-server sent.', {
  unit: 'bytes',
});
const ASKING = 'the unixctl client';
const HUNG = gauge(
  'jdos_ovs_unixctl_hung',
  ASKING,
  'Whether ovs-vswitchd owes an answer, 1 or 0: its main thread is stopped or busy.',
  flag,
);
const WAITING = gauge(
  'jdos_ovs_unixctl_waiting_seconds',
  ASKING,
  'How long the answer that ovs-vswitchd owes has been waited for.',
);
const ROUND_TRIP = gauge(
  'jdos_ovs_unixctl_round_trip_seconds',
  `${ASKING}: version`,
  'How long ovs-vswitchd took for the least question of all: what keeps its main thread busy shows here.',
);
const RESTARTS = counter('jdos_ovs_vswitchd_restarts_total', ASKING, 'Times that ovs-vswitchd was started anew.', {
  unit: 'restarts',
});
const TIMEOUTS = counter('jdos_ovs_unixctl_timeouts_total', ASKING, 'Questions that were not answered in time.');
const REFUSED = counter('jdos_ovs_unixctl_refused_total', ASKING, 'Questions that ovs-vswitchd refused, by command.', {
  labels: ['command'],
  unit: 'questions',
});

export const STATE_METRICS: readonly Metric[] = [
  ...[
    PRESENT,
    UP,
    OVSDB_UP,
    VSWITCHD_UP,
    CONNECTIONS,
    RECEIVED,
    RESTARTS,
    HUNG,
    WAITING,
    ROUND_TRIP,
    TIMEOUTS,
    REFUSED,
  ],
];

/** What ovs-vswitchd told last is shown for so long after it stopped answering: two of its own updates of the database. */
const HUNG_SHOWN_MS = 10_000;

/** Whether what ovs-vswitchd has told is still true, as far as is known. */
export const isLive = (state: VswitchdState, now: number): boolean =>
  state.kind === 'up' || state.kind === 'unknown' || (state.kind === 'hung' && now - state.since < HUNG_SHOWN_MS);

const WORDS: Readonly<Record<string, string>> = {
  [OVS_MISSING.code]: 'missing',
  [OVS_FORBIDDEN.code]: 'forbidden',
  [OVS_DOWN.code]: 'down',
  [OVS_HUNG.code]: 'hung',
};
const wordOf = (code: string): string => WORDS[code] ?? 'garbled';

/** Whether there is nothing of Open vSwitch on this host. */
export const isAbsent = (database: DatabaseState, vswitchd: VswitchdState): boolean =>
  database.kind === 'down' && database.why.code === OVS_MISSING.code && isMissing(vswitchd);

/** Writes the state; what is not known yet is not written. */
export function writeState(out: SampleWriter, following: Following, rounds: Rounds, now: number): void {
  const [database, vswitchd] = [following.state, rounds.state];
  const absent = isAbsent(database, vswitchd);
  write(out, PRESENT, Number(!absent), []);
  if (absent) return;
  if (database.kind !== 'connecting') {
    const why = database.kind === 'down' ? wordOf(database.why.code) : '';
    write(out, OVSDB_UP, Number(database.kind === 'followed'), [why]);
    if (vswitchd.kind !== 'unknown') write(out, UP, Number(database.kind === 'followed' && vswitchd.kind === 'up'), []);
  }
  write(out, CONNECTIONS, following.connections, []);
  write(out, RECEIVED, following.received, []);
  write(out, RESTARTS, rounds.restarts, []);
  write(out, TIMEOUTS, rounds.timeouts, []);
  for (const [command, count] of rounds.refused) write(out, REFUSED, count, [command]);
  if (vswitchd.kind === 'unknown') return;
  write(out, VSWITCHD_UP, Number(vswitchd.kind === 'up'), [vswitchd.kind === 'up' ? '' : wordOf(vswitchd.why.code)]);
  if (vswitchd.kind === 'down') return;
  write(out, HUNG, Number(vswitchd.kind === 'hung'), []);
  write(out, WAITING, vswitchd.kind === 'hung' ? (now - vswitchd.since) / 1000 : 0, []);
  if (vswitchd.kind === 'up') write(out, ROUND_TRIP, rounds.roundTripSeconds, []);
}
