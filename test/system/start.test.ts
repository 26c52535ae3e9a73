// The first minute of a daemon: what it prints, what it serves, what its commands show, how it stops.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually, startDaemon } from '../support/daemon.ts';

t.test(
  'a fresh daemon says where it listens, where its token is, what each part can do, and what it found',
  async (t) => {
    const daemon = startDaemon(t);
    await daemon.until(/first report: (.+)/);
    t.match(daemon.out(), /listens +http:\/\/127\.0\.0\.1:\d+\n/);
    t.match(daemon.out(), /listens +https:\/\/127\.0\.0\.1:\d+\n/);
    t.match(daemon.out(), `token     ${join(daemon.dataDir, 'admin.token')}`);
    for (const part of ['state', 'agent', 'http', 'report', 'inspector', 'probes']) {
      t.match(daemon.out(), new RegExp(`^  ${part} +(available|limited) `, 'm'));
    }
    t.match(daemon.out(), /report +limited +.*no SMTP relay.*without it:.*try: set report\.smtp\.host/);
    t.match(daemon.out(), /inspection of \S+: score \d+; \d+ critical, \d+ warnings, \d+ unknown, \d+ ok/);
    t.match(daemon.out(), /waits for data/);
    t.equal(statSync(join(daemon.dataDir, 'admin.token')).mode & 0o777, 0o600);
    t.equal(statSync(daemon.dataDir).mode & 0o777, 0o750);
    t.equal(statSync(join(daemon.dataDir, 'run', 'jdos.sock')).mode & 0o777, 0o660);

    await t.test('the metrics need no token on the loopback, and everything else does', async (t) => {
      const metrics = await (await fetch(`${daemon.url()}/metrics`)).text();
      for (const name of [
        'node_load1',
        'namedprocess_namegroup_num_procs',
        'jdos_collector_success',
        'jdos_component_up',
        'jdos_build_info',
      ]) {
        t.match(metrics, new RegExp(`^${name}[ {]`, 'm'), name);
      }
      t.equal((await fetch(`${daemon.url()}/jdos/v1/status`)).status, 401);
      const authorized = { headers: { authorization: `Bearer ${daemon.token}` } };
      t.equal((await fetch(`${daemon.url()}/jdos/v1/status`, authorized)).status, 200);
      t.equal((await fetch(`${daemon.url()}/readyz?verbose`)).status, 200);
    });

    await t.test('its commands show status, processes, findings, checks and the report', async (t) => {
      const status = await daemon.cli('status');
      t.equal(status.code, 0, status.err);
      t.match(status.out, /agent +\d+ .*\nserve +\d+ .*\nprobe +\d+ /);
      t.notMatch(status.out, /\u001b/, 'no colour outside of a terminal');
      const top = await daemon.cli('top', '--by', 'fds', '--limit', '3', '--json');
      const { items } = JSON.parse(top.out) as { items: { fds: number }[] };
      t.equal(items.length, 3);
      t.ok(
        items.every(({ fds }, i) => i === 0 || fds <= (items[i - 1]?.fds ?? 0)),
        'sorted by fds',
      );
      t.match((await daemon.cli('inspect')).out, /score \d+, \d+ ok of \d+/);
      t.match((await daemon.cli('inspect', '--now', '--locale', 'zh-CN')).out, /score \d+/);
      t.match((await daemon.cli('inspect', 'explain', 'DISK_SPACE')).out, /means .*\nlimits .*0\.8/);
      const unknown = await daemon.cli('inspect', 'explain', 'DISK_SPICE');
      t.equal(unknown.code, 1);
      t.match(unknown.err, /did you mean DISK_SPACE\?/);
      t.match((await daemon.cli('report')).out, /Coverage/);
      t.match((await daemon.cli('report', '--locale', 'zh-CN')).out, /覆盖/);
      t.match((await daemon.cli('report', '--format', 'eml')).out, /^Subject: /m);
      t.match((await daemon.cli('report', 'list')).out, /manual/);
      t.match((await daemon.cli('mail', 'list')).out, /filed/);
      const noRelay = await daemon.cli('mail', 'test', 'ops@example.com');
      t.equal(noRelay.code, 1);
      t.match(noRelay.err, /report\.smtp/);
    });

    await t.test('without a relay the mail is a file in the data directory', async (t) => {
      const files = readdirSync(join(daemon.dataDir, 'state', 'reports'));
      t.equal(files.filter((file) => file.endsWith('.eml')).length, 1);
    });

    await t.test('tokens are made, work over HTTPS with the right of their role, and end when revoked', async (t) => {
      const made = await daemon.cli('token', 'create', 'grafana', '--role', 'viewer');
      t.match(made.out, /^jdos_\w+/);
      const headers = { authorization: `Bearer ${made.out.trim()}` };
      t.equal((await fetch(`${daemon.url()}/jdos/v1/status`, { headers })).status, 200);
      t.equal((await fetch(`${daemon.url()}/jdos/v1/inspections`, { method: 'POST', headers })).status, 403);
      t.match((await daemon.cli('token', 'list')).out, /grafana +viewer/);
      t.equal((await daemon.cli('token', 'revoke', 'grafana')).code, 0);
      t.equal((await fetch(`${daemon.url()}/jdos/v1/status`, { headers })).status, 401);
    });

    await t.test('a kubeconfig names the HTTPS listener, embeds the CA, and holds the token', async (t) => {
      const { out } = await daemon.cli('kubeconfig', '--address', daemon.tlsUrl());
      const config = JSON.parse(out) as {
        clusters: [{ cluster: Record<string, string> }];
        users: [{ user: { token: string } }];
      };
      t.equal(config.clusters[0].cluster['server'], daemon.tlsUrl());
      t.match(
        Buffer.from(config.clusters[0].cluster['certificate-authority-data'] ?? '', 'base64').toString(),
        /BEGIN CERTIFICATE/,
      );
      t.equal(config.users[0].user.token, daemon.token);
    });

    const { code, tookMs } = await daemon.stop();
    t.equal(code, 0);
    t.ok(tookMs < 10_000, `stopped in ${Math.round(tookMs)} ms`);
    t.same(readdirSync(join(daemon.dataDir, 'run')), [], 'no socket is left');
  },
);

