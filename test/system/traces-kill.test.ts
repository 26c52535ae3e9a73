// Acknowledged is on disk: fifty kills of the whole daemon, each with requests on their way.
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { sendSpan, traceIdOf } from '../tracing/otlp.ts';

// Fifty starts of a daemon take a minute, and longer on a busy machine.
t.setTimeout(300_000);

const isThere = async (daemon: RunningDaemon, n: number): Promise<boolean> => {
  const trace = (await daemon.get(`/jdos/v1/traces/${traceIdOf(n)}`)) as { spanCount?: number };
  return trace.spanCount === 1;
};

t.test('what was acknowledged is found by its id after kill -9, fifty times', { timeout: 290_000 }, async (t) => {
  // Packed after a moment, so that kills come before, within and after packing.
  const options = { dataDir: privateDirectory(t), config: 'tracing: { hotSeconds: 0.05 }\n' };
  const acknowledged: number[] = [];
  let n = 0;
  let daemon = startDaemon(t, options);
  for (let kill = 1; kill <= 50; kill += 1) {
    await daemon.until(/listens/);
    // Some are on their way while the processes die: what they are told is what counts.
    const sent = Array.from({ length: 8 }, () => {
      n += 1;
      const id = n;
      return sendSpan(daemon.url(), id).then(
        (reply) => void (reply.status === 200 && acknowledged.push(id)),
        () => undefined,
      );
    });
    await (kill % 2 === 0 ? sent[0] : Promise.all(sent));
    if (kill % 3 === 1) await sleep(60);
    await daemon.killAll();
    await Promise.all(sent);
    daemon = startDaemon(t, options);
    await daemon.until(/listens/);
    const last = acknowledged.at(-1) ?? 0;
    if (!(await isThere(daemon, last))) t.fail(`trace ${last} is not there after kill ${kill}`);
  }
  t.ok(acknowledged.length >= 100, `${acknowledged.length} of ${n} were acknowledged`);
  const lost: number[] = [];
  for (const id of acknowledged) if (!(await isThere(daemon, id))) lost.push(id);
  t.same(lost, [], 'none is lost');
});
