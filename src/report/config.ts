// The `report` slice of the configuration.
import { z } from '../base/schema.ts';
import { LOCALES } from '../inspector/index.ts';
import { isTimeZone } from './dates.ts';

/** An address without a name, RFC 5321 without quoted local parts; a domain may be a single label. */
export const Address = z
  .string()
  .max(254)
  .regex(/^[^\s<>()[\]@,;:"\\\p{Cc}]+@[^\s<>()[\]@,;:"\\\p{Cc}]+$/u, 'an e-mail address such as ops@example.com');

export const SmtpConfig = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.number().int().min(1).max(65_535).optional(),
  /**
   * `starttls`: encrypted when the relay offers it. `require`: STARTTLS or nothing. `implicit`: TLS from the first
   * byte. `none`: never. With `user`, `starttls` counts as `require` unless the relay is on the loopback.
   */
  secure: z.enum(['starttls', 'require', 'implicit', 'none']).default('starttls'),
  /** PEM file of the authority that signed the relay's certificate; absent: the system's. */
  ca: z.string().startsWith('/').optional(),
  user: z.string().min(1).optional(),
  /** File with the password in its first line; read again for every connection. */
  passwordFile: z.string().startsWith('/').optional(),
  /** Where the relay's name in its certificate is another than `host`. */
  servername: z.string().min(1).optional(),
});
export type SmtpConfig = z.output<typeof SmtpConfig>;

export const ReportConfig = z
  .strictObject({
    locale: z.enum(LOCALES).default('zh-CN'),
    /** IANA name; absent: the system's. */
    timezone: z
      .string()
      .refine(isTimeZone, 'an IANA time zone such as Asia/Shanghai')
      .default(() => new Intl.DateTimeFormat().resolvedOptions().timeZone),
    /** Absent: jdosinspector@ the host's name. */
    from: Address.optional(),
    replyTo: Address.optional(),
    to: z.array(Address).max(50).default([]),
    /** Where people reach the daemon; absent: reports carry no links. */
    publicUrl: z.url({ protocol: /^https?$/ }).optional(),
    /** Directory with templates of your own; those that are missing there are taken from the built-in ones. */
    templates: z.string().startsWith('/').optional(),
    /** Absent: reports are written to <data-dir>/state/reports/ as .eml files. */
    smtp: SmtpConfig.optional(),
  })
  .superRefine((report, context) => {
    const wrong = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (report.smtp !== undefined && report.to.length === 0)
      wrong(['to'], 'at least one address, because report.smtp is set');
    if (new Set(report.to.map((to) => to.toLowerCase())).size !== report.to.length) wrong(['to'], 'every address once');
    if ((report.smtp?.user === undefined) !== (report.smtp?.passwordFile === undefined))
      wrong(['smtp', report.smtp?.user === undefined ? 'user' : 'passwordFile'], 'user and passwordFile together');
    if (report.smtp?.user !== undefined && report.smtp.secure === 'none' && !isLoopback(report.smtp.host))
      wrong(
        ['smtp', 'secure'],
        'starttls, require or implicit, because a password would cross the network in the clear',
      );
  });
export type ReportConfig = z.output<typeof ReportConfig>;

/** Whether a relay is on this very host. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