t.test('a daemon that was killed leaves no process behind, and starts again where it was', async (t) => {
  const first = startDaemon(t);
  await first.until(/first report/);
  const pids = await first.pids();
  first.child.kill('SIGKILL');
  await eventually('the end of the other processes', () => {
    const alive = Object.values(pids).filter((pid) => existsSync(`/proc/${pid}/stat`) && !isZombie(pid));
    return alive.length === 0 ? true : undefined;
  });
  const again = startDaemon(t, { dataDir: first.dataDir });
  await again.until(/inspection of/);
  t.notMatch(again.out(), /first report/, 'the report that was made is still there');
  const { items } = (await again.get('/jdos/v1/reports')) as { items: unknown[] };
  t.equal(items.length, 1);
});

t.test('a process of the daemon that is killed is started again, and the others go on', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/first report/);
  for (const name of ['probe', 'serve'] as const) {
    const before = await daemon.pids();
    process.kill(before[name] ?? 0, 'SIGKILL');
    const after = await eventually(
      `a new ${name} process`,
      async () => {
        const pids = await daemon.pids();
        return pids[name] !== undefined && pids[name] !== before[name] ? pids : undefined;
      },
      40_000,
    );
    t.equal(after['agent'], before['agent']);
    const other = name === 'probe' ? 'serve' : 'probe';
    t.equal(after[other], before[other], `${other} is the same`);
    await eventually(
      'readiness',
      async () => ((await daemon.get('/jdos/v1/status')) as { ready: boolean }).ready || undefined,
      40_000,
    );
  }
  t.match(daemon.log(), /child process ended and is started again/);
});

t.test('an interrupt stops it as well, and a second signal kills at once', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens/);
  const pids = await daemon.pids();
  process.kill(pids['serve'] ?? 0, 'SIGSTOP');
  daemon.child.kill('SIGINT');
  // Two signals that are pending together are one (signal(7)).
  await eventually('the first signal', () => /"stopping"/.test(daemon.log()) || undefined);
  const { code, tookMs } = await daemon.stop('SIGINT');
  t.equal(code, 130);
  t.ok(tookMs < 3000, `killed in ${Math.round(tookMs)} ms`);
});

t.test('a process that hangs does not keep the daemon from stopping in time', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens/);
  const pids = await daemon.pids();
  for (const name of ['serve', 'probe'] as const) process.kill(pids[name] ?? 0, 'SIGSTOP');
  const { code, tookMs } = await daemon.stop();
  t.equal(code, 0);
  t.ok(tookMs < 10_000, `stopped in ${Math.round(tookMs)} ms`);
});

const isZombie = (pid: number): boolean => {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};
