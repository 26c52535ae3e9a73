// What is due at a moment: the daily report by our own table, the sweeps by the last one. Pure.
import { firedSince, lastFire, type Cron, type Fire } from './cron.ts';

/** The row of the report's schedule. */
export interface ReportSchedule {
  /** When this installation first knew of the schedule; what fired before it is not owed. Unix milliseconds. */
  readonly firstSeenAt: number;
  /** The key of the last fire that was reported or given up. */
  readonly lastKey: string | undefined;
}

export interface ReportPlan {
  readonly cron: Cron;
  readonly zone: string;
  readonly catchUpHours: number;
}

type ReportDue =
  | { readonly kind: 'none' }
  /** To be made now; `lateMs` after its time. */
  | { readonly kind: 'due'; readonly fire: Fire; readonly lateMs: number }
  /** The daemon did not run until the catch-up time was over: said once, and not made. */
  | { readonly kind: 'missed'; readonly fire: Fire };

const HOUR_MS = 3_600_000;

/**
 * Whether a report is owed at `now`. A report is named by its local date, so that restarts, long pauses, a clock that
 * jumps, and the hours that daylight saving skips or repeats neither lose nor double one.
 */
export function reportDue(plan: ReportPlan, schedule: ReportSchedule, now: number): ReportDue {
  const days = Math.ceil(plan.catchUpHours / 24) + 2;
  const fire = lastFire(plan.cron, plan.zone, now, days);
  if (fire === undefined || fire.at < schedule.firstSeenAt) return { kind: 'none' };
  if (schedule.lastKey !== undefined && fire.key <= schedule.lastKey) return { kind: 'none' };
  const lateMs = now - fire.at;
  return lateMs > plan.catchUpHours * HOUR_MS ? { kind: 'missed', fire } : { kind: 'due', fire, lateMs };
}

/** Whether a sweep is due: one should have begun since the last one did, or none ever did. */
export const sweepDue = (cron: Cron, zone: string, lastStartedAt: number | undefined, now: number): boolean =>
  lastStartedAt === undefined || lastStartedAt > now + HOUR_MS || firedSince(cron, zone, lastStartedAt, now);
