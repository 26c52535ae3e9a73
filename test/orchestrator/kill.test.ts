// Objects of a whole daemon through kill -9 of its serve process: what was acknowledged is there, and versions go on.
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually, startDaemon } from '../support/daemon.ts';

t.setTimeout(180_000);
const KILLS = 5;
const WRITERS = 4;
const EVENTS = '/api/v1/namespaces/default/events';

interface Reply {
  readonly status: number;
  readonly body: Record<string, any>;
}

/** Over the Unix socket; undefined where no answer came. */
const send = (socketPath: string, method: string, path: string, body?: object): Promise<Reply | undefined> =>
  new Promise((resolve) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath, method, path, headers, agent: false, timeout: 20_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', () => resolve(undefined));
      response.on('close', () => {
        if (!response.complete) return resolve(undefined);
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, any> });
      });
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(undefined));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });

t.test('what was acknowledged is there after kills of serve, and the versions grow over them', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens/);
  const socket = join(daemon.dataDir, 'run', 'jdos.sock');
  const call = (method: string, path: string, body?: object): Promise<Reply | undefined> =>
    send(socket, method, path, body);
  const acknowledged = new Map<string, number>();
  const deleted = new Set<string>();
  let done = false;
  let highest = 0;
  let behind = 0;
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; !done; i += 1) {
      const name = `e-${writer}-${i}`;
      const before = highest;
      const made = await call('POST', EVENTS, { metadata: { name }, involvedObject: {}, message: 'x'.repeat(500) });
      if (made?.status !== 201) {
        // Between its death and its return nothing answers.
        await sleep(50);
        continue;
      }
      const version = Number(made.body['metadata'].resourceVersion);
      if (version <= before) behind += 1;
      highest = Math.max(highest, version);
      acknowledged.set(name, version);
      if (i % 7 !== 6) continue;
      // A deletion without an answer may have been made or not: what becomes of this one proves nothing.
      acknowledged.delete(name);
      if ((await call('DELETE', `${EVENTS}/${name}`))?.status === 200) deleted.add(name);
    }
  };
  const writing = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  for (let kill = 0; kill < KILLS; kill += 1) {
    const from = acknowledged.size;
    await eventually('it writes', () => acknowledged.size > from + 20 || undefined, 60_000);
    const { serve = 0 } = await daemon.pids();
    process.kill(serve, 'SIGKILL');
    await eventually(
      'another takes its place',
      async () => {
        const now = await daemon.pids();
        return now['serve'] !== undefined && now['serve'] !== serve ? true : undefined;
      },
      60_000,
    );
  }
  done = true;
  await Promise.all(writing);
  const list = await eventually('it answers', () => call('GET', EVENTS), 60_000);
  const kept = new Map(
    (list.body['items'] as Record<string, any>[]).map(({ metadata }) => [
      metadata['name'] as string,
      Number(metadata['resourceVersion']),
    ]),
  );
  t.ok(acknowledged.size > 100, `${acknowledged.size} were acknowledged, ${deleted.size} deleted, over ${KILLS} kills`);
  t.same(
    [...acknowledged].filter(([name, version]) => kept.get(name) !== version),
    [],
    'none is lost',
  );
  t.same(
    [...deleted].filter((name) => kept.has(name)),
    [],
    'what was deleted stays so',
  );
  t.equal(behind, 0, 'no version was given twice, or went back');
  t.ok(Number(list.body['metadata'].resourceVersion) >= highest);
});
