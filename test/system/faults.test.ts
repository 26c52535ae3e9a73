// What operators run into on the first day: broken configurations, busy ports, second daemons, full disks, foreign users.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { eventually, privateDirectory, runJdos, startDaemon } from '../support/daemon.ts';
import { HARD_NAMES, startNamed } from '../support/named-process.ts';
import { needsRoot } from '../support/needs.ts';

t.test('a broken configuration is refused with every wrong field and the nearest known key', async (t) => {
  const file = join(privateDirectory(t), 'jdos.yaml');
  writeFileSync(
    file,
    'probes:\n  periodSecond: 15\n  deadlineSeconds: soon\nhttp:\n  listen: 0.0.0.0:9618\ninspector:\n  report: "99 * * * *"\n',
  );
  const { code, err } = await runJdos(['daemon', '--config', file, '--data-dir', privateDirectory(t)]);
  t.equal(code, 1);
  t.match(err, /probes\.periodSecond: .*did you mean periodSeconds\?, got 15/);
  t.match(err, /probes\.deadlineSeconds: expected a value of type number, got "soon"/);
  t.match(err, /http\.listen: expected a loopback address.*listenTls/);
  t.match(err, /inspector\.report: /);
  t.match(err, /Try: .*jdos\.example\.yaml.*\[JD_CONFIG_INVALID\]/);
  const checked = await runJdos(['config', 'check', file, '--json']);
  t.equal(checked.code, 1);
  t.equal((JSON.parse(checked.out) as { errors: unknown[] }).errors.length, 4);
});

t.test('a file that is no YAML is refused with line and column, one that is not there with its name', async (t) => {
  const file = join(privateDirectory(t), 'jdos.yaml');
  writeFileSync(file, 'http:\n  listen: [\n');
  const broken = await runJdos(['config', 'check', file]);
  t.equal(broken.code, 1);
  t.match(broken.err, /line \d+, column \d+/);
  const absent = await runJdos(['daemon', '--config', '/nowhere/jdos.yaml', '--data-dir', privateDirectory(t)]);
  t.equal(absent.code, 1);
  t.match(absent.err, /cannot read \/nowhere\/jdos\.yaml \(ENOENT\)/);
});

t.test('an invalid configuration changes nothing at a reload, a valid one takes effect', async (t) => {
  const dir = privateDirectory(t);
  const file = join(dir, 'jdos.yaml');
  writeFileSync(file, 'probes: { periodSeconds: 15 }\n');
  const daemon = startDaemon(t, { args: ['--config', file] });
  await daemon.until(/first report/);
  const before = await daemon.pids();
  writeFileSync(file, 'probes: { periodSeconds: never }\n');
  daemon.child.kill('SIGHUP');
  await eventually('the log', () => (/not valid and changes nothing/.test(daemon.log()) ? true : undefined));
  await eventually('the status', async () => {
    const { parts } = (await daemon.get('/jdos/v1/status')) as { parts: { name: string; reason?: string }[] };
    return /probes\.periodSeconds/.test(parts.find(({ name }) => name === 'agent')?.reason ?? '') || undefined;
  });
  t.same(await daemon.pids(), before);
  writeFileSync(file, 'probes: { periodSeconds: 5 }\n');
  daemon.child.kill('SIGHUP');
  const after = await eventually('a new probe process', async () => {
    const pids = await daemon.pids();
    return pids['probe'] !== undefined && pids['probe'] !== before['probe'] ? pids : undefined;
  });
  t.equal(after['agent'], before['agent']);
  const collectors = await eventually('the new period', async () => {
    const { items } = (await daemon.get('/jdos/v1/collectors')) as { items: { name: string; state: string }[] };
    return items.every(({ state }) => state === 'ok' || state === 'failed') ? items : undefined;
  });
  t.ok(collectors.length > 10);
});

t.test('when the process that shows what was collected dies, the next one shows all of it soon', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/first report/);
  const { serve = 0, probe } = await daemon.pids();
  process.kill(serve, 'SIGKILL');
  await eventually('every collector is shown again, also those that run once an hour', async () => {
    const { items } = (await daemon.get('/jdos/v1/collectors')) as { items: { state: string }[] };
    return items.every(({ state }) => state === 'ok' || state === 'failed') || undefined;
  });
  t.equal((await daemon.pids())['probe'], probe, 'the probe process is the same');
});

t.test('a second daemon on the same data directory is refused, and the first goes on', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens/);
  const second = await runJdos([
    'daemon',
    '--data-dir',
    daemon.dataDir,
    '--listen',
    '127.0.0.1:0',
    '--listen-tls',
    'off',
  ]);
  t.equal(second.code, 1);
  t.match(
    second.err,
    new RegExp(`another daemon \\(pid ${daemon.child.pid}\\) uses the data directory ${daemon.dataDir}`),
  );
  t.match(second.err, /Try: stop the other daemon.*--data-dir/);
  t.equal((await fetch(`${daemon.url()}/livez`)).status, 200);
});

