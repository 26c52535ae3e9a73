// Health reports: rendered, kept, and mailed.
export { ReportConfig, SmtpConfig } from './config.ts';
export { mailTest, type MailTestOptions, type MailTestResult } from './mail-test.ts';
export type { Mail, MailState } from './mail-store.ts';
export { reportMigrations } from './migrations.ts';
export { buildModel, type ModelOptions, type ReportModel } from './model.ts';
export { openReporter, type Published, type Reporter, type ReporterOptions } from './reporter.ts';
export { renderReport, type Rendering } from './render.ts';
export { loadTemplates, type Templates } from './templates.ts';
export { displayWidth, pad, wrap } from './width.ts';
