// Containers at the paths that serve them: with the labels of the kubelet, and with those of cAdvisor alone.
import t from 'tap';
import { openLog } from '../../../src/base/logging.ts';
import { Registry } from '../../../src/base/metrics.ts';
import { containers } from '../../../src/probes/container/collector.ts';
import type { Publication } from '../../../src/probes/publication.ts';
import { probeRoutes } from '../../../src/probes/routes.ts';
import { openSnapshots } from '../../../src/probes/snapshots.ts';

const NOW = Date.UTC(2026, 10, 26);
const text = 'container_last_seen{container="app",namespace="shop",pod="web-0",id="/docker/1",image="i",name="n"} 1\n';
const published: Publication = {
  collector: 'container',
  at: NOW,
  periodSeconds: 15,
  durationSeconds: 0.1,
  families: [{ name: 'container_last_seen', text: Buffer.from(text), samples: 1 }],
  quarantined: [],
};

t.test('/metrics/cadvisor and /metrics have the labels of the kubelet, /metrics/container has fewer', async (t) => {
  const log = openLog('test', 'silent');
  const snapshots = openSnapshots({ collectors: [containers], log, now: () => NOW });
  snapshots.accept(published);
  const routes = probeRoutes({
    snapshots,
    own: new Registry(),
    refresh: async () => {},
    fdsGrowth: { process: () => undefined },
    version: '0.0.0',
    log,
    now: () => NOW,
  });
  const bodyOf = async (path: string): Promise<string> => {
    const reply = await routes
      .find((route) => route.path === path)
      ?.handler({
        params: {},
        query: {},
        body: undefined,
        headers: {},
        caller: { name: 'anonymous', role: 'anonymous', from: 'test' },
        signal: new AbortController().signal,
      });
    return String(reply?.body);
  };
  const head =
    '# HELP container_last_seen Last time the container was seen, in Unix seconds.\n# TYPE container_last_seen gauge\n';
  t.equal(await bodyOf('/metrics/cadvisor'), `${head}${text}`);
  t.equal(await bodyOf('/metrics/container'), `${head}container_last_seen{id="/docker/1",image="i",name="n"} 1\n`);
  t.ok((await bodyOf('/metrics')).includes(text));
  t.notOk((await bodyOf('/metrics/node')).includes('container_last_seen'));
});
