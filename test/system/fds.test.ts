// Open files through the whole daemon: of a process and of a container, by HTTP and CLI, and of one whose file system hangs.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { nodeNameOf } from '../../src/orchestrator/node/agent.ts';
import { eventually, privateDirectory, startDaemon } from '../support/daemon.ts';
import { hasFuse, needs, needsRoot } from '../support/needs.ts';

const SCRIPT = join(import.meta.dirname, '../support/open-files.pl');

interface Answer {
  readonly counted: number;
  readonly complete: boolean;
  readonly leftOut: readonly string[];
  readonly container?: string;
  readonly kinds: readonly { readonly kind: string; readonly count: number }[];
  readonly deleted: { readonly fds: number; readonly bytes: number; readonly unsized: number };
}

/** Runs a command until it says `ready`; its pid. */
async function holder(t: Test, command: string, ...args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('ready')) return child.pid ?? 0;
  throw new Error(`${command} ended`);
}

t.test('the open files of a process are told to operators', { skip: needs('perl') }, async (t) => {
  const dir = privateDirectory(t);
  const pid = await holder(t, 'perl', SCRIPT, dir);
  const daemon = startDaemon(t);
  await daemon.until(/listens +http:/);
  const answer = await eventually('an answer', async () => {
    const said = (await daemon.get(`/jdos/v1/processes/${pid}/fds`)) as Answer | { code: string };
    return 'kinds' in said ? said : undefined;
  });
  t.match(answer, { counted: 48, complete: true, deleted: { fds: 3, bytes: 3 * 1024 * 1024 + 5000 } });

  const shown = await daemon.cli('fds', String(pid));
  t.equal(shown.code, 0, shown.err);
  t.match(shown.out, new RegExp(`^perl \\(pid ${pid}\\): 48 open file descriptors`));
  t.match(shown.out, /^pipe +6$/m);
  t.match(shown.out, /^inotify +1 +5 watches$/m);
  t.match(shown.out, /^deleted and still held: 3\.0\d MiB on disk in 2 files by 3 descriptors$/m);
  t.match(shown.out, /^ *7 +file +\S+\/log$/m);
  t.match(shown.out, /^tcp +CLOSE_WAIT +1$/m);
  t.notMatch(shown.out, /\u001b/, 'names of files reach no terminal as they are');
  const json = await daemon.cli('fds', String(pid), '--json');
  t.match(JSON.parse(json.out), { counted: 48 });

  const roles = { viewer: 403, operator: 200 } as const;
  for (const [role, status] of Object.entries(roles)) {
    const { token } = JSON.parse((await daemon.cli('token', 'create', role, '--role', role, '--json')).out) as {
      token: string;
    };
    const reply = await fetch(`${daemon.url()}/jdos/v1/processes/${pid}/fds`, {
      headers: { authorization: `Bearer ${token}` },
    });
    t.equal(reply.status, status, role);
  }
  t.equal((await fetch(`${daemon.url()}/jdos/v1/processes/${pid}/fds`)).status, 401, 'nobody without a token');

  const nobody = await daemon.cli('fds', '4194303');
  t.equal(nobody.code, 1);
  t.match(nobody.err, /JD_FDS_NO_PROCESS/);
  t.match((await daemon.cli('fds', 'no-such-container')).err, /JD_CONTAINER_UNKNOWN|JD_NOT_SEEN_YET/);
});

t.test('the open files of a container are found by its names', { skip: needsRoot() || needs('perl') }, async (t) => {
  const dir = privateDirectory(t);
  const daemon = startDaemon(t, { config: 'probes: { periodSeconds: 1, budget: { cpuRatio: 1 } }\n' });
  await daemon.until(/first report/);
  const name = `jdos-fds-${process.pid}`;
  const headers = { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' };
  const pods = `${daemon.url()}/api/v1/namespaces/default/pods`;
  const pod = {
    metadata: { name },
    spec: {
      nodeName: nodeNameOf(),
      runtimeClassName: 'process',
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsUser: 0 },
      containers: [{ name: 'opener', command: ['/usr/bin/perl', SCRIPT, dir] }],
    },
  };
  t.equal((await fetch(pods, { method: 'POST', headers, body: JSON.stringify(pod) })).status, 201);

  const of = (what: string): Promise<unknown> => daemon.get(`/jdos/v1/containers/${encodeURIComponent(what)}/fds`);
  const wanted = `default/${name}/opener`;
  const answer = await eventually('the files of the container', async () => {
    const said = (await of(wanted)) as Answer;
    return said.deleted?.fds === 3 ? said : undefined;
  });
  t.ok(answer.complete, answer.leftOut?.join());
  t.match(
    answer.kinds.find(({ kind }) => kind === 'eventpoll'),
    { count: 4 },
  );
  const listed = (await daemon.get('/jdos/v1/containers')) as {
    items: { pod: string; cgroup: string; runtime: string }[];
  };
  const ours = listed.items.find(({ pod }) => pod === name);
  t.match(ours, { runtime: 'jdos', namespace: 'default', container: 'opener', processes: Number, pid: Number });
  t.equal(answer.container, ours?.cgroup);
  for (const what of [ours?.cgroup ?? '', `default/${name}`, name]) {
    const shown = await daemon.cli('fds', what);
    t.equal(shown.code, 0, shown.err);
    t.match(shown.out, new RegExp(`^container ${ours?.cgroup}: 4\\d open file descriptors`), what);
    t.match(shown.out, /^ *\d+ +4\d +\d+ +perl$/m);
  }
  await fetch(`${pods}/${name}`, { method: 'DELETE', headers });
});

/** A deleted file on an overlay, whose lower layer is of a program that is stopped: nothing tells that from a local disk. */
const HANGING = `
cd "$1" && mkdir source mnt upper && mount -t tmpfs tmpfs upper && mkdir upper/u upper/w merged && echo x > source/file
bindfs -f source mnt & bindfs=$!
until mountpoint -q mnt; do sleep 0.1; done
mount -t overlay overlay -o lowerdir=mnt,upperdir=upper/u,workdir=upper/w merged
exec 7<merged/file && rm merged/file
sleep 1.5
kill -STOP $bindfs
echo ready
sleep 1000`;

const fuse = hasFuse() ? needs('bindfs') : 'there is no /dev/fuse on this machine';

t.test('a deleted file that cannot be asked for is left out, and the rest is told', { skip: fuse }, async (t) => {
  const dir = privateDirectory(t);
  const unshare = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const parent = await holder(t, 'unshare', ...unshare, 'sh', '-c', HANGING, 'sh', dir);
  const daemon = startDaemon(t, {
    config: 'probes: { periodSeconds: 1, deadlineSeconds: 1, budget: { cpuRatio: 1 } }\n',
  });
  await daemon.until(/first report/);
  const { probe } = await daemon.pids();
  const [pid] = (await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).split(' ');
  const answer = (await daemon.get(`/jdos/v1/processes/${pid}/fds`)) as Answer;
  t.match(answer, { complete: false, deleted: { fds: 1, unsized: 1 } });
  t.match(answer.leftOut, [new RegExp(`deleted files on ${dir}/merged .*hung`)]);
  t.ok(answer.counted >= 4, `${answer.counted} descriptors are counted all the same`);
  t.not((await daemon.pids())['probe'], probe, 'who hung was replaced');
  const shown = await daemon.cli('fds', String(pid));
  t.match(shown.out, /^left out: the size of deleted files on .*merged/m);
  t.match(
    (await (await fetch(`${daemon.url()}/metrics`)).text()).includes('node_load1'),
    true,
    'and collections go on',
  );
});
