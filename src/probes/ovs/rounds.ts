// Asks ovs-vswitchd its questions, collection after collection, and knows what it answered and whether it answers at all.
import { explain, Fault } from '../../base/fault.ts';
import {
  OVS_DOWN,
  OVS_FORBIDDEN,
  OVS_HUNG,
  OVS_MISSING,
  OVS_REFUSED,
  type Unixctl,
} from '../../drivers/ovsdb/index.ts';
import { datapathsOf, type Datapath } from './datapath.ts';
import { bridgesDue, FLOW_COUNT, type FlowsOf } from './flows.ts';
import { questionsOf, type Circumstances, type Question } from './questions.ts';
import type { Reading } from './readings.ts';

/** How ovs-vswitchd fares; `unknown` is not asked yet, or not allowed to ask. */
export type VswitchdState =
  | { readonly kind: 'unknown'; readonly why?: Fault }
  | { readonly kind: 'up' }
  /** Since the question that it does not answer, by performance.now(). */
  | { readonly kind: 'hung'; readonly since: number; readonly why: Fault }
  | { readonly kind: 'down'; readonly why: Fault };

/** What the database says, as far as it decides what is asked. */
export interface Known extends Pick<Circumstances, 'bonds' | 'shaped'> {
  readonly bridges: readonly FlowsOf[];
}

export interface Rounds {
  /** Asks what is due, unless the round before is still under way. Resolves when all is answered or cannot be; never rejects. */
  run(known: Known): Promise<void>;
  readonly state: VswitchdState;
  /** Of every answer that is not too old. */
  readings(): readonly Reading[];
  /** Seconds that the main thread took for the least question of all. */
  readonly roundTripSeconds: number | undefined;
  /** `3.1.0`, as ovs-vswitchd says. */
  readonly version: string | undefined;
  /** Times that ovs-vswitchd was started anew. */
  readonly restarts: number;
  /** Questions that were not answered in time. */
  readonly timeouts: number;
  /** By command: questions that this ovs-vswitchd refused. */
  readonly refused: ReadonlyMap<string, number>;
}

const VERSION = /\(Open vSwitch\) (\S{1,64})/;

interface Answer {
  readonly readings: readonly Reading[];
  /** The last round in which it is shown. */
  readonly until: number;
}

interface RoundsOptions {
  readonly unixctl: Unixctl;
  /** The flows of a bridge; rejects with a Fault. */
  readonly countFlows: (bridge: string) => Promise<number>;
  /** Those that the process before this one has counted. */
  readonly restarts: number;
}

export function openRounds({ unixctl, countFlows, restarts: counted }: RoundsOptions): Rounds {
  const answers = new Map<string, Answer>();
  const refused = new Map<string, number>();
  let state: VswitchdState = { kind: 'unknown' };
  let running: Promise<void> | undefined;
  let cycle = 0;
  let connection = 0;
  let restarts = counted;
  let datapaths: readonly Datapath[] = [];
  let roundTripSeconds: number | undefined;
  let version: string | undefined;
  let timeouts = 0;

  const forget = (): void => {
    answers.clear();
    datapaths = [];
    roundTripSeconds = undefined;
    cycle = 0;
  };
  const take = ({ key, command, every, read }: Question, answer: PromiseSettledResult<string>): void => {
    if (answer.status === 'fulfilled') {
      if (command === 'upcall/show') datapaths = datapathsOf(answer.value);
      answers.set(key, { readings: read(answer.value), until: cycle + 2 * every });
      return;
    }
    const why: unknown = answer.reason;
    if (!(why instanceof Fault) || why.code !== OVS_REFUSED.code) throw why;
    answers.delete(key);
    refused.set(command, (refused.get(command) ?? 0) + 1);
  };
  const takeFlows = async ({ bridge, datapathType }: FlowsOf, every: number): Promise<void> => {
    const key = `flows ${bridge}`;
    try {
      const value = await countFlows(bridge);
      answers.set(key, {
        readings: [{ metric: FLOW_COUNT, value, labels: [bridge, datapathType] }],
        until: cycle + 2 * every,
      });
    } catch (error) {
      // Whether ovs-vswitchd answers at all, the next question to itself tells.
      if (!(error instanceof Fault)) throw error;
      answers.delete(key);
    }
  };
  const ask = async ({ bridges, ...known }: Known): Promise<void> => {
    const began = performance.now();
    try {
      const text = await unixctl.ask('version');
      const took = (performance.now() - began) / 1000;
      if (unixctl.connections !== connection) {
        forget(); // another process, which counts from 0
        if (connection > 0) restarts += 1;
        connection = unixctl.connections;
      }
      roundTripSeconds = took;
      version = VERSION.exec(text)?.[1];
      state = { kind: 'up' };
      const commands = await unixctl.commands();
      const questions = questionsOf(cycle, { ...known, datapaths, commands });
      for (const [index, answer] of (await unixctl.askTogether(questions)).entries()) {
        const question = questions[index];
        if (question !== undefined) take(question, answer);
      }
      const { due, every } = bridgesDue(cycle, bridges);
      for (const one of due) await takeFlows(one, every);
      for (const [key, { until }] of answers) if (until < cycle) answers.delete(key);
      cycle += 1;
    } catch (error) {
      fail(error, began);
    }
  };
  const fail = (error: unknown, began: number): void => {
    const why = error instanceof Fault ? error : new Fault(OVS_DOWN, `ovs-vswitchd cannot be asked: ${explain(error)}`);
    if (why.code === OVS_HUNG.code) {
      if (state.kind === 'hung') return;
      timeouts += 1;
      state = { kind: 'hung', since: began, why };
      return;
    }
    forget();
    state = why.code === OVS_FORBIDDEN.code ? { kind: 'unknown', why } : { kind: 'down', why };
  };

  return {
    run(known) {
      running ??= ask(known).finally(() => (running = undefined));
      return running;
    },
    get state() {
      return state;
    },
    readings: () => [...answers.values()].flatMap(({ readings }) => readings),
    get roundTripSeconds() {
      return roundTripSeconds;
    },
    get version() {
      return version;
    },
    get restarts() {
      return restarts;
    },
    get timeouts() {
      return timeouts;
    },
    refused,
  };
}

/** Nothing of it is on this host. */
export const isMissing = (state: VswitchdState): boolean =>
  state.kind === 'down' && state.why.code === OVS_MISSING.code;
