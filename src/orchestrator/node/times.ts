// Times as Kubernetes writes them.
import type { Time } from '../objects/meta.ts';

/** RFC 3339 in UTC with whole seconds. */
export const timeOf = (unixMs: number): Time => `${new Date(unixMs).toISOString().slice(0, 19)}Z`;
