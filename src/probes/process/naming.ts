// Which group a process belongs to: by comm, by program, or by the names that the operator gave.
import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import type { HostFiles } from '../host-files.ts';
import { parseTemplate, type Field, type TemplatePart } from './name-template.ts';
import type { ProcessNames } from './names-config.ts';
import type { Table, Tracked } from './table.ts';

/** The moment of a question. */
interface NamingContext {
  readonly host: HostFiles;
  readonly cycle: number;
  readonly table: Table;
  /** Unix seconds of a start in clock ticks since boot. */
  readonly startedAt: (ticks: number) => number;
}

export interface Naming {
  /** Counters of groups go on over restarts as long as this is the same. */
  readonly id: string;
  /** Groups that exist whether or not a process is in them. */
  readonly configured: readonly string[];
  /** Whether the program's file must be known. */
  readonly withExe: boolean;
  /** The group of a process that was just read; undefined: none. */
  groupOf(process: Tracked, context: NamingContext): string | undefined;
}

export const namingBy = (groupBy: 'comm' | 'exe'): Naming => ({
  id: groupBy,
  configured: [],
  withExe: groupBy === 'exe',
  groupOf: ({ exe, stat }) => (groupBy === 'exe' ? (exe ?? stat.comm) : stat.comm),
});

/** A program may be replaced by another of the same comm (execve(2) of another script): one that ran is asked anew by turns. */
const REFRESH_CYCLES = 10;
const MAX_CMDLINE = 64 * 1024;

interface Subject {
  readonly process: Tracked;
  /** Words of the command line. */
  readonly words: readonly string[];
  readonly context: NamingContext;
}

interface Rule {
  readonly comm: ReadonlySet<string> | undefined;
  readonly exe: ReadonlyMap<string, string | undefined> | undefined;
  readonly cmdline: readonly RE2JS[] | undefined;
  readonly parts: readonly TemplatePart[];
}

/**
 * The names of process-exporter's configuration, with its meaning: the first entry that matches names the process, and a
 * process that none matches belongs to the group of its nearest ancestor that has one, where `children` says so.
 * Otherwise than there, a process is looked at again when it runs another program.
 */
export function namingOf(names: ProcessNames, children: boolean): Naming {
  const rules = names.map(compile);
  const users = openUsers();
  const own = (process: Tracked, context: NamingContext): string | undefined => {
    const { named } = process;
    const { cycle, host } = context;
    const turn = (process.pid + cycle) % REFRESH_CYCLES === 0;
    if (named !== undefined && (!turn || process.ranIn <= named.askedIn)) return named.group;
    const cmdline = readCmdline(process, host);
    if (named !== undefined && (cmdline === undefined || cmdline === named.cmdline)) {
      if (cmdline !== undefined) named.askedIn = cycle;
      return named.group;
    }
    const words = wordsOf(cmdline ?? '');
    const group = match(rules, { process, words, context }, users);
    // Without its command line it is named for this once, and asked again in the next pass.
    if (cmdline !== undefined) process.named = { cmdline, group, askedIn: cycle };
    if (group !== undefined) process.inherited = undefined;
    return group;
  };
  const inherited = (process: Tracked, context: NamingContext): string | undefined => {
    if (process.inherited !== undefined) return process.inherited;
    const seen = new Set<number>();
    let parent = context.table.get(process.stat.ppid);
    for (; parent !== undefined && !seen.has(parent.pid); parent = context.table.get(parent.stat.ppid)) {
      seen.add(parent.pid);
      const group = parent.named?.group ?? parent.inherited;
      if (group !== undefined) return (process.inherited = group);
    }
    return undefined;
  };
  return {
    id: `names ${createHash('sha256')
      .update(JSON.stringify([names, children]))
      .digest('hex')
      .slice(0, 16)}`,
    configured: [...new Set(rules.flatMap(fixedNames))],
    withExe: false,
    groupOf: (process, context) => own(process, context) ?? (children ? inherited(process, context) : undefined),
  };
}

function compile({ name, comm, exe, cmdline }: ProcessNames[number]): Rule {
  const template = parseTemplate(name === '' ? '{{.ExeBase}}' : name);
  if ('error' in template) throw new Error(template.error);
  return {
    comm: comm === undefined ? undefined : new Set(comm),
    exe: exe === undefined ? undefined : new Map(exe.map((one) => [baseOf(one), one.includes('/') ? one : undefined])),
    cmdline: cmdline?.map((text) => RE2JS.compile(text)),
    parts: template.parts,
  };
}

