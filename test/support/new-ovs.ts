// The servers of Open vSwitch of Debian trixie (3.5) on an older Debian: with their own C library, out of a cache folder.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { trixieCache, unpackTrixie } from './trixie.ts';

const CACHE = trixieCache('open-vswitch');
const LOADER = join(CACHE, 'usr/lib64/ld-linux-x86-64.so.2');
const VSWITCHD = 'usr/lib/openvswitch-switch/ovs-vswitchd';

/** The servers, and every library that they load. */
export const NEW_OVS_PACKAGES: readonly string[] = [
  'openvswitch-switch',
  'openvswitch-common',
  ...['libbpf1', 'libc6', 'libcap-ng0', 'libelf1t64', 'libevent-2.1-7t64', 'libgcc-s1', 'libnuma1'],
  ...['libssl3t64', 'libunbound8', 'libxdp1', 'libzstd1', 'zlib1g'],
];

/** One of its programs; undefined where it is not unpacked. */
export const findNewOvs = (): string | undefined =>
  existsSync(LOADER) && existsSync(join(CACHE, VSWITCHD)) ? join(CACHE, VSWITCHD) : undefined;

export const unpackNewOvs = (): void => unpackTrixie('open-vswitch', NEW_OVS_PACKAGES);

const withLoader = (program: string): readonly string[] => [
  LOADER,
  ...['--library-path', join(CACHE, 'usr/lib/x86_64-linux-gnu'), join(CACHE, program)],
];

/** The commands that start its servers, and its schema. */
export const NEW_OVS = {
  vswitchd: withLoader(VSWITCHD),
  ovsdb: withLoader('usr/sbin/ovsdb-server'),
  schema: join(CACHE, 'usr/share/openvswitch/vswitch.ovsschema'),
} as const;
