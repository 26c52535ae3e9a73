// Traces through a whole daemon: acknowledged is on disk; the OpenTelemetry SDK as the client.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanStatusCode, trace as api } from '@opentelemetry/api';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import t from 'tap';
import { eventually, privateDirectory, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/needs.ts';
import { sendSpan, traceIdOf } from '../tracing/otlp.ts';

t.test(
  'the segment is on disk (fdatasync returned) before the 200 is written',
  { skip: needs('strace') },
  async (t) => {
    const daemon = startDaemon(t);
    await daemon.until(/first report/);
    await sendSpan(daemon.url(), 1);
    const { serve } = await daemon.pids();
    const segment =
      readdirSync(join(daemon.dataDir, 'state', 'traces')).find((name) => name.endsWith('.segment')) ?? '';
    const output = join(privateDirectory(t), 'strace.txt');
    const strace = spawn(
      'strace',
      ['-f', '-y', '-s', '1000', '-e', 'trace=fdatasync,write,writev,sendto', '-o', output, '-p', String(serve)],
      {
        stdio: 'ignore',
      },
    );
    t.teardown(() => strace.kill('SIGINT'));
    await eventually('strace', () => {
      const tracer = /^TracerPid:\s+(\d+)/m.exec(readFileSync(`/proc/${serve}/status`, 'utf8'))?.[1];
      return tracer === String(strace.pid) ? true : undefined;
    });
    await sleep(300);
    const reply = await sendSpan(daemon.url(), 2);
    t.equal(reply.status, 200);
    // The daemon answers others meanwhile: this answer is found by its id.
    const id = reply.headers.get('x-request-id') ?? 'no id';
    await sleep(300);
    strace.kill('SIGINT');
    await new Promise((resolve) => strace.once('exit', resolve));
    const calls = readFileSync(output, 'utf8').split('\n');
    const written = calls.findIndex((line) => /\bwritev?\(/.test(line) && line.includes(segment));
    const synced = syncReturn(calls, segment);
    const answered = calls.findIndex((line) => line.includes('HTTP/1.1 200 OK') && line.includes(id));
    const story = calls
      .filter((line) => line.includes(segment) || line.includes('HTTP/1.1') || line.includes('fdatasync'))
      .join('\n');
    t.ok(written >= 0 && written < synced, `written at ${written}, on disk at ${synced}\n${story}`);
    t.ok(synced >= 0 && synced < answered, `on disk at ${synced}, answered at ${answered}\n${story}`);
  },
);

/** The line at which the fdatasync of the segment returned 0: its own, or where its thread resumed it. */
function syncReturn(calls: readonly string[], segment: string): number {
  const began = calls.findIndex((line) => line.includes('fdatasync(') && line.includes(segment));
  const line = calls[began] ?? '';
  if (/=\s*0\s*$/.test(line)) return began;
  const thread = line.split(/\s+/, 1)[0] ?? '';
  return calls.findIndex(
    (later, index) => index > began && later.startsWith(`${thread} `) && /fdatasync resumed.*=\s*0\s*$/.test(later),
  );
}

t.test('the OpenTelemetry SDK sends, and jdos trace draws what it sent', async (t) => {
  const daemon = startDaemon(t);
  await daemon.until(/first report/);
  const url = `${daemon.url()}/v1/traces`;
  const exporters: Record<string, SpanExporter> = {
    proto: new ProtoExporter({ url }),
    json: new HttpExporter({ url }),
  };
  for (const [encoding, exporter] of Object.entries(exporters)) {
    const provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': `shop-${encoding}`, 'host.name': '主机' }),
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    provider.register();
    const tracer = provider.getTracer('test', '1.0');
    const id = await tracer.startActiveSpan('GET /cart', async (root) => {
      await tracer.startActiveSpan('SELECT stock', async (child) => {
        child.setAttributes({ rows: 3, 'db.system': 'mysql', tags: ['a', 'b'] });
        child.addEvent('retried', { attempt: 2 });
        child.setStatus({ code: SpanStatusCode.ERROR, message: 'deadlock \u001b[2J found' });
        await sleep(20);
        child.end();
      });
      root.end();
      return root.spanContext().traceId;
    });
    await provider.forceFlush();
    await provider.shutdown();
    api.disable();
    const { code, out } = await daemon.cli('trace', id);
    t.equal(code, 0);
    t.match(out, new RegExp(`^trace ${id}  2 spans, 1 service, 1 error`), encoding);
    t.match(out, new RegExp(`^  GET /cart +shop-${encoding} +\\d+ ms ▏█+`, 'm'), encoding);
    t.match(out, new RegExp(`^✖   SELECT stock +shop-${encoding} +\\d+ ms ▏ *█+`, 'm'), encoding);
    t.match(out, 'deadlock \ufffd[2J found', 'foreign text cannot write to the terminal');
    const json = JSON.parse((await daemon.cli('trace', id.slice(16), '--json')).out) as {
      spans: { name: string }[];
      resources: object[];
    };
    t.match(json.resources, [{ 'service.name': `shop-${encoding}`, 'host.name': '主机' }]);
    t.match(
      json.spans.find(({ name }) => name === 'SELECT stock'),
      {
        attributes: { rows: 3, tags: ['a', 'b'] },
        events: [{ name: 'retried', attributes: { attempt: 2 } }],
        status: { code: 'error' },
      },
    );
  }
  const list = await daemon.cli('traces', '--service', 'shop-json', '--operation', 'GET /cart', '--since', '5m');
  t.match(
    list.out,
    /^TRACE +STARTED \(UTC\) +DURATION +SPANS +ERRORS +SERVICE +OPERATION\n[0-9a-f]{32} .* 2 +1 +shop-json +GET \/cart$/m,
  );
  t.match((await daemon.cli('trace', traceIdOf(9))).err, /there is no trace .*\nTry: .*\[JD_TRACE_UNKNOWN\]/);
  await eventually('the status', async () =>
    /traces +available +4 spans/.test((await daemon.cli('status')).out) ? true : undefined,
  );
});
