import t from 'tap';
import type { Metric } from '../../src/probes/collector.ts';
import {
  byName,
  CONTENT_TYPES,
  declaredFamilies,
  negotiate,
  openMetricsFamily,
  renderExposition,
} from '../../src/probes/exposition.ts';
import type { ExposedFamily } from '../../src/probes/exposition.ts';
import { openFamilyWriter } from '../../src/probes/family-writer.ts';
import { golden } from '../support/golden.ts';

const HISTOGRAM: ExposedFamily = {
  name: 'jdos_http_request_duration_seconds',
  help: 'Time to answer.',
  type: 'histogram',
  text: [
    'jdos_http_request_duration_seconds_bucket{le="0.1",route="/metrics"} 3',
    'jdos_http_request_duration_seconds_bucket{le="+Inf",route="/metrics"} 4',
    'jdos_http_request_duration_seconds_sum{route="/metrics"} 0.75',
    'jdos_http_request_duration_seconds_count{route="/metrics"} 4',
    '',
  ].join('\n'),
};

function families(): readonly ExposedFamily[] {
  const metrics: readonly Metric[] = [
    { name: 'node_forks_total', help: 'Forks.', type: 'counter', source: '' },
    { name: 'node_vmstat_pgfault', help: '/proc/vmstat information field pgfault.', type: 'untyped', source: '' },
    {
      name: 'namedprocess_old_counter',
      help: 'A counter without the suffix.',
      type: 'counter',
      source: '',
      labels: ['groupname'],
    },
    {
      name: 'node_odd',
      help: 'A "quoted" word,\na line feed and a back\\slash.',
      type: 'gauge',
      source: '',
      labels: ['path'],
    },
    { name: 'node_empty', help: 'Never written.', type: 'gauge', source: '' },
  ];
  const out = openFamilyWriter(metrics);
  out.begin(100);
  out.add('node_forks_total', 12345678);
  out.add('node_vmstat_pgfault', 1e21);
  out.add('namedprocess_old_counter', 1, 'sshd');
  out.add('node_odd', NaN, 'C:\\"x"\n');
  out.add('node_odd', -Infinity, '/中文');
  return [...declaredFamilies(out.finish().families, byName(metrics)), HISTOGRAM];
}

t.test('the text format is golden', (t) =>
  golden(t, 'exposition/self.prom', String(renderExposition(families(), 'text'))),
);

t.test('the OpenMetrics format is golden', (t) =>
  golden(t, 'exposition/self.openmetrics', String(renderExposition(families(), 'openmetrics'))),
);

t.test('an exposition of nothing is complete', async (t) => {
  t.equal(String(renderExposition([], 'text')), '');
  t.equal(String(renderExposition([], 'openmetrics')), '# EOF\n');
});

t.test('content types name their version', async (t) => {
  t.same(CONTENT_TYPES, {
    text: 'text/plain; version=0.0.4; charset=utf-8',
    openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  });
});

for (const [name, type, expected] of [
  ['a_total', 'counter', { name: 'a', type: 'counter' }],
  ['a', 'counter', { name: 'a', type: 'unknown' }],
  ['a_total', 'gauge', { name: 'a_total', type: 'gauge' }],
  ['a_total', 'untyped', { name: 'a_total', type: 'unknown' }],
  ['a', 'histogram', { name: 'a', type: 'histogram' }],
] as const) {
  t.same(
    openMetricsFamily(name, type),
    expected,
    `a ${type} ${name} is ${expected.type} ${expected.name} in OpenMetrics`,
  );
}

const PROMETHEUS_2_42 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
const PROMETHEUS_2_30 = 'application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROTOBUF_FIRST =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

for (const [accept, expected] of [
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/*', 'text'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text'],
  [PROMETHEUS_2_42, 'openmetrics'],
  [PROMETHEUS_3, 'openmetrics'],
  [PROMETHEUS_2_30, 'text'],
  [PROTOBUF_FIRST, 'openmetrics'],
  ['application/openmetrics-text', 'openmetrics'],
  ['APPLICATION/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
  ['application/openmetrics-text; version=0.0.1', 'text'],
  ['application/openmetrics-text; version=2.0.0', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=0.3, text/plain;q=0.7', 'text'],
  ['application/openmetrics-text;q=0.7, text/plain;q=0.3', 'openmetrics'],
  ['text/plain, application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text;q=nonsense', 'text'],
  ['application/openmetrics-text;q=7', 'text'],
  ['application/json', 'text'],
  [';;;,,,=,q=1', 'text'],
  [['text/plain;q=0.1', 'application/openmetrics-text'], 'openmetrics'],
] as const) {
  t.equal(negotiate(accept), expected, `Accept: ${String(accept)} is answered with ${expected}`);
}
