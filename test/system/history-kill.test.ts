// What history holds after kill -9 of the whole daemon: everything but the minute under way.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { eventually, JDOS, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';

// Two minutes have to go by.
t.setTimeout(300_000);

interface Answer {
  readonly items: readonly { readonly points: readonly (readonly number[])[] }[];
}

const points = async (daemon: RunningDaemon): Promise<readonly (readonly number[])[]> => {
  const { items } = (await daemon.get('/jdos/v1/history?metric=node_load1')) as Answer;
  return items[0]?.points ?? [];
};

t.test('minutes that are over and the processes in them survive kill -9', { timeout: 290_000 }, async (t) => {
  const options = { dataDir: privateDirectory(t), config: 'probes: { periodSeconds: 2 }\n' };
  let daemon = startDaemon(t, options);
  await daemon.until(/listens/);
  const before = await eventually(
    'a minute that is over',
    async () => {
      const found = await points(daemon);
      return found.length >= 1 ? found : undefined;
    },
    90_000,
  );
  const at = before[0]?.[0] ?? 0;
  const wanted = `/jdos/v1/history/processes?at=${at + 59_000}&by=memory&limit=5`;
  const processes = (await daemon.get(wanted)) as { items: readonly object[]; at: number };
  t.ok(processes.items.length > 0, `${processes.items.length} processes`);
  await daemon.killAll();

  daemon = startDaemon(t, options);
  await daemon.until(/listens/);
  const after = await eventually('history is open', async () => {
    const found = await points(daemon);
    return found.length > 0 ? found : undefined;
  });
  t.same(after.slice(0, before.length), before, 'the same minutes');
  t.match(await daemon.get(wanted), { at: processes.at, items: processes.items }, 'the same processes');
  const status = (await daemon.cli('status')).out;
  t.match(status, /^history +available/m);
  const shown = await daemon.cli('top', '--at', new Date(at + 59_000).toISOString(), '--by', 'memory');
  t.equal(shown.code, 0, shown.err);
  t.match(shown.out, /^culprit: .*(pid \d+).*$/m);
  t.match((await daemon.cli('history', 'node_load1')).out, /^node_load1\n[ ▁▂▃▄▅▆▇█]+\nMIN +MEAN +MAX +LAST\n/m);
  const none = await daemon.cli('top', '--at', '2020-01-01');
  t.equal(none.code, 1);
  t.match(
    none.err,
    /no processes were collected around 2020-01-01T.*: there is history from .* to .*\n.*JD_HISTORY_NOTHING_THEN/,
  );
});

t.test('on a terminal `jdos top` goes on until q, and leaves the terminal as it was', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens/);
  // script(1) gives the command a terminal.
  const top = spawn('script', ['-qec', `${JDOS} top --data-dir ${daemon.dataDir}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm' },
  });
  t.teardown(() => top.kill('SIGKILL'));
  let out = '';
  top.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const exited = new Promise((resolve) => top.once('exit', resolve));
  await eventually('the first picture', () => (/by cpu[\s\S]*PID/.test(out) ? true : undefined));
  top.stdin.write('f');
  await eventually('sorted otherwise', () => (/by fds[\s\S]*GROWTH/.test(out) ? true : undefined));
  const pictures = out.split('by fds').length;
  await eventually('drawn anew by itself', () => (out.split('by fds').length > pictures ? true : undefined));
  top.stdin.write('q');
  t.equal(await Promise.race([exited, sleep(10_000, 'it goes on')]), 0);
  t.match(out, /^\u001b\[\?1049h[\s\S]*\u001b\[\?1049l$/);
});
