// Every rule of the daemon's own, by class; the reasons of node-problem-detector's kernel monitors are among them.
import type { Rule } from '../rule.ts';
import { blockIoRules } from './block-io.ts';
import { fileSystemRules } from './file-systems.ts';
import { hardwareRules } from './hardware.ts';
import { hungTaskRules } from './hung-tasks.ts';
import { lockupRules } from './lockups.ts';
import { networkRules } from './network.ts';
import { oomRules } from './oom.ts';
import { oopsRules } from './oops.ts';
import { processRules } from './process.ts';

export const RULES: readonly Rule[] = [
  ...oomRules,
  ...lockupRules,
  ...hungTaskRules,
  ...oopsRules,
  ...blockIoRules,
  ...fileSystemRules,
  ...networkRules,
  ...hardwareRules,
  ...processRules,
];
