// The front door: HTTP, HTTPS and a Unix socket before the routes of all parts.
export { HttpConfig } from './config.ts';
export { formatAddress, parseAddress, type Address } from './address.ts';
export type { Listener } from './access.ts';
export type { DaemonFacts, Parts, ProcessFacts } from './health-routes.ts';
export { httpMigrations } from './migrations.ts';
export { Problem } from './problem.ts';
export { openFrontDoor, type FrontDoor, type FrontDoorOptions } from './server.ts';
export { hashToken, newToken } from './tokens.ts';
