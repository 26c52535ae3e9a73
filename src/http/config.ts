// The `http` slice of the configuration.
import { z } from '../base/schema.ts';
import { isHost, isLoopback, parseAddress, type Address } from './address.ts';

const listen = z
  .union([z.string(), z.number()])
  .transform((value, context): Address => {
    const address = parseAddress(String(value), '127.0.0.1');
    if (address !== undefined && isLoopback(address.host)) return address;
    context.addIssue({
      code: 'custom',
      message:
        address === undefined
          ? 'HOST:PORT such as 127.0.0.1:9618 or [::1]:9618, or a port'
          : 'a loopback address, because this listener speaks plain HTTP; for other hosts use listenTls',
    });
    return z.NEVER;
  })
  .prefault('127.0.0.1:9618');

const listenTls = z
  .union([z.string(), z.number()])
  .transform((value, context): Address | 'off' => {
    if (value === 'off') return 'off';
    const address = parseAddress(String(value), '0.0.0.0');
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: 'HOST:PORT such as 0.0.0.0:9619 or [::]:9619, a port, or off' });
    return z.NEVER;
  })
  .prefault('0.0.0.0:9619');

const host = z.string().toLowerCase().refine(isHost, 'a host name or an address, without port');

export const HttpConfig = z.strictObject({
  listen,
  listenTls,
  /** Further names by which this daemon is called; they are accepted as Host and stand in its certificate. */
  hosts: z.array(host).max(100).default([]),
  /** Used in place of the certificate the daemon makes for itself. */
  tls: z.strictObject({ certFile: z.string(), keyFile: z.string(), caFile: z.string() }).optional(),
  limits: z
    .strictObject({
      bodyBytes: z
        .number()
        .int()
        .min(1024)
        .max(256 * 1024 * 1024)
        .default(1024 * 1024),
      /** Requests answered at a time, per listener. */
      maxConcurrent: z.number().int().min(1).max(100_000).default(256),
      maxConnections: z.number().int().min(1).max(100_000).default(1024),
      headerBytes: z
        .number()
        .int()
        .min(1024)
        .max(1024 * 1024)
        .default(16 * 1024),
      headerCount: z.number().int().min(10).max(2000).default(100),
      headersSeconds: z.number().min(0.05).max(300).default(10),
      requestSeconds: z.number().min(0.05).max(3600).default(60),
      deadlineSeconds: z.number().min(0.05).max(3600).default(30),
      keepAliveSeconds: z.number().min(0.05).max(3600).default(75),
      idleSeconds: z.number().min(0.05).max(86_400).default(300),
    })
    .prefault({}),
});
export type HttpConfig = z.output<typeof HttpConfig>;
export type HttpLimits = HttpConfig['limits'];
