// The kernel's log on a whole daemon and the real kernel: a kill for want of memory is told within moments, attributed, and kept once.
import { execFile } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readLayout } from '../../src/probes/cgroup/layout.ts';
import { HostFiles } from '../../src/probes/host-files.ts';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { needsRoot } from '../support/needs.ts';

interface Event {
  readonly seq: number;
  readonly at: number;
  readonly reason: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  readonly cgroup: string | null;
  readonly container: Readonly<Record<string, string>> | null;
}

const config =
  'probes: { periodSeconds: 1, budget: { cpuRatio: 1 }, kmsg: { facilities: [0, 1], eventsPerMinute: 1000 } }\n';

async function eventsOf(daemon: RunningDaemon, query: string): Promise<readonly Event[]> {
  const { items } = (await daemon.get(`/jdos/v1/kernel/events?limit=1000&${query}`)) as { items: readonly Event[] };
  return items;
}

/** A group of the memory hierarchy with a limit, named as Docker names the group of a container. */
function limitedGroup(t: Test, id: string): { readonly path: string; readonly procs: string } | undefined {
  try {
    const layout = readLayout(new HostFiles('/'));
    const tree = layout.v1.get('memory') ?? layout.unified ?? '';
    const dir = join(tree, 'docker', id);
    mkdirSync(dir, { recursive: true });
    t.teardown(() => rmdirSync(dir));
    writeFileSync(join(dir, layout.v1.has('memory') ? 'memory.limit_in_bytes' : 'memory.max'), '33554432');
    return { path: `/docker/${id}`, procs: join(dir, 'cgroup.procs') };
  } catch {
    return undefined;
  }
}

/** A shell that joins the group and takes more than it has. */
const overeat = (procs: string): Promise<void> =>
  new Promise((resolve) => {
    const script = 'echo $$ >"$0"; exec dd if=/dev/zero of=/dev/null bs=200M count=1';
    execFile('sh', ['-c', script, procs], () => resolve());
  });

t.test(
  'a real OOM in a limited cgroup is an event of its container within moments',
  { skip: needsRoot() },
  async (t) => {
    const id = process.pid.toString(16).padStart(64, 'e');
    const group = limitedGroup(t, id);
    if (group === undefined) return void t.pass('there is no memory controller here');
    const daemon = startDaemon(t, { config });
    await daemon.until(/listens +http:/);
    await eventually('the log is read', async () => {
      const text = await (await fetch(`${daemon.url()}/metrics/problem`)).text();
      return /^jdos_kmsg_reading\{reason=""\} 1$/m.test(text) ? true : undefined;
    });
    const began = Date.now();
    await overeat(group.procs);
    const event = await eventually('it is told', async () => {
      const found = await eventsOf(daemon, `reason=OOMKilling&from=${began - 1000}`);
      return found.find(({ cgroup }) => cgroup === group.path);
    });
    t.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
    t.match(event, { fields: { comm: 'dd', constraint: 'MEMCG', limit_kb: '32768' }, container: { id: group.path } });
    t.ok(event.lines.length > 3, 'with the report');
    t.ok(Math.abs(event.at - began) < 10_000, 'at its time');
    const { out } = await daemon.cli('events', '--kernel', '--reason', 'OOMKilling', '--since', '1m');
    t.match(out, /OOMKilling {2}Memory cgroup out of memory: Killed process \d+ \(dd\)/);
  },
);

t.test(
  'events and counts are there once, whoever is killed with SIGKILL in between',
  { skip: needsRoot() },
  async (t) => {
    const dataDir = privateDirectory(t);
    const reason = `Broke${process.pid}`;
    const text = `jdos system test ${process.pid} broke`;
    const rules = `${config.slice(0, -4)}, rules: [{ type: temporary, reason: ${reason}, pattern: '${text} \\d+' }] } }\n`;
    let said = 0;
    const say = (count: number): void => {
      for (; count > 0; count -= 1) writeFileSync('/dev/kmsg', `<4>${text} ${(said += 1)}\n`);
    };
    const kept = (daemon: RunningDaemon): Promise<unknown> =>
      eventually(`${said} events are kept`, async () => {
        const numbers = (await eventsOf(daemon, `reason=${reason}`)).map(({ message }) =>
          Number(message.split(' ').at(-1)),
        );
        if (numbers.length < said) throw new Error(`there are ${numbers.length}`);
        t.same(
          numbers.sort((a, b) => a - b),
          Array.from({ length: said }, (_, at) => at + 1),
          `all ${said}, once each`,
        );
        return true;
      });
    const counted = (daemon: RunningDaemon): Promise<unknown> =>
      eventually(`${said} are counted`, async () => {
        const metrics = await (await fetch(`${daemon.url()}/metrics/problem`)).text();
        const [, value] = new RegExp(`^problem_counter\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(metrics) ?? [];
        if (Number(value) > said) t.fail(`${value} are counted of ${said}`);
        return Number(value) === said ? true : undefined;
      });

    const listen = `127.0.0.1:${await freePort()}`; // the same after a restart
    const first = startDaemon(t, { config: rules, dataDir, listen });
    await first.until(/listens +http:/);
    say(20);
    await kept(first);
    for (const name of ['probe', 'serve', 'probe']) {
      const before = await first.pids();
      process.kill(before[name] ?? 0, 'SIGKILL');
      say(10);
      await eventually(`another ${name} process`, async () => {
        const now = await first.pids();
        return now[name] !== undefined && now[name] !== before[name] ? true : undefined;
      });
      await kept(first);
      await counted(first);
    }
    say(10);
    await first.killAll();
    say(10);
    const second = startDaemon(t, { config: rules, dataDir, listen });
    await second.until(/listens +http:/);
    await kept(second);
    await counted(second);
  },
);