t.test(
  'a busy port is said with its address and what to do; the rest works, and the port is taken when it is free',
  async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    t.teardown(() => other.close());
    const daemon = startDaemon(t, { listen: `127.0.0.1:${port}` });
    await daemon.until(/first report/);
    const { out } = await daemon.cli('status');
    t.match(out, new RegExp(`http +failing +.*127\\.0\\.0\\.1:${port}`));
    t.match(out, /http\.listen/);
    const { items } = (await daemon.get('/jdos/v1/findings')) as { items: { code: string; target: string }[] };
    t.ok(
      items.some(({ code, target }) => code === 'DAEMON' && target === 'part:http'),
      'it is a finding',
    );
    await new Promise((resolve) => other.close(resolve));
    await eventually(
      'the listener',
      async () => ((await fetch(`http://127.0.0.1:${port}/livez`)).ok ? true : undefined),
      60_000,
    );
  },
);

t.test(
  'on a full disk it says so, serves metrics, and works again when there is room',
  { skip: needsRoot() },
  async (t) => {
    const dir = privateDirectory(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir]);
    t.teardown(() => execFileSync('umount', ['-l', dir]));
    const ballast = join(dir, 'ballast');
    const daemon = startDaemon(t, { dataDir: dir });
    await daemon.until(/first report/);
    const reports = ((await daemon.get('/jdos/v1/reports')) as { items: unknown[] }).items.length;
    const free = (): number => Number(execFileSync('df', ['--output=avail', '-B1', dir]).toString().split('\n')[1]);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, free() - 4096)));
    let refused = { code: 0, err: '' };
    for (let i = 0; i < 40 && refused.code === 0; i += 1) refused = await daemon.cli('inspect', '--now', '--mail');
    t.equal(refused.code, 1);
    t.match(refused.err, /no space left|full/i);
    t.match(refused.err, /Try: .*(free space|make room)/i);
    t.match(await (await fetch(`${daemon.url()}/metrics`)).text(), /^node_load1 /m);
    rmSync(ballast);
    await eventually('a run after there is room', async () => {
      const { code, err } = await daemon.cli('inspect', '--now', '--mail');
      if (code !== 0) throw new Error(err);
      return true;
    });
    const { items } = (await daemon.get('/jdos/v1/reports')) as { items: unknown[] };
    t.ok(items.length > reports, 'nothing that was kept is gone');
  },
);

t.test('the process that speaks HTTP has the rights of its own user', { skip: needsRoot() }, async (t) => {
  const dataDir = privateDirectory(t);
  const daemon = startDaemon(t, { dataDir, config: 'serve: { user: nobody }\n' });
  await daemon.until(/first report/);
  const pids = await daemon.pids();
  const uid = (pid: number | undefined): string =>
    /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  const nobody = /^nobody:[^:]*:(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1];
  t.same([uid(pids['agent']), uid(pids['serve']), uid(pids['probe'])], ['0', nobody, '0']);
  t.equal(statSync(join(dataDir, 'state', 'state.db')).uid, Number(nobody));
  t.equal(statSync(join(dataDir, 'admin.token')).uid, 0);
  t.match((await daemon.cli('inspect', '--now')).out, /score \d+/);
});

t.test(
  'a user that may not enter the checkout or does not exist is said, and the process stays root',
  { skip: needsRoot() },
  async (t) => {
    const daemon = startDaemon(t, { config: 'serve: { user: nosuchuser }\n' });
    await daemon.until(/first report/);
    t.match(daemon.out(), /user +limited +runs as root: there is no user nosuchuser \(useradd --system nosuchuser\)/);
  },
);

t.test('a data directory that cannot be used is said with its reason', async (t) => {
  const dir = privateDirectory(t);
  writeFileSync(join(dir, 'file'), '');
  const onFile = await runJdos(['daemon', '--data-dir', join(dir, 'file')]);
  t.equal(onFile.code, 1);
  t.match(onFile.err, /data directory .*file cannot be used \(E(EXIST|NOTDIR)\)/);
  const long = join(dir, 'x'.repeat(120));
  mkdirSync(long);
  t.match((await runJdos(['daemon', '--data-dir', long])).err, /too long: sockets/);
});

t.test(
  'processes may be named anything: spaces, parentheses, line breaks, quotes and bytes that are no UTF-8',
  async (t) => {
    await Promise.all(HARD_NAMES.map((name) => startNamed(t, name)));
    const daemon = startDaemon(t);
    await daemon.until(/first report/);
    const lines = (await (await fetch(`${daemon.url()}/metrics`)).text()).split('\n');
    for (const name of HARD_NAMES) {
      const label = name.toString('utf8').replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
      const series = `namedprocess_namegroup_num_procs{groupname="${label}"} 1`;
      t.ok(lines.includes(series), `${series} is a line of the scrape`);
    }
    t.match(lines.join('\n'), /^jdos_collector_success\{collector="process"\} 1$/m);
  },
);
