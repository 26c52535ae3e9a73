// What yaRPC counts, as yarpc-go does (internal/observability/graph.go): calls, successes, failures by whose fault, latency.
import { Counter, Histogram, type Registry } from '../../base/metrics.ts';

interface ObservedCall {
  readonly direction: 'inbound' | 'outbound';
  readonly service: string;
  /** Known to this process; a name that a foreign caller made up is `unknown`. */
  readonly procedure: string;
  /** `ok` or one of YARPC's codes. */
  readonly code: string;
  readonly seconds: number;
}

export type Observe = (call: ObservedCall) => void;

/** YARPC counts these as the callee's fault, all other errors as the caller's (yarpcerrors/codes.go). */
const SERVER_FAULTS: ReadonlySet<string> = new Set([
  'unknown',
  'deadline-exceeded',
  'internal',
  'unavailable',
  'data-loss',
]);

/** Registers the metrics and gives what to tell each ended call to. */
export function rpcMetrics(registry: Registry): Observe {
  const registers = [registry];
  const labels = ['direction', 'service', 'procedure'] as const;
  const calls = new Counter({
    name: 'jdos_rpc_calls_total',
    help: 'yaRPC calls that ended.',
    labelNames: labels,
    registers,
  });
  const successes = new Counter({
    name: 'jdos_rpc_successes_total',
    help: 'yaRPC calls that ended well.',
    labelNames: labels,
    registers,
  });
  const failures = {
    caller: new Counter({
      name: 'jdos_rpc_caller_failures_total',
      help: 'yaRPC calls that failed by a fault of the caller, by code.',
      labelNames: [...labels, 'error'],
      registers,
    }),
    server: new Counter({
      name: 'jdos_rpc_server_failures_total',
      help: 'yaRPC calls that failed by a fault of the callee or on the way, by code.',
      labelNames: [...labels, 'error'],
      registers,
    }),
  };
  const latency = new Histogram({
    name: 'jdos_rpc_latency_seconds',
    help: 'Time of yaRPC calls, for the caller from sending to reply, for the callee from receipt to answer.',
    labelNames: ['direction', 'service'],
    buckets: [0.001, 0.01, 0.1, 1, 10],
    registers,
  });
  return ({ direction, service, procedure, code, seconds }) => {
    const about = { direction, service, procedure };
    calls.inc(about);
    if (code === 'ok') successes.inc(about);
    else failures[SERVER_FAULTS.has(code) ? 'server' : 'caller'].inc({ ...about, error: code });
    latency.observe({ direction, service }, seconds);
  };
}
