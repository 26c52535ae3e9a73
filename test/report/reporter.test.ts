import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { simpleParser } from 'mailparser';
import t, { type Test } from 'tap';
import type { Route, RouteReply } from '../../src/base/route.ts';
import type { z } from '../../src/base/schema.ts';
import { ReportConfig } from '../../src/report/config.ts';
import { openReporter, type Reporter } from '../../src/report/reporter.ts';
import { MORNING, SAMPLES, ZONE } from './samples.ts';
import { TEMPLATES, openClock, openStore, silent } from './setup.ts';
import { startRelay } from './relay.ts';

type Config = z.input<typeof ReportConfig>;

async function open(t: Test, config: Config = {}, dir = t.testdir({})): Promise<{ reporter: Reporter; dir: string }> {
  const reporter = openReporter({
    store: await openStore(t, dir),
    config: ReportConfig.parse({ timezone: ZONE, ...config }),
    dataDir: dir,
    templatesDir: TEMPLATES,
    hostname: 'hb1-h031.example.com',
    log: silent,
    now: openClock(MORNING + 1240).now,
    jitter: () => 0,
  });
  return { reporter, dir };
}

/** Calls a route as the front door does: parameters, query and body go through their schemas. */
async function call(
  reporter: Reporter,
  key: string,
  { params = {}, query = {}, body = undefined as unknown } = {},
): Promise<RouteReply & { readonly route: Route }> {
  const route = reporter.routes.find((r) => `${r.method} ${r.path}` === key);
  if (route === undefined) throw new Error(`no route ${key}`);
  const reply = await route.handler({
    params: route.params?.parse(params) ?? {},
    query: route.query?.parse(query) ?? {},
    body: route.body === undefined || route.body === 'raw' ? undefined : route.body.parse(body),
    headers: {},
    caller: { name: 'test', role: 'admin', from: 'unix' },
    signal: new AbortController().signal,
  });
  return { ...reply, route };
}

const fields = (reply: RouteReply): Record<string, unknown> => {
  if (reply.body === null || typeof reply.body === 'string' || reply.body instanceof Readable)
    throw new Error('no object');
  return reply.body as Record<string, unknown>;
};

t.test('a report without a relay is kept and filed as a mail', async (t) => {
  const { reporter, dir } = await open(t);
  await reporter.start(new AbortController().signal);
  t.teardown(() => reporter.stop());
  const published = await reporter.publish(SAMPLES.bad, { mail: true, kind: 'daily' });
  t.match(published, {
    id: '2026-11-23-daily-20261123-080000-7f3a',
    subject: /^✖1 ▲6 \?1 hb1-h031/,
    text: /今天要做/,
    mail: { state: 'filed' },
  });
  const file = join(dir, 'reports', '2026-11-23-20261123-080000-7f3a.eml');
  const mail = await simpleParser(await readFile(file));
  t.equal(mail.subject, published.subject);
  t.match(mail.from?.value, [{ address: 'jdosinspector@hb1-h031.example.com' }]);
  t.same(
    mail.attachments.map((a) => a.filename),
    ['report.html', 'findings.csv', 'report.json'],
  );
  const json: unknown = JSON.parse(mail.attachments[2]?.content.toString() ?? '');
  t.match(json, { schemaVersion: 1, counts: { checked: 21, abnormal: 12 }, run: { id: SAMPLES.bad.run.id } });
  t.match(reporter.health(), { state: 'limited' });
});

t.test('a day has one daily mail, however often it is published', async (t) => {
  const { reporter } = await open(t);
  const first = await reporter.publish(SAMPLES.bad, { mail: true, kind: 'daily' });
  const later = { ...SAMPLES.green, run: { ...SAMPLES.green.run, id: 'a-second-run' } };
  const second = await reporter.publish(later, { mail: true, kind: 'daily' });
  t.match(second.mail, { id: first.mail?.id, duplicate: true });
  t.equal((await reporter.publish(later, { mail: false, kind: 'manual' })).mail, undefined);
  t.match((await reporter.publish(later, { mail: true, kind: 'manual' })).mail, { duplicate: false });
});

