// The message ledger of a whole daemon: rows outlive kill -9, calls to a stopped process end visibly, the story is told.
import t from 'tap';
import { openRpcClient } from '../../src/tracing/index.ts';
import { eventually, privateDirectory, type RunningDaemon, startDaemon } from '../support/daemon.ts';

interface Attempt {
  readonly id: string;
  readonly state: string;
  readonly caller: string;
  readonly service: string;
  readonly procedure: string;
  readonly instance?: string;
  readonly callerSide: { readonly endedAt?: string };
  readonly calleeSide: { readonly receivedAt?: string };
}

/** A call as curl makes it: YARPC's headers and nothing else. Gives the id that the reply tells. */
async function callLikeCurl(daemon: RunningDaemon): Promise<string> {
  const reply = await fetch(`${daemon.url()}/yarpc`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${daemon.token}`,
      'rpc-caller': 'curl',
      'rpc-service': 'jdos',
      'rpc-procedure': 'Meta::health',
      'rpc-encoding': 'json',
    },
  });
  t.equal(reply.status, 200);
  return reply.headers.get('rpc-message-id') ?? '';
}

const list = async (daemon: RunningDaemon, query: string): Promise<readonly Attempt[]> =>
  ((await daemon.get(`/jdos/v1/messages?${query}`)) as { items: readonly Attempt[] }).items;

t.test('a message is found by its id after kill -9 of every process and a new start', async (t) => {
  const dataDir = privateDirectory(t);
  const first = startDaemon(t, { dataDir });
  await first.until(/first report/);
  const pids = Object.values(await first.pids());
  t.equal(pids.length, 3);
  const id = await callLikeCurl(first);
  // Nothing is waited for: the reply says that the row is there.
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await new Promise((resolve) => first.child.once('exit', resolve));

  const second = startDaemon(t, { dataDir });
  await second.until(/listens/);
  const found = (await second.get(`/jdos/v1/messages/${id}`)) as { attempts: readonly Attempt[] };
  t.match(found.attempts, [{ id, caller: 'curl', service: 'jdos', procedure: 'Meta::health' }]);
  const { out, code } = await second.cli('message', id);
  t.equal(code, 0);
  t.match(out, new RegExp(`^message ${id}\ncurl → jdos Meta::health, trace [0-9a-f]{32}\n`));
  t.match(out, /executed +\d\d:\d\d:\d\d\.\d{6} +\+\d/);
});

t.test('what the processes of the daemon say to each other stands in the ledger, with both sides', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/first report/);
  for (const [caller, service, procedure] of [
    ['jdos-agent', 'jdos-serve', 'Meta::health'],
    ['jdos-agent', 'jdos-probe', 'Meta::health'],
    ['jdos-probe', 'jdos-serve', 'Probes::publish'],
    ['jdos-serve', 'jdos-agent', 'Supervisor::status'],
  ] as const) {
    const row = await eventually(`${caller} → ${service}`, async () => {
      const items = await list(daemon, `caller=${caller}&service=${service}&procedure=${procedure}&state=delivered`);
      return items.find(({ callerSide, calleeSide }) => callerSide.endedAt && calleeSide.receivedAt);
    });
    const { out } = await daemon.cli('message', row.id);
    for (const moment of ['sent', 'received', 'begun', 'executed', 'replied', 'delivered'])
      t.match(out, new RegExp(`^  ${moment} +\\d\\d:`, 'm'), `${procedure}: ${moment}`);
    t.match(out, /^  delivered: the caller had the reply at /m);
  }
  t.same(await list(daemon, 'procedure=Ledger::record'), [], 'reports about reports are not made');
  const metrics = await (await fetch(`${daemon.url()}/metrics`)).text();
  t.match(metrics, /^jdos_messages_unrecorded_total 0$/m);
  t.match(metrics, /^jdos_rpc_successes_total\{.*procedure="Probes::publish".*\} [1-9]/m);
  t.match((await daemon.cli('status')).out, /messages +available +\d+ reports recorded/);
});

t.test('another program calls by URL and token, and its message is followed', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/listens/);
  const where = { url: daemon.url(), service: 'jdos', caller: 'cart' };
  await using client = openRpcClient({ ...where, token: daemon.token });
  t.same(await client.call('Meta::health', {}, 5000), { ok: true });
  const row = await eventually('its row', async () => (await list(daemon, 'caller=cart&state=delivered'))[0]);
  t.match(row, { service: 'jdos', procedure: 'Meta::health', instance: /^cart\// });
  await using stranger = openRpcClient({ ...where, token: 'jdos_nobody' });
  await t.rejects(stranger.call('Meta::health', {}, 5000), { code: 'JD_UNAUTHENTICATED' });
});

t.test('calls to a process that does not move end as timed out, and can be asked for', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/first report/);
  const { probe } = await daemon.pids();
  if (probe === undefined) throw new Error('the probe process is not known');
  process.kill(probe, 'SIGSTOP');
  const [row] = await eventually('a call that timed out', async () => {
    const items = await list(daemon, 'service=jdos-probe&state=timed_out');
    return items.length > 0 ? items : undefined;
  });
  const { out } = await daemon.cli('messages', '--state', 'timed_out', '--service', 'jdos-probe', '--since', '10m');
  t.match(out, new RegExp(`${row?.id} .*jdos-probe.*timed_out \\(executed: unknown\\).*the caller waited until`));
  process.kill(probe, 'SIGCONT');
  t.match((await daemon.cli('messages', '--state', 'lost_reply')).out, /no such messages/);
  const unknown = await daemon.cli('message', '01a210c5-04e8-7ca0-88ce-9e285ea0ab44');
  t.equal(unknown.code, 1);
  t.match(unknown.err, /Try: .*jdos messages.*\[JD_MESSAGE_UNKNOWN\]/);
});

t.test('what was reported while the serve process was dead is in the ledger when it is back', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/first report/);
  const { serve } = await daemon.pids();
  if (serve === undefined) throw new Error('the serve process is not known');
  const killedAt = Date.now();
  process.kill(serve, 'SIGKILL');
  const rows = await eventually('the calls to the dead process', async () => {
    const items = await list(daemon, `service=jdos-serve&state=failed&from=${killedAt}`);
    return items.length > 0 ? items : undefined;
  });
  t.match(rows[0], { service: 'jdos-serve', state: 'failed', code: 'unavailable' });
});
