// Real servers and tools that suites need: skipped by name where one is missing, installed with JDOS_TEST_INSTALL=1 (root on
// Debian, without starting services), and demanded with JDOS_TEST_REQUIRE=all.
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { findKubectl, unpackKubectl } from './kubectl.ts';
import { findNewOvs, NEW_OVS_PACKAGES, unpackNewOvs } from './new-ovs.ts';

const TOOLS = {
  bindfs: { file: '/usr/bin/bindfs', packages: ['bindfs'] },
  busybox: { file: '/usr/bin/busybox', packages: ['busybox-static'] },
  chromium: { file: '/usr/bin/chromium', packages: ['chromium', 'fonts-liberation', 'fonts-noto-cjk'] },
  dockerd: { file: '/usr/sbin/dockerd', packages: ['docker.io'] },
  /** Of Debian trixie: bookworm's is too old, see kubectl.ts. */
  kubectl: { file: findKubectl, packages: ['kubectl/trixie'] },
  curl: { file: '/usr/bin/curl', packages: ['curl'] },
  e2fsprogs: { file: '/usr/sbin/mkfs.ext4', packages: ['e2fsprogs'] },
  ip: { file: '/usr/sbin/ip', packages: ['iproute2'] },
  losetup: { file: '/usr/sbin/losetup', packages: ['mount'] },
  'node-exporter': { file: '/usr/bin/prometheus-node-exporter', packages: ['prometheus-node-exporter'] },
  opensmtpd: { file: '/usr/sbin/smtpd', packages: ['opensmtpd'] },
  openssl: { file: '/usr/bin/openssl', packages: ['openssl'] },
  'open-vswitch': { file: '/usr/sbin/ovs-vswitchd', packages: ['openvswitch-switch'] },
  /** Of Debian trixie, see new-ovs.ts. */
  'new-open-vswitch': { file: findNewOvs, packages: NEW_OVS_PACKAGES.map((name) => `${name}/trixie`) },
  perl: { file: '/usr/bin/perl', packages: ['perl-base'] },
  'process-exporter': { file: '/usr/bin/prometheus-process-exporter', packages: ['prometheus-process-exporter'] },
  prometheus: { file: '/usr/bin/prometheus', packages: ['prometheus'] },
  promtool: { file: '/usr/bin/promtool', packages: ['prometheus'] },
  strace: { file: '/usr/bin/strace', packages: ['strace'] },
} as const;
export type Tool = keyof typeof TOOLS;

/** Too old in bookworm: unpacked into a cache folder instead of being installed. */
const UNPACKED = { kubectl: unpackKubectl, 'new-open-vswitch': unpackNewOvs } as const;

const isRoot = process.getuid?.() === 0;
const POLICY = '/usr/sbin/policy-rc.d';
/** Test files run side by side, and apt-get only once at a time. */
const LOCK = '/tmp/jdos-test-install.lock';
const LOCK_STALE_MS = 20 * 60_000;

function isThere(tool: Tool): boolean {
  const { file } = TOOLS[tool];
  return typeof file === 'string' ? existsSync(file) : file() !== undefined;
}

/** For the `skip` option of a test: false, or why. Throws where a skip is not allowed. */
export function needs(...tools: readonly Tool[]): false | string {
  let missing = tools.filter((tool) => !isThere(tool));
  if (missing.length > 0 && process.env['JDOS_TEST_INSTALL'] === '1' && isRoot && isDebian()) {
    const packages = missing.filter((tool) => !(tool in UNPACKED)).flatMap((tool) => TOOLS[tool].packages);
    if (packages.length > 0) install(packages);
    for (const tool of missing) {
      const unpack = tool in UNPACKED ? UNPACKED[tool as keyof typeof UNPACKED] : undefined;
      if (unpack !== undefined) withLock(() => (isThere(tool) ? undefined : unpack()));
    }
    missing = tools.filter((tool) => !isThere(tool));
  }
  if (missing.length === 0) return false;
  const packages = [...new Set(missing.flatMap((tool) => TOOLS[tool].packages))];
  return refuse(`${missing.join(', ')} missing: apt-get install --no-install-recommends ${packages.join(' ')}`);
}

/** For the `skip` option of a test that needs root. */
export const needsRoot = (): false | string => (isRoot ? false : refuse('needs root'));

/** For the `skip` option of a test that needs FUSE: on a machine without the device it is skipped, whatever is demanded. */
export function hasFuse(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return isRoot;
  } catch {
    return false;
  }
}

function refuse(why: string): string {
  if (process.env['JDOS_TEST_REQUIRE'] === 'all') throw new Error(`JDOS_TEST_REQUIRE=all, and ${why}`);
  return why;
}

const isDebian = (): boolean =>
  existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));

function install(packages: readonly string[]): void {
  withLock(() => {
    // Debian's way to keep a package from starting its service (policy-rc.d, invoke-rc.d(8)).
    const ours = !existsSync(POLICY);
    if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    const apt = (...args: string[]): unknown =>
      execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        timeout: LOCK_STALE_MS,
      });
    try {
      apt('update');
      apt('install', '-y', '--no-install-recommends', ...new Set(packages));
    } finally {
      if (ours) rmSync(POLICY, { force: true });
    }
  });
}

function withLock(work: () => void): void {
  for (;;) {
    try {
      mkdirSync(LOCK);
      break;
    } catch {
      const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > LOCK_STALE_MS) rmdirSync(LOCK);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    }
  }
  try {
    work();
  } finally {
    rmdirSync(LOCK);
  }
}
