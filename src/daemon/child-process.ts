// What the probe and the serve process have in common: boot line, signals, the stop within its deadline.
import { type Component, type Components, runComponents } from '../base/component.ts';
import { type Logger, type LogLevel, openLog } from '../base/logging.ts';
import { readBoot } from './boot.ts';

export interface ChildOptions<B> {
  readonly name: 'probe' | 'serve';
  /** Milliseconds for all parts to stop. */
  readonly stopMs: number;
  /** Builds the parts, in the order in which they start. `components` serves their health, `end` ends the process in order. */
  readonly build: (
    boot: B,
    log: Logger,
    components: () => Components,
    end: (exitCode: number) => void,
  ) => readonly Component[];
}

/** Runs a child process of the daemon until it is told to stop or the agent is gone. */
export async function runChild<B extends { readonly logLevel: LogLevel }>(options: ChildOptions<B>): Promise<void> {
  let running: Components | undefined;
  let stopping = false;
  const end = (exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    if (running === undefined) process.exit(exitCode);
    void running.stop(options.stopMs).then((late) => process.exit(late.length === 0 ? exitCode : 1));
  };
  const stop = (): void => end(0);
  process.on('SIGTERM', stop);
  // Ctrl-C and a closed terminal reach the whole process group; the agent decides what follows from them.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

  const boot = await readBoot<B>(process.stdin, stop);
  const log = openLog(options.name, boot.logLevel);
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'a promise was left without a handler');
    process.exit(1);
  });
  const components: Components = runComponents(
    options.build(boot, log, () => components, end),
    log,
  );
  running = components;
  await components.start();
  log.info('process started');
}
