// Names for groups of processes, in the form of process-exporter's configuration: `process_names` with comm, exe and cmdline.
import { RE2JS } from 're2js';
import { z } from '../../base/schema.ts';
import { parseTemplate } from './name-template.ts';

const MAX_PATTERN = 4096;
const DEFAULT_NAME = '{{.ExeBase}}';

/** A regular expression in RE2's syntax. */
export const pattern = z
  .string()
  .min(1)
  .max(MAX_PATTERN)
  .superRefine((text, context) => {
    try {
      RE2JS.compile(text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: 'custom', message: `a regular expression in RE2's syntax: ${why}` });
    }
  });

/** Names that the capturing groups of the patterns define. */
const captured = (patterns: readonly string[]): ReadonlySet<string> =>
  new Set(patterns.flatMap((text) => Object.keys(RE2JS.compile(text).namedGroups())));

const ProcessName = z
  .strictObject({
    /** A template: {{.Comm}}, {{.ExeBase}}, {{.ExeFull}}, {{.Username}}, {{.PID}}, {{.StartTime}}, {{.Cgroups}}, {{.Matches.NAME}}. */
    name: z.string().max(MAX_PATTERN).default(DEFAULT_NAME),
    /** The command name is one of these. */
    comm: z.array(z.string()).optional(),
    /** The program, the first word of the command line, is one of these: whole with a slash, else its base name. */
    exe: z.array(z.string().min(1)).optional(),
    /** The command line, joined by spaces, matches all of these. */
    cmdline: z.array(pattern).optional(),
  })
  .superRefine(({ name, comm, exe, cmdline }, context) => {
    if (comm === undefined && exe === undefined && cmdline === undefined)
      context.addIssue({ code: 'custom', message: 'at least one of comm, exe and cmdline' });
    const template = parseTemplate(name === '' ? DEFAULT_NAME : name);
    if ('error' in template) return context.addIssue({ code: 'custom', path: ['name'], message: template.error });
    let names: ReadonlySet<string>;
    try {
      names = captured(cmdline ?? []);
    } catch {
      return; // said of the pattern itself
    }
    for (const part of template.parts)
      if (typeof part !== 'string' && part.field === 'Matches' && !names.has(part.match))
        context.addIssue({
          code: 'custom',
          path: ['name'],
          message: `a name that a (?P<${part.match}>…) in cmdline captures, for {{.Matches.${part.match}}}`,
        });
  });

/** The first that matches names the process. */
export const ProcessNames = z.array(ProcessName).max(1000);
export type ProcessNames = z.output<typeof ProcessNames>;

/** The whole of process-exporter's file. */
export const ProcessNamesFile = z.strictObject({ process_names: ProcessNames });
