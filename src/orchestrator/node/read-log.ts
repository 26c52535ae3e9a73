// `Node::readLog`: which run is meant, its next piece, and the wait for one where there is none yet.
import { watch } from 'node:fs';
import { Fault, faultKind } from '../../base/fault.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { Clock } from '../clock.ts';
import { type LogCursor, parseCursor, writeCursor } from './log-cursor.ts';
import { type Piece, readPiece } from './log-reader.ts';
import type { Observations } from './observations.ts';
import type { Pods } from './pods.ts';
import type { ReadLogReply, ReadLogRequest } from './procedures.ts';
import { chooseRuntime } from './runtime-choice.ts';
import { podFacts, previousRun, type Run, runsOf } from './runs.ts';

const LOG_NOT_THERE = faultKind(
  'JD_LOG_NOT_THERE',
  400,
  'see `kubectl describe pod` for what the container waits for; with --previous, for whether it ran before',
);
const LOG_UNKNOWN = faultKind(
  'JD_LOG_UNKNOWN',
  503,
  'see `jdos status` for the runtime that does not answer, and ask again',
);

interface ReadLogOptions {
  readonly pods: Pods;
  readonly runtimes: readonly Runtime[];
  readonly observations: Observations;
  readonly clock: Clock;
}

/** Between two looks at whether a silent container still runs. */
const LOOK_EVERY_MS = 1000;

export async function readLog(
  request: ReadLogRequest,
  options: ReadLogOptions,
  signal: AbortSignal,
): Promise<ReadLogReply> {
  const { clock } = options;
  const until = clock.now() + request.waitMs;
  const cursor = request.cursor === undefined ? undefined : parseCursor(request.cursor);
  let at = cursor;
  for (;;) {
    const { run, runtime } = await findRun(request, at, options);
    const file = await runtime.logFile(run.id);
    if (file === undefined) throw notThere(request, 'has no log any more');
    const piece = await readPiece({ ...request, file, attempt: run.attempt, cursor: at });
    at = piece.cursor;
    const ended = run.state === 'exited' && piece.atEnd;
    const left = until - clock.now();
    if (piece.data.length > 0 || ended || left <= 0 || signal.aborted) return reply(piece, ended);
    if (piece.atEnd) await change(file.path, Math.min(left, LOOK_EVERY_MS), signal);
  }
}

const reply = ({ data, cursor, atEnd }: Piece, ended: boolean): ReadLogReply => ({
  data: data.toString('base64'),
  cursor: writeCursor(cursor),
  atEnd,
  ended,
});

/** The run that the cursor belongs to; without one the last that has begun, or the one before it. */
async function findRun(
  request: ReadLogRequest,
  cursor: LogCursor | undefined,
  { pods, runtimes, observations }: ReadLogOptions,
): Promise<{ readonly run: Run; readonly runtime: Runtime }> {
  const pod = pods.get(request.uid);
  if (pod === undefined) throw notThere(request, 'is not on this node');
  const name = chooseRuntime(pod, observations.isHere('docker'));
  const runtime = runtimes.find((each) => each.name === name);
  const observed = await observations.fresh(name);
  if (observed === undefined || runtime === undefined)
    throw new Fault(
      LOG_UNKNOWN,
      `${name} does not say what it runs: ${observations.failure(name) ?? 'it is not there'}`,
    );
  const facts = podFacts(pod, request.uid, observed);
  const runs = runsOf(facts, request.container).filter(({ gone, state }) => gone !== true && state !== 'created');
  const run =
    cursor !== undefined
      ? runs.find(({ attempt }) => attempt === cursor.attempt)
      : request.previous
        ? (previousRun({ ...facts, runs }, request.container) ?? runs.find(({ state }) => state === 'exited'))
        : runs[0];
  if (run === undefined) throw notThere(request, request.previous ? 'has no run before this one' : 'has not run yet');
  return { run, runtime };
}

const notThere = ({ container, namespace, pod }: ReadLogRequest, why: string): Fault =>
  new Fault(LOG_NOT_THERE, `container ${container} in pod ${namespace}/${pod} ${why}`);

/** Resolves when the file changes, or after a while: not every file system tells. */
function change(path: string, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      watcher?.close();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const watcher = watching(path, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function watching(path: string, onChange: () => void): ReturnType<typeof watch> | undefined {
  try {
    return watch(path, { persistent: false }, onChange).on('error', onChange);
  } catch {
    return undefined; // the file is gone, or there are no watches left: the timer looks again
  }
}
