// The minute tick, by node-cron in UTC, which has no daylight saving; what is due then is decided by schedule.ts.
import { schedule } from 'node-cron';
import type { Logger } from '../base/logging.ts';

/** Calls `tick` every minute until the returned function is called; a tick that is still at work is not overlapped. */
export type Ticker = (tick: () => Promise<void>) => () => void;

export const minuteTicker =
  (log: Logger): Ticker =>
  (tick) => {
    const task = schedule('* * * * *', tick, {
      name: 'inspector',
      timezone: 'UTC',
      noOverlap: true,
      // A late tick loses nothing: the next one sees the same table.
      suppressMissedWarning: true,
      logger: {
        info: (message) => log.debug({ cron: message }, 'scheduler notice'),
        debug: (message) => log.debug({ cron: String(message) }, 'scheduler notice'),
        warn: (message) => log.debug({ cron: message }, 'scheduler warning'),
        error: (message, error) => log.error({ cron: String(message), err: error }, 'scheduler error'),
      },
    });
    return () => void task.destroy();
  };
