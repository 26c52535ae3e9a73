// docs/errors.md lists every fault the sources declare, and no other. `npm run docs` writes it anew.
import { STATUS_CODES } from 'node:http';
import t from 'tap';
import { golden } from '../support/golden.ts';
import { type DocumentedFault, documentedFaults, runsOnImport, sources } from './fault-sources.ts';

/** The parts in the order of the document, by the folder that declares the fault. */
const PARTS: Readonly<Record<string, string>> = {
  cli: 'The command line',
  daemon: 'The daemon, its configuration and its data directory',
  http: 'The front door',
  report: 'Reports and mail',
  inspector: 'Inspections',
  orchestrator: 'Workloads',
  logs: 'Logs',
  tracing: 'yaRPC and tracing',
  probes: 'Probes',
  drivers: 'Stores and drivers',
};

const HEAD = `<!-- Made by test/docs/errors.test.ts from the sources; \`npm run docs\` writes it anew. -->

# Errors

Every error that an operator can act on has a stable code. A code is never used again for something else.

- The command line prints what happened, and then \`Try: REMEDY  [CODE]\`. It ends with exit code 1.
- The HTTP interfaces answer with problem details (RFC 9457, \`application/problem+json\`): \`code\` and \`remedy\` beside
  \`title\`, \`status\` and \`detail\`, and \`errors\` with one entry per wrong field.
- yaRPC answers with \`Rpc-Status: error\`, and the same code in the body.
- The log has the code in \`err.code\`.

Below, under each code: its HTTP status where it crosses HTTP, what it says (what differs from case to case is in
italics or a \`…\`), and what to do. A case may have a more precise remedy than the general one given here.
`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** Markdown's own characters as they are, but for code; what differs from case to case in italics. */
const escape = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((piece, i) => (i % 2 === 1 ? piece : piece.replaceAll(/[<>*_]/g, '\\$&').replaceAll(/«(\w+)»/g, '*$1*')))
    .join('');

function section({ code, status, remedy, messages }: DocumentedFault): string {
  // 499 is nginx' number for it; RFC 9110 has none.
  const status_ = status === 499 ? 'Client Closed Request' : STATUS_CODES[status];
  const said = messages.length === 0 ? [] : [messages.map((message) => `- ${escape(message)}`).join('\n')];
  return [`### ${code}`, `HTTP ${status} ${status_}`, ...said, `**Try:** ${escape(capital(remedy))}.`].join('\n\n');
}

function render(faults: readonly DocumentedFault[]): string {
  const parts = Object.entries(PARTS).map(([folder, title]) => ({
    title,
    faults: faults.filter(({ file }) => file.startsWith(`${folder}/`)),
  }));
  const text = parts
    .filter((part) => part.faults.length > 0)
    .map((part) => `## ${part.title}\n\n${part.faults.map(section).join('\n\n')}\n`);
  return `${[HEAD, ...text].join('\n').trimEnd()}\n`;
}

t.test('every fault of the sources stands in docs/errors.md, and no other', async (t) => {
  const text = render(await documentedFaults(await sources()));
  await golden(t, '../../docs/errors.md', text);
});

t.test(
  'every code that the sources name is declared, where it can be listed, and in a part of the document',
  async (t) => {
    const texts = await sources();
    const faults = await documentedFaults(texts);
    const known = new Set<string>(faults.map(({ code }) => code));
    for (const [file, text] of texts) {
      for (const [code] of text.matchAll(/\bJD_[A-Z0-9_]*[A-Z0-9]\b/g))
        t.ok(known.has(code), `${code} of ${file} is declared`);
      if (runsOnImport(text)) t.notMatch(text, /faultKind\(\s*'JD_/, `${file} runs on import and declares no faults`);
    }
    for (const { code, file, status, remedy } of faults) {
      t.ok((file.split('/')[0] ?? '') in PARTS, `${code} of ${file} belongs to a part`);
      t.ok(STATUS_CODES[status] !== undefined || status === 499, `${code} has an HTTP status`);
      t.match(remedy, /^\S.*[^.\s]$/, `the remedy of ${code} is one sentence without a full stop`);
    }
  },
);