t.test('reports are listed newest first, page by page, and shown in each form', async (t) => {
  const { reporter } = await open(t, { publicUrl: 'https://jdos.example.com/' });
  for (const name of ['first', 'green', 'bad'] as const) {
    const run = { ...SAMPLES[name].run, id: `run-${name}` };
    await reporter.publish({ ...SAMPLES[name], run }, { mail: true, kind: 'manual' });
  }
  const ids: unknown[] = [];
  let cursor: unknown;
  do {
    const page = fields(
      await call(reporter, 'GET /jdos/v1/reports', {
        query: { limit: '2', ...(cursor === undefined ? {} : { cursor }) },
      }),
    );
    ids.push(...(page['items'] as { id: string }[]).map((item) => item.id));
    cursor = page['next'];
  } while (cursor !== undefined);
  t.same(
    ids,
    ['first', 'green', 'bad']
      .map((name) => `2026-11-23-manual-run-${name}`)
      .sort()
      .reverse(),
  );
  await t.rejects(call(reporter, 'GET /jdos/v1/reports', { query: { cursor: 'nonsense' } }), {
    code: 'JD_REPORT_CURSOR',
  });

  const show = (query: object): Promise<RouteReply> =>
    call(reporter, 'GET /jdos/v1/reports/:id', { params: { id: '2026-11-23-manual-run-bad' }, query });
  const html = await show({ format: 'html', locale: 'en' });
  t.match(html.headers?.['content-security-policy'], /default-src 'none'.*sandbox/);
  t.match(html.body, /<html lang="en"[\s\S]*href="https:\/\/jdos\.example\.com\/jdos\/v1\/reports\//);
  t.match((await show({ format: 'text' })).body, /今天要做/);
  t.match(JSON.parse(String((await show({})).body)), { id: '2026-11-23-manual-run-bad', schemaVersion: 1 });
  const eml = await show({ format: 'eml', locale: 'en' });
  t.match((await simpleParser(eml.body as Buffer)).subject, /health report/);
  await t.rejects(call(reporter, 'GET /jdos/v1/reports/:id', { params: { id: 'nothing' } }), {
    code: 'JD_REPORT_NOT_FOUND',
  });
});

t.test('a report can be sent again, to others, and the outbox shows what became of it', async (t) => {
  const { config, taken } = await startRelay(t);
  const { reporter } = await open(t, { to: ['ops@example.com'], smtp: { host: config.host, port: config.port } });
  const { id } = await reporter.publish(SAMPLES.green, { mail: true, kind: 'daily' });
  await reporter.outbox.sendDue();
  const sent = await call(reporter, 'POST /jdos/v1/reports/:id/send', {
    params: { id },
    body: { to: ['boss@example.com'] },
  });
  t.equal(sent.status, 202);
  t.equal(sent.route.right, 'operate');
  await reporter.outbox.sendDue();
  t.same(
    taken.map((m) => m.to),
    [['ops@example.com'], ['boss@example.com']],
  );
  const mails = fields(await call(reporter, 'GET /jdos/v1/mail'))['items'];
  t.match(mails, [{ state: 'sent' }, { state: 'sent' }]);
  t.notMatch(JSON.stringify(mails), /rfc822/);
  const tested = await call(reporter, 'POST /jdos/v1/mail/test', { body: { to: 'ops@example.com' } });
  t.equal(tested.route.right, 'admin');
  t.match(tested.body, { ok: true, messageId: /^<insp\./, dialogue: [/^< 220/] });
  t.throws(() => tested.route.body !== 'raw' && tested.route.body?.parse({ to: 'a@b.c\r\nRCPT TO:<x@y.z>' }));
});

t.test('without a relay, sending is refused with what to set', async (t) => {
  const { reporter } = await open(t);
  const { id } = await reporter.publish(SAMPLES.green, { mail: false, kind: 'manual' });
  const expected = { code: 'JD_MAIL_NOT_CONFIGURED', remedy: /report\.smtp\.host/ };
  await t.rejects(call(reporter, 'POST /jdos/v1/mail/test', { body: { to: 'ops@example.com' } }), expected);
  await t.rejects(call(reporter, 'POST /jdos/v1/reports/:id/send', { params: { id }, body: {} }), expected);
});

t.test('a broken template of the user’s does not stop the mail, and does not stay hidden', async (t) => {
  for (const [source, when] of [
    ['fine\n{{head.hots}}\n', 'a name that does not exist, found when it is used'],
    ['fine\n{{#if first}}\n', 'a block without end, found at the start'],
  ] as const) {
    await t.test(when, async (t) => {
      const dir = t.testdir({ own: { en: { 'report.txt.hbs': source } } });
      const { reporter } = await open(t, { locale: 'en', templates: join(dir, 'own') }, dir);
      await reporter.start(new AbortController().signal);
      t.teardown(() => reporter.stop());
      const { text } = await reporter.publish(SAMPLES.bad, { mail: true, kind: 'daily' });
      t.match(text, /To do today/);
      t.match(text.replaceAll(/\s+/g, ''), /!thetemplate.*own\/en\/report\.txt\.hbs:\d+isbroken/);
      t.match(reporter.health(), { state: 'limited', reason: /report\.txt\.hbs:\d/ });
    });
  }
});
