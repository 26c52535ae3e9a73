// Reads that never answer: a FUSE mount whose server is stopped, a FIFO where a file belongs. Nothing else waits for them.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filesystem } from '../../src/probes/host/filesystem.ts';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { hasFuse, needs, needsRoot } from '../support/needs.ts';

interface Finding {
  readonly code: string;
  readonly target: string;
  readonly verdict: string;
  readonly line: { readonly en: string };
}

const findings = async (daemon: RunningDaemon): Promise<readonly Finding[]> =>
  ((await daemon.get('/jdos/v1/findings')) as { items: Finding[] }).items;

/** Far beyond what anything here takes when it does not wait for the hung read, which never answers. */
const NOT_WAITING_MS = 8000;

/** The mounts are read this often, whatever the period of the fast collectors is. */
const MOUNTS_PERIOD_MS = filesystem.periodSeconds * 1000;

/** Scrapes; the longest a scrape took in milliseconds, and the last text. */
async function scrape(daemon: RunningDaemon, times: number): Promise<{ longestMs: number; text: string }> {
  let longestMs = 0;
  let text = '';
  for (let i = 0; i < times; i += 1) {
    const began = performance.now();
    text = await (await fetch(`${daemon.url()}/metrics`, { signal: AbortSignal.timeout(NOT_WAITING_MS) })).text();
    longestMs = Math.max(longestMs, performance.now() - began);
  }
  return { longestMs, text };
}

const value = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1) ?? Number.NaN,
  );

const fuse = hasFuse() ? needsRoot() || needs('bindfs') : 'there is no /dev/fuse on this machine';

t.test(
  'a FUSE mount whose server stopped is a finding; scrapes, inspection and stop do not wait for it',
  { skip: fuse },
  async (t) => {
    const dir = privateDirectory(t);
    const [source, mount] = [join(dir, 'source'), join(dir, 'mnt')];
    for (const path of [source, mount]) mkdirSync(path);
    // Mounts and processes of its own: nothing else on this machine sees the mount that hangs.
    const script = `bindfs -f ${source} ${mount} & until mountpoint -q ${mount}; do sleep 0.1; done; exec "$@"`;
    const wrap = [
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--mount-proc',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
    ];
    const daemon = startDaemon(t, {
      wrap,
      config: 'probes: { periodSeconds: 1, deadlineSeconds: 1, budget: { cpuRatio: 1 } }\n',
    });
    const bindfs = (): number | undefined =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .find((pid) => {
          const cmdline = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : '';
          return cmdline.startsWith('bindfs\0') && cmdline.includes(mount);
        });
    t.teardown(() => {
      const pid = bindfs();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
    await daemon.until(/first report/);
    const series = (name: string): RegExp => new RegExp(`^${name}\\{[^}]*mountpoint="${mount}"[^}]*\\} 1?`, 'm');
    const cpu = 'namedprocess_namegroup_cpu_seconds_total{groupname="bindfs",mode="user"}';
    const before = await eventually('the mount and its server in the metrics', async () => {
      const { text } = await scrape(daemon, 1);
      return series('node_filesystem_size_bytes').test(text) && text.includes(`${cpu} `) ? text : undefined;
    });
    process.kill(bindfs() ?? 0, 'SIGSTOP');

    let longestMs = 0;
    const failing = new RegExp(`^node_filesystem_device_error\\{[^}]*mountpoint="${mount}"[^}]*\\} 1$`, 'm');
    const text = await eventually(
      'the mount as an error',
      async () => {
        const scraped = await scrape(daemon, 5);
        longestMs = Math.max(longestMs, scraped.longestMs);
        return failing.test(scraped.text) ? scraped.text : undefined;
      },
      MOUNTS_PERIOD_MS + 30_000,
    );
    t.ok(longestMs < NOT_WAITING_MS, `the longest scrape took ${Math.round(longestMs)} ms`);
    t.notMatch(text, series('node_filesystem_size_bytes'), 'what cannot be read is absent, not 0');
    t.match(text, /^node_filesystem_size_bytes\{/m, 'the other mounts are still there');
    t.match(text, /^jdos_collector_quarantined_targets\{collector="filesystem"\} 1$/m);
    t.match(text, /^jdos_process_restarts_total\{process="probe",reason="hung"\} \d+$/m);
    t.ok(value(text, cpu) >= value(before, cpu), 'counters go on where the killed process left them');

    const inspected = await daemon.cli('inspect', '--now');
    t.equal(inspected.code, 0, inspected.err);
    const hung = (await findings(daemon)).find(({ code, target }) => code === 'DAEMON' && target.includes(mount));
    t.match(hung, { verdict: /warn|crit/ });
    t.match(inspected.out, mount, 'the finding names the mount');
    t.match((await daemon.cli('status')).out, new RegExp(`probes +limited +.*hung.*${mount}`));

    const { tookMs } = await daemon.stop();
    t.ok(tookMs < 10_000, `stopped in ${Math.round(tookMs)} ms`);
  },
);

t.test(
  'a FIFO in the place of a file of the kernel fails its collector alone, at once, and is a finding',
  async (t) => {
    const root = join(privateDirectory(t), 'host');
    cpSync(join(import.meta.dirname, '../fixtures/host/debian12-6.18'), root, { recursive: true });
    const loadavg = join(root, 'proc/loadavg');
    rmSync(loadavg);
    execFileSync('mkfifo', [loadavg]);
    const daemon = startDaemon(t, {
      args: ['--host-root', root],
      config: 'probes: { periodSeconds: 1, deadlineSeconds: 1, budget: { cpuRatio: 1 } }\n',
    });
    await daemon.until(/inspection of/);
    const { text, longestMs } = await scrape(daemon, 5);
    t.ok(longestMs < NOT_WAITING_MS);
    t.match(text, /^jdos_collector_success\{collector="loadavg"\} 0$/m);
    t.match(text, /^jdos_collector_success\{collector="meminfo"\} 1$/m);
    t.notMatch(text, /^node_load1 /m, 'what cannot be read is absent, not 0');
    t.match(text, /^node_memory_MemTotal_bytes \d+$/m);
    await daemon.cli('inspect', '--now');
    const found = await findings(daemon);
    t.ok(
      found.some(({ code, line }) => code === 'DAEMON' && /loadavg is not a regular file/.test(line.en)),
      JSON.stringify(found),
    );
    t.ok(
      found.some(({ code, verdict }) => code === 'LOAD' && verdict === 'unknown'),
      'the load is unknown, not fine',
    );
    const { tookMs } = await daemon.stop();
    t.ok(tookMs < 10_000, `stopped in ${Math.round(tookMs)} ms`);
  },
);
