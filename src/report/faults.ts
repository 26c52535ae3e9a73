// What can go wrong on the way from a report to a mailbox, for operators.
import { faultKind } from '../base/fault.ts';

export const MAIL_HEADER = faultKind(
  'JD_MAIL_HEADER',
  400,
  'remove line breaks and other control characters from the named value; addresses look like ops@example.com',
);
export const MAIL_NOT_CONFIGURED = faultKind(
  'JD_MAIL_NOT_CONFIGURED',
  409,
  'set report.smtp.host and report.to in the configuration; until then reports are written to <data-dir>/state/reports/',
);
export const MAIL_NOT_FOUND = faultKind('JD_MAIL_NOT_FOUND', 404, 'list the mails with GET /jdos/v1/mail');
export const MAIL_BUSY = faultKind('JD_MAIL_BUSY', 409, 'wait until the mail is no longer being sent and try again');
export const REPORT_NOT_FOUND = faultKind('JD_REPORT_NOT_FOUND', 404, 'list the reports with GET /jdos/v1/reports');
