// A whole Open vSwitch of a test's own: real servers on private sockets in a network namespace, with the datapath in user space, so that
// no kernel module is needed and nothing of the host's is touched.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { privateDirectory } from './daemon.ts';
import { needs, needsRoot } from './needs.ts';
import { NEW_OVS } from './new-ovs.ts';

interface Programs {
  readonly vswitchd: readonly string[];
  readonly ovsdb: readonly string[];
  readonly schema: string;
}

/** That of this machine, and a newer one. */
const VERSIONS = {
  installed: {
    vswitchd: ['ovs-vswitchd'],
    ovsdb: ['ovsdb-server'],
    schema: '/usr/share/openvswitch/vswitch.ovsschema',
  },
  new: NEW_OVS,
} as const satisfies Record<string, Programs>;
export type OvsVersion = keyof typeof VERSIONS;

interface OvsOptions {
  readonly version?: OvsVersion;
  /** Further arguments of ovs-vswitchd. */
  readonly args?: readonly string[];
}

export interface TestOvs {
  readonly rundir: string;
  readonly socket: string;
  /** `ovs-vsctl ARGS`; it waits for ovs-vswitchd unless `--no-wait` is among them. */
  vsctl(...args: readonly string[]): string;
  /** `ovs-appctl ARGS` of ovs-vswitchd. */
  appctl(...args: readonly string[]): string;
  startSwitch(): void;
  startDatabase(): void;
  /** To ovs-vswitchd, or to ovsdb-server. Resolves when one that was killed is gone. */
  signal(signal: NodeJS.Signals, to?: 'ovs-vswitchd' | 'ovsdb-server'): Promise<void>;
  /** `ip ARGS` in the network namespace of the switch. */
  ip(...args: readonly string[]): void;
  /** Sends this many packets to an address, which need not answer, from the network namespace of the switch. */
  send(address: string, count: number): void;
  /** Adds a pair of veth devices that are up. */
  veth(name: string, peer: string): void;
}

/** For the `skip` option of a test. */
export const needsOvs = (version: OvsVersion = 'installed'): false | string =>
  needs('open-vswitch', 'ip', ...(version === 'new' ? (['new-open-vswitch'] as const) : [])) || needsRoot();

let switches = 0;

/** Starts both, and stops them after the test. */
export function startOvs(t: Pick<Test, 'teardown'>, { version = 'installed', args = [] }: OvsOptions = {}): TestOvs {
  const programs: Programs = VERSIONS[version];
  const rundir = privateDirectory(t);
  const env = { ...process.env, OVS_RUNDIR: rundir, OVS_LOGDIR: rundir, OVS_DBDIR: rundir };
  const run = (file: string, ...args: readonly string[]): string =>
    execFileSync(file, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  const start = ([file = '', ...first]: readonly string[], ...rest: readonly string[]): string =>
    run(file, ...first, ...rest);
  const socket = join(rundir, 'db.sock');
  const database = join(rundir, 'conf.db');
  const netns = `jdos-test-${process.pid}-${(switches += 1)}`;
  const inside = ['netns', 'exec', netns];
  const quiet = ['--no-chdir', '-vconsole:off', '--detach'];
  const pidOf = (name: string): number => Number(readFileSync(join(rundir, `${name}.pid`), 'utf8'));

  const ovs: TestOvs = {
    rundir,
    socket,
    vsctl: (...args) => run('ovs-vsctl', `--db=unix:${socket}`, '--timeout=10', ...args).trim(),
    appctl: (...args) => run('ovs-appctl', '-t', join(rundir, `ovs-vswitchd.${pidOf('ovs-vswitchd')}.ctl`), ...args),
    startDatabase: () =>
      void start(
        programs.ovsdb,
        database,
        `--remote=punix:${socket}`,
        `--pidfile=${rundir}/ovsdb-server.pid`,
        ...quiet,
      ),
    startSwitch: () =>
      void run(
        'ip',
        ...inside,
        ...[
          ...programs.vswitchd,
          `unix:${socket}`,
          `--pidfile=${rundir}/ovs-vswitchd.pid`,
          `--log-file=${rundir}/v.log`,
        ],
        ...quiet,
        ...args,
      ),
    async signal(signal, to = 'ovs-vswitchd') {
      const pid = pidOf(to);
      process.kill(pid, signal);
      while (signal === 'SIGKILL' && isAlive(pid)) await sleep(20);
    },
    ip: (...args) => void run('ip', '-n', netns, ...args),
    send(address, count) {
      const script = `const s = require('dgram').createSocket('udp4'); let n = ${count};
        const next = () => (n-- > 0 ? s.send('x', 9, '${address}', next) : s.close()); next();`;
      run('ip', ...inside, process.execPath, '-e', script);
    },
    veth(name, peer) {
      ovs.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', peer);
      for (const one of [name, peer]) ovs.ip('link', 'set', one, 'up');
    },
  };
  t.teardown(async () => {
    for (const name of ['ovs-vswitchd', 'ovsdb-server'] as const) {
      try {
        await ovs.signal('SIGKILL', name);
      } catch {
        // not started, or killed by the test
      }
    }
    run('ip', 'netns', 'del', netns);
    rmSync(rundir, { recursive: true, force: true });
  });
  run('ip', 'netns', 'add', netns);
  run('ovsdb-tool', 'create', database, programs.schema);
  ovs.startDatabase();
  ovs.vsctl('--no-wait', 'init');
  ovs.startSwitch();
  return ovs;
}

function isAlive(pid: number): boolean {
  try {
    // A zombie, which its parent has not waited for, is none.
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
