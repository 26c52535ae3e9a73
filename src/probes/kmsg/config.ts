// The `probes.kmsg` slice of the configuration, and the rules of node-problem-detector that can stand in it.
import { z } from '../../base/schema.ts';
import { pattern } from '../process/names-config.ts';
import { literalsOf } from './literals.ts';

const MOST_RULES = 10_000;
/** Rules without a literal are tried on every line. */
const MOST_WITHOUT_LITERAL = 20;
const MIB = 1024 * 1024;
/** They are handed to each process of the daemon when it starts. */
const MOST_CHARACTERS = MIB;

const word = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/, 'a word such as OOMKilling');
/** A rule as node-problem-detector's system log monitor has it. */
const NpdRule = z
  .object({
    type: z.enum(['temporary', 'permanent']),
    condition: word.optional(),
    reason: word,
    pattern,
  })
  .superRefine(({ type, condition }, context) => {
    if (type === 'permanent' && condition === undefined)
      context.addIssue({ code: 'custom', path: ['condition'], message: 'the condition that a permanent rule sets' });
  });
export type NpdRule = z.output<typeof NpdRule>;

const NpdRules = z
  .array(NpdRule)
  .max(MOST_RULES)
  .superRefine((rules, context) => {
    const characters = rules.reduce((sum, { pattern: { length } }) => sum + length, 0);
    if (characters > MOST_CHARACTERS)
      context.addIssue({ code: 'custom', message: `patterns of at most ${MOST_CHARACTERS} characters in all` });
    const slow = rules.flatMap(({ pattern: text }, at) => (literalsOf(text) === undefined ? [at] : []));
    for (const at of slow.slice(MOST_WITHOUT_LITERAL))
      context.addIssue({
        code: 'custom',
        path: [at, 'pattern'],
        message: `four characters in a row that a line must have, outside of groups: at most ${MOST_WITHOUT_LITERAL} rules may be without`,
      });
  });

/** A file of node-problem-detector for `--config.system-log-monitor`; what it says of its own reading is not used here. */
export const NpdFile = z.object({
  plugin: z.literal('kmsg').default('kmsg'),
  rules: NpdRules,
});

export const KmsgConfig = z.strictObject({
  /** Facilities that are read; 0 is the kernel, which user space cannot write (syslog(3) has the others). */
  facilities: z.array(z.number().int().min(0).max(31)).min(1).max(32).default([0]),
  /** Rules beside the daemon's own. */
  rules: NpdRules.default([]),
  /** Files of node-problem-detector with more of them. */
  ruleFiles: z.array(z.string().startsWith('/')).max(50).default([]),
  /** Events of one reason that are kept; all are counted. */
  eventsPerMinute: z.number().int().min(1).max(1000).default(20),
  /** Days that events are kept. */
  days: z.number().int().min(1).max(3650).default(90),
  /** Most that events may take on the disk. */
  maxBytes: z
    .number()
    .int()
    .min(8 * MIB)
    .default(128 * MIB),
});
export type KmsgConfig = z.output<typeof KmsgConfig>;
