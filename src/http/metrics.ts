// What the front door counts about itself.
import { Counter, Gauge, Histogram, type Registry } from '../base/metrics.ts';

/** Why a request got no answer of its route. */
export type Rejection =
  | 'malformed'
  | 'host'
  | 'cross_site'
  | 'unauthenticated'
  | 'forbidden'
  | 'too_many_logins'
  | 'busy'
  | 'headers'
  | 'body'
  | 'deadline';

export interface HttpMetrics {
  readonly requests: Counter<'route' | 'method' | 'status'>;
  readonly duration: Histogram<'route'>;
  readonly inFlight: Gauge;
  readonly rejected: Counter<'reason'>;
}

/** Registers the front door's metrics. The label `route` is the pattern of a route, or `none`. */
export function httpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'jdos_http_requests_total',
      help: 'Requests answered by the front door.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'jdos_http_request_duration_seconds',
      help: 'Time from the headers of a request to the end of its answer.',
      labelNames: ['route'],
      buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30],
      registers,
    }),
    inFlight: new Gauge({ name: 'jdos_http_in_flight', help: 'Requests being answered now.', registers }),
    rejected: new Counter({
      name: 'jdos_http_rejected_total',
      help: 'Requests and connections refused before their route answered, by reason.',
      labelNames: ['reason'],
      registers,
    }),
  };
}
