// What the open file descriptors of a process or a container are, on demand.
export { openFdsInspection } from './inspect.ts';
export { fdsProcedures } from './procedure.ts';
export { fdsRoutes } from './routes.ts';
