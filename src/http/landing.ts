// The page at `/`: what this is, how its parts are, and where to look next. Static HTML without scripts.
import type { Health, HealthState } from '../base/component.ts';
import { route, type Route } from '../base/route.ts';
import { formatSeconds } from '../base/units.ts';
import type { Parts } from './health-routes.ts';
import { CSS } from './landing-style.ts';

interface LandingSources {
  readonly parts: () => Parts;
  readonly version: string;
  readonly hostname: string;
  readonly now: () => number;
  /** The paths that are mounted: only those are linked. */
  readonly paths: () => readonly string[];
  /** The path of the newest report; undefined while there is none. */
  readonly latestReport: () => string | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');

/** A symbol beside the word, so that colour is never the only sign. */
const SYMBOLS = {
  available: '✓',
  starting: '…',
  limited: '◐',
  missing: '○',
  failing: '✕',
} as const satisfies Record<HealthState, string>;

/** Worst first, for the verdict. */
const WORST = ['failing', 'starting', 'limited', 'missing', 'available'] as const satisfies readonly HealthState[];

interface Link {
  readonly path: string;
  readonly title: string;
  readonly text: string;
}
const LINKS: readonly Link[] = [
  { path: '/metrics', title: 'Metrics', text: 'everything, for Prometheus' },
  { path: '/metrics/node', title: 'Node metrics', text: 'the family of node_exporter' },
  { path: '/metrics/process', title: 'Process metrics', text: 'the family of process-exporter' },
  { path: '/readyz?verbose', title: 'Readiness', text: 'one line per part' },
  { path: '/jdos/v1/openapi.json', title: 'API', text: 'every route, OpenAPI 3.1' },
];

function verdict(parts: Parts): { readonly state: HealthState; readonly text: string } {
  const count = (state: HealthState): number => [...parts.values()].filter((health) => health.state === state).length;
  const state = WORST.find((one) => count(one) > 0) ?? 'starting';
  if (state === 'available') return { state, text: `All ${parts.size} parts work` };
  const counts = WORST.filter((one) => one !== 'available' && count(one) > 0).map((one) => `${count(one)} ${one}`);
  return { state, text: parts.size === 0 ? 'No part has started yet' : `${parts.size} parts: ${counts.join(', ')}` };
}

function line(term: string, text: string | undefined): string {
  return text === undefined ? '' : `<div><dt>${term}</dt><dd>${escape(text)}</dd></div>`;
}

function part(name: string, { state, reason, costs, remedy, summary }: Health): string {
  const details = `${line('Why', reason)}${line('Without it', costs)}${line('Remedy', remedy)}`;
  return `<li class="part ${state}">
<div class="row"><span class="name">${escape(name)}</span><span class="summary">${escape(summary ?? '')}</span><span class="state"><span aria-hidden="true">${SYMBOLS[state]}</span> ${state}</span></div>${
    details === '' ? '' : `\n<dl>${details}</dl>`
  }
</li>`;
}

const link = ({ path, title, text }: Link): string =>
  `<li><a href="${escape(path)}"><span class="title">${escape(title)}</span><code>${escape(path)}</code><span class="text">${escape(text)}</span></a></li>`;

/** The page. Everything foreign in it is escaped. */
export function renderLanding(sources: LandingSources, uptimeSeconds: number): string {
  const { parts, version, hostname, paths, latestReport } = sources;
  const known = parts();
  const { state, text } = verdict(known);
  const report = latestReport();
  const mounted = LINKS.filter(({ path }) => paths().includes(path.split('?', 1)[0] ?? path));
  const newest = { path: report ?? '', title: 'Latest report', text: 'what needs attention' };
  const links = report === undefined ? mounted : [newest, ...mounted];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${SYMBOLS[state]} JDOS on ${escape(hostname)}</title>
<style>${CSS}</style>
</head>
<body>
<header>
<p class="brand"><span class="mark" aria-hidden="true"></span>JDOS <span class="version">${escape(version)}</span></p>
<h1>${escape(hostname)}</h1>
<p class="lead">One daemon per host that runs your containers, watches the host beneath them, follows every message between them, and mails you each morning what needs attention.</p>
<p class="verdict ${state}"><span class="badge" aria-hidden="true">${SYMBOLS[state]}</span><span><strong>${text}</strong><br><span class="since">up ${formatSeconds(uptimeSeconds)}</span></span></p>
</header>
<main>
<section aria-labelledby="parts"><h2 id="parts">Parts</h2>
<ul class="parts">
${[...known].map(([name, health]) => part(name, health)).join('\n')}
</ul></section>
<nav aria-labelledby="look"><h2 id="look">Look further</h2>
<ul class="links">
${links.map(link).join('\n')}
</ul></nav>
</main>
<footer>On the command line: <code>jdos status</code>, <code>jdos top</code>, <code>jdos inspect</code>.</footer>
</body>
</html>
`;
}

/** GET /, until there is a console. */
export function landingRoute(sources: LandingSources): Route {
  const startedAt = sources.now();
  return route({
    method: 'GET',
    path: '/',
    right: 'health',
    summary: 'A page with the parts, their health and where to look next',
    handler: () => ({
      type: 'text/html; charset=utf-8',
      body: renderLanding(sources, Math.max(0, sources.now() - startedAt) / 1000),
    }),
  });
}
