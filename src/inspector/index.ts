// The inspector: checks over the host's facts, judged, scored, kept, and handed to the report once a day.
export { InspectorConfig } from './config.ts';
export { openInspector, type Inspector } from './inspector.ts';
export * from './model.ts';
export { inspectorRoutes } from './routes.ts';
export { SCORE_FORMULA } from './score.ts';
export { selfTest } from './self-test.ts';
export { inspectorMigrations } from './store.ts';
