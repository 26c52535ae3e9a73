// Health reports: rendered, kept, and mailed.
export { ReportConfig } from './config.ts';
export { reportMigrations } from './migrations.ts';
export { openReporter, type Reporter } from './reporter.ts';
