// What history takes: CPU per minute for 2,000 series and 100 processes, bytes per rollup and per process, time to look back.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Columns, encodeColumns } from '../src/probes/history/codec.ts';
import { HistoryConfig } from '../src/probes/history/config.ts';
import type { Lines } from '../src/probes/history/intake.ts';
import { Accumulator } from '../src/probes/history/rollup.ts';
import type { KeptFamily } from '../src/probes/history/series.ts';
import { openLocalHistory } from '../src/probes/history/store.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const PERIOD = 15_000;
/** Series of each kind: what never moves, whole numbers that wander, a resource in use, and a counter under load. */
const EACH = 500;
const KINDS = ['still', 'whole', 'busy', 'counter_total'] as const;
const DAYS = Number(process.env['JDOS_BENCH_DAYS'] ?? 15);
const PROCESSES = 100;

const families: readonly KeptFamily[] = [
  { about: 'bench', metrics: KINDS.map((metric) => ({ metric, as: metric === 'counter_total' ? 'rate' : 'value' })) },
];
let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};
const names = new Map(
  KINDS.map((kind) => [
    kind,
    Array.from({ length: EACH }, (_, i) => `${kind}{device="/dev/disk/by-id/nvme-${i}",mountpoint="/srv/data/${i}"}`),
  ]),
);
const state = { whole: new Float64Array(EACH), busy: new Float64Array(EACH), counter: new Float64Array(EACH) };
const start = Math.floor(Date.now() / DAY) * DAY - DAYS * DAY;

function lines(at: number): Lines {
  const value: Record<(typeof KINDS)[number], (i: number) => number> = {
    still: (i) => i * 1_048_576,
    whole: (i) => (state.whole[i] = Math.max(0, (state.whole[i] ?? 0) + Math.floor(random() * 5) - 2)),
    busy: (i) => (state.busy[i] = Math.max(0, (state.busy[i] ?? 0) + Math.floor((random() - 0.49) * 1e6) * 4096)),
    counter_total: (i) => (state.counter[i] = (state.counter[i] ?? 0) + Math.floor(random() * 1e7)),
  };
  const text = (kind: (typeof KINDS)[number]): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode((names.get(kind) ?? []).map((name, i) => `${name} ${value[kind](i)}\n`).join(''));
  return {
    collector: 'bench',
    periodSeconds: 15,
    at,
    uptime: at,
    families: KINDS.map((name) => ({ name, text: text(name) })),
  };
}

const processes = (turn: number): readonly Record<string, unknown>[] =>
  Array.from({ length: PROCESSES }, (_, i) => ({
    pid: 1000 + i + (i % 10 === 0 ? turn : 0),
    ppid: 1,
    comm: `worker-${i % 20}`,
    group: `worker-${i % 20}`,
    state: 'S',
    uid: 1000,
    startTime: 1_795_000_000 + i * 10.01,
    cpuSeconds: turn * random(),
    cpuRatio: random() ** 4,
    rssBytes: Math.floor(1e8 + random() * 1e7) * 4096,
    fds: 20 + Math.floor(random() * 10),
    fdLimit: 1024,
    threads: 8,
    cmdline: `/usr/lib/jvm/java-21/bin/java -Xmx4g -Dservice=worker-${i} -jar /srv/apps/worker-${i % 20}/app.jar`,
    container: i % 2 === 0 ? (i * 7919).toString(16).padStart(64, 'a') : null,
  }));

/** Bytes of a rollup of one kind alone, without the row that it is in. */
function encoded(sample: (i: number) => number): string {
  const hours = 200;
  let bytes = 0;
  for (let hour = 0; hour < hours; hour += 1) {
    const columns = new Columns(60);
    for (let slot = 0; slot < 60; slot += 1) {
      const minute = new Accumulator();
      for (let i = 0; i < 4; i += 1) minute.add(sample(hour));
      const rollup = minute.rollup();
      if (rollup !== undefined) columns.put(slot, rollup);
    }
    bytes += encodeColumns(columns).length;
  }
  return (bytes / hours / 60).toFixed(1);
}

