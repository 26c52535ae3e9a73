// prom-client, the registry of the daemon's own metrics.
export { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
