// Assembles what a report is made from: the run, what came before it, and the head of the page.
import type { HostView } from '../probes/index.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import { changeOf } from './change.ts';
import { checks } from './checks/index.ts';
import { onlineCpus } from './facts.ts';
import type { CheckText, Localized, ReportInput, Result, Run } from './model.ts';
import { reportedBefore, reportScores } from './store.ts';
import { both, plain, quantity } from './wording.ts';

const DAY_MS = 86_400_000;
const SCORE_DAYS = 14;
const WORST = 5;
/** What stands beside the findings as the worst of the host, in this order; `invert` shows the used share. */
const RANKED: readonly { readonly code: string; readonly label: Localized; readonly invert?: boolean }[] = [
  { code: 'FD_PROCESS', label: both('fd', 'fd') },
  { code: 'MEMORY_AVAILABLE', label: both('内存', 'memory'), invert: true },
  { code: 'DISK_SPACE', label: both('磁盘', 'disk') },
  { code: 'LOAD', label: both('每核负载', 'load per processor') },
  { code: 'PROCESS_STATES', label: both('D 态', 'state D') },
];

const checkTexts: ReadonlyMap<string, CheckText> = new Map(
  checks.map(({ code, text }): [string, CheckText] => [code, { code, ...text }]),
);

interface ReportSources {
  readonly store: StateStore;
  readonly view: HostView;
  readonly cost: () => ReportInput['cost'];
}

/** The input of the report about `run`: compared with the last reported run before it. */
export async function reportInput({ store, view, cost }: ReportSources, run: Run): Promise<ReportInput> {
  const previous = await reportedBefore(store, run.startedAt);
  const earlier = await reportScores(store, run.startedAt - SCORE_DAYS * DAY_MS, run.startedAt);
  return {
    run,
    previous,
    change: previous === undefined ? undefined : changeOf(previous, run),
    scores: [...earlier.slice(1 - SCORE_DAYS), run.score],
    period: { from: previous?.startedAt ?? run.startedAt - DAY_MS, to: run.startedAt },
    host: hostOf(view, run.host),
    worst: worstOf(run.results),
    cost: cost(),
    checks: checkTexts,
  };
}

function hostOf(view: HostView, name: string): ReportInput['host'] {
  const label = (metric: string, key: string): string => plain(view.samples(metric)?.[0]?.labels[key] ?? '') || '?';
  return {
    name,
    os: label('node_os_info', 'pretty_name'),
    kernel: label('node_uname_info', 'release'),
    cpus: onlineCpus(view) ?? 0,
    memoryBytes: view.samples('node_memory_MemTotal_bytes')?.[0]?.value ?? 0,
  };
}

/** The host's name as its kernel knows it. */
export function hostName(view: HostView): string | undefined {
  const name = view.samples('node_uname_info')?.[0]?.labels['nodename'];
  return name === undefined || name === '' ? undefined : plain(name);
}

/** The worst value of some checks, as `target value`; those without a value are left out. */
function worstOf(results: readonly Result[]): ReportInput['worst'] {
  return RANKED.flatMap(({ code, label, invert = false }) => {
    const valued = results.filter(
      (result) => result.code === code && result.value !== undefined && result.target !== 'Z',
    );
    const worst = valued.sort((a, b) => (b.value ?? 0) - (a.value ?? 0))[0];
    if (worst?.value === undefined) return [];
    const shown = quantity(invert ? 1 - worst.value : worst.value, worst.unit);
    const named = worst.target === 'host' || worst.target === 'D' ? shown : `${worst.target} ${shown}`;
    return [{ label, text: named }];
  }).slice(0, WORST);
}
