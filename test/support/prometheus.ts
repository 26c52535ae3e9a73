// A real Prometheus for tests: a private directory, a port on the loopback, a scrape every second.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually, privateDirectory } from './daemon.ts';
import { freePort } from './free-port.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  readonly url: string;
  /** An instant query of PromQL. */
  query(promql: string): Promise<readonly Sample[]>;
  /** Data of a path of its API. */
  get<T>(path: string): Promise<T>;
  /** All it logged, scrapes that failed included. */
  log(): string;
}

/** Scrapes each URL as a job of its own, and evaluates the rules; ends with the test. */
export async function startPrometheus(
  t: Test,
  jobs: Readonly<Record<string, URL>>,
  ruleFiles: readonly string[] = [],
): Promise<Prometheus> {
  const dir = privateDirectory(t);
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: Object.entries(jobs).map(([job_name, { host, pathname }]) => ({
      job_name,
      metrics_path: pathname,
      static_configs: [{ targets: [host] }],
    })),
  };
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
  const port = await freePort();
  const child = spawn(
    '/usr/bin/prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=debug',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
  });

  const url = `http://127.0.0.1:${port}`;
  const get = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  await eventually('the readiness of Prometheus', async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended:\n${log}`);
    return (await fetch(`${url}/-/ready`)).ok || undefined;
  });
  return {
    url,
    get,
    log: () => log,
    async query(promql) {
      const { result } = await get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `query?query=${encodeURIComponent(promql)}`,
      );
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
  };
}