/** The names of a rule that are known before any process is: without fields, or with one that the rule lists. */
function fixedNames({ parts, comm, exe }: Rule): readonly string[] {
  const fields = parts.filter((part) => typeof part !== 'string');
  const text = (value: string): string => parts.map((part) => (typeof part === 'string' ? part : value)).join('');
  if (fields.length === 0) return [text('')];
  if (fields.every(({ field }) => field === 'Comm') && comm !== undefined) return [...comm].map(text);
  if (fields.every(({ field }) => field === 'ExeBase') && exe !== undefined) return [...exe.keys()].map(text);
  return [];
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1) || path;
const wordsOf = (cmdline: string): readonly string[] => (cmdline === '' ? [] : cmdline.replace(/\0$/, '').split('\0'));

/** With its NULs; undefined where it cannot be read now. Who is in state D may hold the lock that reading takes. */
function readCmdline({ pid, stat }: Tracked, host: HostFiles): string | undefined {
  if (stat.state === 'D') return undefined;
  if (stat.state === 'Z') return '';
  try {
    const path = `/proc/${pid}/cmdline`;
    return host.risky(`pid ${pid} cmdline`, () => host.bytes(path).toString('utf8', 0, MAX_CMDLINE));
  } catch {
    return undefined;
  }
}

function match(rules: readonly Rule[], subject: Subject, users: Users): string | undefined {
  const { process, words } = subject;
  const line = words.join(' ');
  const [program] = words;
  for (const { comm, exe, cmdline, parts } of rules) {
    if (comm !== undefined && !comm.has(process.stat.comm)) continue;
    if (exe !== undefined) {
      if (program === undefined || !exe.has(baseOf(program))) continue;
      const whole = exe.get(baseOf(program));
      if (whole !== undefined && whole !== program) continue;
    }
    const captures = new Map<string, string>();
    if (cmdline !== undefined && !cmdline.every((pattern) => capture(pattern, line, captures))) continue;
    return parts.map((part) => (typeof part === 'string' ? part : fill(part, subject, captures, users))).join('');
  }
  return undefined;
}

function capture(pattern: RE2JS, line: string, into: Map<string, string>): boolean {
  const matcher = pattern.matcher(line);
  if (!matcher.find()) return false;
  for (const name of Object.keys(pattern.namedGroups())) into.set(name, matcher.group(name) ?? '');
  return true;
}

function fill(
  part: Exclude<TemplatePart, string>,
  { process, words, context }: Subject,
  captures: ReadonlyMap<string, string>,
  users: Users,
): string {
  if (part.field === 'Matches') return captures.get(part.match) ?? '';
  const { stat, pid, uid } = process;
  const program = words[0] ?? stat.comm;
  const values: Record<Field, () => string> = {
    Comm: () => stat.comm,
    ExeBase: () => baseOf(program),
    ExeFull: () => program,
    Username: () => (uid === undefined ? '' : users(uid, context)),
    PID: () => String(pid),
    StartTime: () => goTime(context.startedAt(stat.start)),
    Cgroups: () => `[${cgroupsOf(pid, context.host).join(' ')}]`,
  };
  return values[part.field]();
}

/** As Go prints a time of UTC. */
const goTime = (unixSeconds: number): string =>
  `${new Date(unixSeconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '')} +0000 UTC`;

function cgroupsOf(pid: number, host: HostFiles): readonly string[] {
  try {
    const lines = host.text(`/proc/${pid}/cgroup`).trim().split('\n');
    return lines.map((line) => line.split(':').slice(2).join(':'));
  } catch {
    return [];
  }
}

type Users = (uid: number, context: NamingContext) => string;

/** Names of users from the host's passwd file (passwd(5)), read again when an unknown one is met; else the number. */
function openUsers(): Users {
  let names = new Map<number, string>();
  let readIn = -1;
  return (uid, { host, cycle }) => {
    if (!names.has(uid) && readIn !== cycle) {
      readIn = cycle;
      names = readUsers(host);
    }
    return names.get(uid) ?? String(uid);
  };
}

function readUsers(host: HostFiles): Map<number, string> {
  try {
    const fields = host
      .text('/etc/passwd')
      .split('\n')
      .map((line) => line.split(':'));
    return new Map(
      fields.flatMap(([name = '', , uid]) => (/^\d+$/.test(uid ?? '') ? [[Number(uid), name] as const] : [])),
    );
  } catch {
    return new Map();
  }
}
