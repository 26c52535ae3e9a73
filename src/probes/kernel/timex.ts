// Whether the host's clock is synchronised, as far as files can tell.
import { stateless, type Collector } from '../collector.ts';
import { readFailure, type HostFiles } from '../host-files.ts';

const TIMESYNCD = '/run/systemd/timesync';

/**
 * The kernel itself gives up a clock that nobody has set for so long: `maxerror` grows by 500 ppm from 0 to 16 s
 * (MAXFREQ and NTP_PHASE_LIMIT in include/linux/timex.h), and then adjtimex(2) says STA_UNSYNC.
 */
export const SYNCHRONIZED_FOR_SECONDS = 32_000;

/** What systemd-timesyncd left in /run/systemd/timesync. */
interface TimesyncdFiles {
  /** The directory exists: the service runs. */
  readonly running: boolean;
  /** Unix milliseconds when `synchronized` was touched last, or undefined when it does not exist. */
  readonly touchedAt: number | undefined;
}

/** 1 or 0, or undefined when these files cannot tell. `now` in Unix milliseconds. */
export function judgeTimesyncd(files: TimesyncdFiles, now: number): 0 | 1 | undefined {
  if (!files.running) return undefined;
  if (files.touchedAt === undefined) return 0;
  return (now - files.touchedAt) / 1000 <= SYNCHRONIZED_FOR_SECONDS ? 1 : 0;
}

function modifiedAt(host: HostFiles, path: string): number | undefined {
  try {
    return host.modifiedAt(path);
  } catch (error) {
    if (readFailure(error) === 'absent') return undefined;
    throw error;
  }
}

/**
 * `node_timex_*` is not written: it is adjtimex(2), which Node.js cannot call and no file of the kernel shows.
 *
 * systemd-timesyncd touches `synchronized` at each successful synchronisation (systemd-timesyncd.service(8)) and its
 * directory goes away with the service, so it can be read both ways. chronyd and ntpd leave nothing of the kind: their
 * pid files say that they run, their drift files when the frequency was last measured, neither that the clock is right.
 * With them, with PTP, and for a guest whose hypervisor sets the clock, the series is absent: not known. So is the offset.
 */
export const timex: Collector = {
  name: 'timex',
  view: 'node',
  periodSeconds: 30,
  metrics: [
    {
      name: 'jdos_clock_synchronized',
      help: 'Whether the clock is synchronised (1) or not (0) by what the source says; absent when no source can tell.',
      type: 'gauge',
      source: 'age of /run/systemd/timesync/synchronized',
      unit: '0 or 1',
      labels: ['source'],
    },
    {
      name: 'jdos_clock_last_synchronized_timestamp_seconds',
      help: 'When the source last set the clock, in unixtime.',
      type: 'gauge',
      source: 'mtime of /run/systemd/timesync/synchronized',
      labels: ['source'],
    },
  ],
  open: stateless((host, out) => {
    const touchedAt = modifiedAt(host, `${TIMESYNCD}/synchronized`);
    const running = touchedAt !== undefined || modifiedAt(host, TIMESYNCD) !== undefined;
    const synchronized = judgeTimesyncd({ running, touchedAt }, Date.now());
    if (synchronized !== undefined) out.add('jdos_clock_synchronized', synchronized, 'systemd-timesyncd');
    if (touchedAt !== undefined) {
      out.add('jdos_clock_last_synchronized_timestamp_seconds', touchedAt / 1000, 'systemd-timesyncd');
    }
  }),
};
