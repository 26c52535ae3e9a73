// What cannot be read is a state and no zero: every collector on a host that refuses, that is empty, and that fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t from 'tap';
import type { Collector } from '../../src/probes/collector.ts';
import { ProbesConfig } from '../../src/probes/config.ts';
import { openFamilyWriter } from '../../src/probes/family-writer.ts';
import { HostFiles, readFailure } from '../../src/probes/host-files.ts';
import { collectors } from '../../src/probes/registry.ts';
import { RECORDED_HOSTS, unpackHosts } from '../support/host-archive.ts';
import { RECORDED } from './kernel/written.ts';

/** A host of which some paths cannot be read. */
class LockedHost extends HostFiles {
  code: string | undefined;
  locked: (path: string) => boolean = () => true;
  readonly asked = new Set<string>();

  override path(hostPath: string): string {
    this.asked?.add(basename(hostPath)); // not yet there in the constructor of HostFiles
    if (this.code === undefined || !this.locked(hostPath)) return super.path(hostPath);
    throw Object.assign(new Error(`${this.code}: ${hostPath}`), { code: this.code });
  }
}

/** The samples of a collection by their series, or why there are none. */
async function collect(collector: Collector, host: HostFiles): Promise<ReadonlyMap<string, number> | string> {
  const out = openFamilyWriter(collector.metrics);
  out.begin(Infinity);
  try {
    const collecting = collector.open({ host, config: ProbesConfig.parse({}), saved: undefined });
    await collecting.collect(out);
    collecting.close?.();
  } catch (error) {
    return readFailure(error);
  }
  const lines = out.finish().families.flatMap(({ text }) => text.toString('utf8').trim().split('\n'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** They need no file: one tells the time of this process alone, the other reads what the configuration names, here nothing. */
const WITHOUT_FILES = ['time', 'textfile'];
/** Asks the system itself, beside the files. */
const NOT_OF_A_ROOT = ['time', 'inventory', 'exec'];
/** Says why nothing is told. */
const WHY_NOT = /^jdos_(exec_tracing|kmsg_reading)\{reason="[a-z-]+"\}$/;

for (const [code, reason] of [
  ['ENOENT', 'absent'],
  ['EACCES', 'permission'],
  ['EIO', 'failed'],
] as const) {
  t.test(`where every read ends in ${code}, each collector is ${reason} or writes nothing`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'jdos-locked-'));
    t.teardown(() => rmSync(root, { recursive: true }));
    for (const collector of collectors.filter(({ name }) => !WITHOUT_FILES.includes(name))) {
      const host = new LockedHost(root);
      host.code = code;
      const got = await collect(collector, host);
      const series = typeof got === 'string' ? [] : [...got.keys()].filter((name) => !WHY_NOT.test(name));
      t.ok(typeof got !== 'string' || got === reason, `${collector.name}: ${String(got)}`);
      t.same(series, [], collector.name);
    }
  });
}

/** How many cannot be read, or are named, and whether all went well. */
const COUNTS = /^jdos_|^container_scrape_error/;
/** In their place cpuacct.stat is read, which counts in hundredths of a second. */
const WITH_A_COARSER_ONE = ['cpuacct.usage_user', 'cpuacct.usage_sys'];

for (const name of [undefined, ...RECORDED_HOSTS]) {
  t.test(`on the host ${name ?? 'of the kernel files'} nothing that was known becomes 0 by a refusal`, async (t) => {
    const root = name === undefined ? RECORDED : unpackHosts(t, name);
    let refusals = 0;
    for (const collector of collectors.filter(({ name }) => !NOT_OF_A_ROOT.includes(name))) {
      const open = new LockedHost(root);
      const known = await collect(collector, open);
      if (typeof known === 'string') continue; // not recorded
      for (const file of open.asked) {
        if (WITH_A_COARSER_ONE.includes(file)) continue;
        const host = new LockedHost(root);
        host.code = 'EACCES';
        host.locked = (path) => basename(path) === file;
        const got = await collect(collector, host);
        if (typeof got === 'string') continue;
        refusals += 1;
        const zeros = [...got].filter(([series, value]) => value === 0 && (known.get(series) ?? 0) !== 0);
        const wrong = zeros.filter(([series]) => !COUNTS.test(series));
        if (wrong.length > 0) t.same(wrong, [], `${collector.name} without ${file}`);
      }
    }
    t.ok(refusals > 5, `${refusals} collections went on without one kind of file`);
  });
}
