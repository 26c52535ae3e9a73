// prom-client, the registry of the daemon's own metrics.
export { Counter, Gauge, Histogram, Registry } from 'prom-client';