const dir = mkdtempSync(join(tmpdir(), 'jdos-bench-'));
const open = (now: number) =>
  openLocalHistory({
    dir,
    config: HistoryConfig.parse({ maxBytes: 10 ** 12, processHours: 720 }),
    now: () => now,
    onTrouble: (message, cause) => console.error(message, cause),
    onGrowth: () => undefined,
    families,
  });
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

try {
  let history = open(start);
  const series = EACH * KINDS.length;
  console.log(`history: ${series} series and ${PROCESSES} processes, a collection every 15 s, ${DAYS} days`);

  // One day as it comes, to measure what a minute takes; the making of the lines is measured by itself and taken off.
  let [working, longest, longestMinute] = [0, 0, 0];
  const MINUTES = 1440;
  const wall = performance.now();
  for (let minute = 0; minute < MINUTES; minute += 1) {
    let took = 0;
    for (let i = 0; i < 4; i += 1) {
      const at = start + minute * MINUTE + i * PERIOD;
      const given = lines(at);
      const snapshot = { at, processes: processes(minute * 4 + i), rest: { dstate: [], zombies: [] } };
      const [from, cpu] = [performance.now(), cpuMs()];
      history.take([given], snapshot);
      took = performance.now() - from;
      working += cpuMs() - cpu;
      longest = Math.max(longest, took);
      if (minute % 60 !== 0) longestMinute = Math.max(longestMinute, took);
    }
  }
  const perMinute = working / MINUTES;
  console.log(
    `CPU of the thread   ${perMinute.toFixed(1)} ms per minute, ${((perMinute / MINUTE) * 100).toFixed(3)} % of a core`,
  );
  console.log(`longest step        ${longestMinute.toFixed(0)} ms, ${longest.toFixed(0)} ms at the end of an hour`);
  console.log(`(a day took ${((performance.now() - wall) / 1000).toFixed(0)} s here)`);
  const bytesOf = (kind: string): number =>
    readdirSync(dir)
      .filter((name) => name.startsWith(kind))
      .reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  const rollups = series * MINUTES;
  console.log(
    `rollups of a minute ${(bytesOf('minutes') / 1e6).toFixed(1)} MB a day, ${(bytesOf('minutes') / rollups).toFixed(2)} bytes each (${(bytesOf('minutes') / rollups / 4).toFixed(2)} per sample)`,
  );
  const wander = new Float64Array(200).fill(100);
  console.log(
    `  of these          ${encoded((i) => i * 1_048_576)} bytes what is still, ${encoded((i) => (wander[i] = (wander[i] ?? 0) + Math.floor(random() * 5) - 2))} whole numbers that wander, ${encoded(() => (random() * 1e7) / 15)} noise in every digit`,
  );
  const seen = PROCESSES * MINUTES * 4;
  console.log(
    `processes           ${(bytesOf('processes') / 1e6).toFixed(1)} MB a day, ${(bytesOf('processes') / seen).toFixed(2)} bytes per process and collection`,
  );

  // The rest a collection a minute, so that the look back has all days before it.
  for (let minute = MINUTES; minute < DAYS * MINUTES; minute += 1)
    history.take([lines(start + minute * MINUTE)], undefined);
  const now = start + DAYS * DAY;
  const began = performance.now();
  history.close();
  history = open(now);
  console.log(`opened again in     ${(performance.now() - began).toFixed(0)} ms`);
  console.log(`rollups of days     ${(bytesOf('days') / 1e6).toFixed(1)} MB for ${DAYS - 1} days, names included`);
  for (const metric of KINDS) {
    const times: number[] = [];
    let points = 0;
    for (let i = 0; i < 5; i += 1) {
      const from = performance.now();
      const found = history.series({
        metric,
        labels: { mountpoint: `/srv/data/${i}` },
        from: start,
        to: now,
        stepSeconds: 3600,
        limit: 1,
        after: undefined,
      }) as { items: { points: unknown[] }[] };
      times.push(performance.now() - from);
      points = found.items[0]?.points.length ?? 0;
    }
    times.sort((a, b) => a - b);
    console.log(`${DAYS} days of one     ${(times[2] ?? 0).toFixed(0)} ms, ${points} points of an hour (${metric})`);
  }
  const from = performance.now();
  history.processes({ at: start + 12 * 3_600_000, by: 'cpu', limit: 20 });
  console.log(`top --at            ${(performance.now() - from).toFixed(1)} ms`);
  history.close();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
