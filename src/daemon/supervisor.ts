// Keeps one child process alive: starts it, feeds it its boot line, restarts it with back-off, kills it when it hangs.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component, Health } from '../base/component.ts';
import type { Logger } from '../base/logging.ts';
import type { Account } from './account.ts';
import { type EndReason, planRestart, reasonOf, type RunEnd } from './restart.ts';

interface ChildSpec {
  readonly name: 'probe' | 'serve';
  readonly entry: string;
  readonly nodeOptions: readonly string[];
  readonly account: Account | undefined;
  /** The boot line, made anew for each start. */
  readonly boot: () => unknown;
  /** Resolves when the child answers; rejects otherwise. */
  readonly ping: (deadlineMs: number) => Promise<unknown>;
  /** Given the pipe on which the child announces reads that can hang. */
  readonly onAnnouncements?: (pipe: Readable) => void;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

interface ChildStatus {
  readonly name: string;
  readonly pid: number | undefined;
  readonly startedAt: number | undefined;
  readonly restarts: number;
  readonly answers: boolean;
  /** How the last run ended, if one did. */
  readonly lastEnd: string | undefined;
  /** How often runs ended for each reason, and when the last of them did, in Unix milliseconds. */
  readonly ends: readonly { readonly reason: EndReason; readonly count: number; readonly at: number }[];
}

export interface SupervisedChild extends Component {
  status(): ChildStatus;
  /** Ends this run; the next starts at once. `hung` kills without a grace. */
  restart(why: string, hung: boolean): void;
}

const PING_EVERY_MS = 15_000;
const PING_DEADLINE_MS = 4000;
const MISSES_UNTIL_KILLED = 4;
/** A killed process that is stuck in the kernel is left behind after this long. */
const ABANDON_MS = 1000;
/** Between the start and the first answer, a machine under load may need this long. */
const FIRST_ANSWER_MS = 30_000;

type Ends = Map<EndReason, { count: number; at: number }>;

const endsByReason = (ends: Ends): ChildStatus['ends'] => [...ends].map(([reason, end]) => ({ reason, ...end }));

export function superviseChild(spec: ChildSpec, log: Logger, now: () => number = Date.now): SupervisedChild {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let startedAt: number | undefined;
  let restarts = 0;
  let answers = false;
  let lastEnd: string | undefined;
  const ends: Ends = new Map();
  let end: RunEnd = { asked: undefined, silent: false, exitCode: null };
  let kill: (hung: boolean) => void = () => undefined;
  let loop: Promise<void> = Promise.resolve();

  const launch = (): ChildProcess => {
    const stdio = ['pipe', 'inherit', 'inherit', ...(spec.onAnnouncements ? ['pipe' as const] : [])] as const;
    const started = spawn(process.execPath, [...spec.nodeOptions, spec.entry], {
      stdio: [...stdio],
      cwd: '/',
      ...(spec.account === undefined ? {} : { uid: spec.account.uid, gid: spec.account.gid }),
    });
    started.stdin?.on('error', () => undefined); // it died before it read its boot line; its exit says so
    started.stdin?.write(`${JSON.stringify(spec.boot())}\n`);
    const pipe = started.stdio[3];
    if (spec.onAnnouncements && pipe != null) spec.onAnnouncements(pipe as Readable);
    return started;
  };

  /** Resolves when the process has ended, or was killed and is stuck in the kernel. */
  const ended = (running: ChildProcess): Promise<string> =>
    new Promise((resolve) => {
      running.once('error', (error) => resolve(`could not be started: ${error.message}`));
      running.once('exit', (code, signal) => {
        end.exitCode = code;
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
      kill = (hung) => {
        running.kill(hung ? 'SIGKILL' : 'SIGTERM');
        const afterMs = hung ? 0 : spec.graceMs;
        setTimeout(() => running.kill('SIGKILL'), afterMs).unref();
        setTimeout(() => resolve('killed, but stuck in the kernel'), afterMs + ABANDON_MS).unref();
      };
    });

  const watch = async (over: AbortSignal): Promise<void> => {
    let misses = 0;
    const until = now() + FIRST_ANSWER_MS;
    while (!over.aborted) {
      const answered = await spec.ping(answers ? PING_DEADLINE_MS : 1000).then(
        () => true,
        () => false,
      );
      if (over.aborted) return;
      misses = answered || (!answers && now() < until) ? 0 : misses + 1;
      answers = answered || (answers && misses < 2);
      if (misses === MISSES_UNTIL_KILLED) {
        log.error({ child: spec.name, misses }, 'child process does not answer and is killed');
        end.silent = true;
        kill(true);
        return;
      }
      await sleep(answered ? PING_EVERY_MS : 200, undefined, { signal: over, ref: false }).catch(() => undefined);
    }
  };

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const over = new AbortController();
      end = { asked: undefined, silent: false, exitCode: null };
      answers = false;
      startedAt = now();
      child = launch();
      const ending = ended(child);
      void watch(over.signal);
      const how = await ending;
      over.abort();
      answers = false;
      child = undefined;
      if (stopping.signal.aborted) return;
      lastEnd = how;
      restarts += 1;
      const reason = reasonOf(end);
      ends.set(reason, { count: (ends.get(reason)?.count ?? 0) + 1, at: now() });
      const plan = planRestart(failures, now() - startedAt, end.asked !== undefined || reason === 'memory');
      failures = plan.failures;
      if (reason === 'memory')
        log.warn({ child: spec.name }, 'child process ended for its memory and is started again');
      else if (end.asked === undefined)
        log.error({ child: spec.name, how, wait_ms: plan.waitMs }, 'child process ended and is started again');
      await sleep(plan.waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  return {
    name: spec.name,
    start: async () => {
      loop = run();
    },
    async stop() {
      stopping.abort();
      if (child !== undefined) kill(false);
      await loop;
    },
    health(): Health {
      if (answers) return { state: 'available' };
      if (restarts === 0) return { state: 'starting' };
      return {
        state: 'failing',
        reason: `does not answer; last end: ${lastEnd ?? 'unknown'}`,
        remedy: 'see the log of the daemon',
      };
    },
    status: () => ({
      name: spec.name,
      pid: child?.pid,
      startedAt,
      restarts,
      answers,
      lastEnd,
      ends: endsByReason(ends),
    }),
    restart(why, hung) {
      if (child === undefined) return;
      log.warn({ child: spec.name, why }, 'child process is restarted');
      end.asked = hung ? 'hung' : 'configuration';
      kill(hung);
    },
  };
}
