// The front door: three listeners before one router.
import type { IncomingMessage, Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import type { Component, Health } from '../base/component.ts';
import { explain, Fault } from '../base/fault.ts';
import type { Logger } from '../base/logging.ts';
import type { Registry } from '../base/metrics.ts';
import type { Route } from '../base/route.ts';
import type { StateStore } from '../drivers/sqlite/index.ts';
import type { Listener } from './access.ts';
import { formatAddress } from './address.ts';
import { auditRoute, openAudit } from './audit.ts';
import type { HttpConfig } from './config.ts';
import { makeGuard } from './guard.ts';
import { healthRoutes, type DaemonFacts, type Parts } from './health-routes.ts';
import { landingRoute } from './landing.ts';
import {
  keepListening,
  listenOn,
  listenOnSocket,
  plainServer,
  secureContext,
  secureServer,
  serve,
  type KeptListener,
} from './listeners.ts';
import { loginLimit } from './login-limit.ts';
import { httpMetrics } from './metrics.ts';
import { openApiRoute } from './openapi.ts';
import { openRouter } from './router.ts';
import { loadTls, type TlsMaterial } from './tls.ts';
import { tokenRoutes } from './token-routes.ts';
import { openTokens, type TokenBook } from './tokens.ts';

const RENEWAL_CHECK_MS = 3_600_000;
const GRACE_MS = 3000;

export interface FrontDoorOptions {
  readonly config: HttpConfig;
  /** The routes of all parts. */
  readonly routes: readonly Route[];
  /** Where the certificates are kept, `<data-dir>/state/tls`. */
  readonly tlsDir: string;
  /** The Unix socket; its directory exists and keeps others out. */
  readonly socketPath: string;
  /** The group that may use the socket. */
  readonly socketGid?: number;
  /** Holds the tables of `httpMigrations`. */
  readonly store: StateStore;
  readonly hostname: string;
  readonly version: string;
  readonly parts: () => Parts;
  readonly facts: () => DaemonFacts | Promise<DaemonFacts>;
  /** The path of the newest report, for the landing page. */
  readonly latestReport?: () => string | undefined;
  readonly registry: Registry;
  readonly log: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Milliseconds that requests in work get at a stop; 3 s unless given. */
  readonly graceMs?: number;
}

export interface FrontDoor extends Component {
  readonly tokens: TokenBook;
  /** Every route that is mounted, the front door's own among them. */
  readonly routes: readonly Route[];
  /** Where it can be reached now: URLs, and `unix:PATH`. A listener that is not up is absent. */
  addresses(): Readonly<Partial<Record<Listener, string>>>;
  /** The CA that clients of the HTTPS listener must trust, PEM; undefined before that listener is up. */
  authority(): string | undefined;
  /** Serves a new certificate when one is due, without a restart; done every hour by itself. Never rejects. */
  renewCertificate(): Promise<void>;
}

/** Builds the front door. Throws for a route without a right; listens from `start` on. */
export function openFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { config, store, log, now, hostname } = options;
  const tokens = openTokens(store, now, log);
  const audit = openAudit(store, log);
  const routes = allRoutes(options, tokens);
  const metrics = httpMetrics(options.registry);
  const listenerOf = new WeakMap<IncomingMessage, Listener>();
  const inFlight: Record<Listener, number> = { loopback: 0, tls: 0, socket: 0 };
  const router = openRouter({
    routes,
    limits: config.limits,
    guard: makeGuard({
      limits: config.limits,
      names: () => [hostname, ...config.hosts],
      tokens,
      logins: loginLimit(now),
      inFlight: (listener) => inFlight[listener],
    }),
    audit,
    metrics,
    log,
    now,
    listenerOf: (request) => listenerOf.get(request) ?? 'tls',
  });
  // `start` awaits it; a rejection before that must not end the process.
  router.catch(() => undefined);
  const attach = (server: Server | SecureServer, listener: Listener, app: FastifyInstance): void =>
    serve(server, {
      onRequest(request, response) {
        listenerOf.set(request, listener);
        inFlight[listener] += 1;
        response.once('close', () => (inFlight[listener] -= 1));
        app.routing(request, response);
      },
      onMalformed: () => metrics.rejected.inc({ reason: 'malformed' }),
    });
  const secured = tlsKeeper(options);
  const kept = listenersOf(options, secured, async (server, listener) => attach(server, listener, await router));
  let renewal: NodeJS.Timeout | undefined;

  return {
    name: 'http',
    tokens,
    routes,
    async start(signal) {
      await router;
      for (const listener of kept) await listener.start(signal);
      renewal = setInterval(() => void secured.renew(), RENEWAL_CHECK_MS).unref();
    },
    async stop() {
      clearInterval(renewal);
      await Promise.all(kept.map((listener) => listener.stop(options.graceMs ?? GRACE_MS)));
      await router.then((app) => app.close()).catch(() => undefined);
    },
    health: () => healthOf(kept, audit.failure() ?? secured.failure(), options),
    addresses: () => addressesOf(kept, options.socketPath),
    authority: () => secured.material()?.ca,
    renewCertificate: () => secured.renew(),
  };
}

function allRoutes(options: FrontDoorOptions, tokens: TokenBook): readonly Route[] {
  const { now, version, hostname, parts, facts } = options;
  const latestReport = options.latestReport ?? (() => undefined);
  const all: Route[] = [
    ...options.routes,
    ...healthRoutes({ parts, facts, version, hostname, now }),
    ...tokenRoutes(tokens, now),
    auditRoute(options.store),
    openApiRoute(() => all, version),
    landingRoute({ parts, version, hostname, now, latestReport, paths: () => all.map((one) => one.path) }),
  ];
  return all;
}

interface TlsKeeper {
  open(limits: HttpConfig['limits']): Promise<SecureServer>;
  /** Looks whether another certificate is due, and serves it without a restart. */
  renew(): Promise<void>;
  material(): TlsMaterial | undefined;
  /** Why the certificate could not be renewed. */
  failure(): unknown;
}

function tlsKeeper({ config, tlsDir, hostname, now, log }: FrontDoorOptions): TlsKeeper {
  const load = (): Promise<TlsMaterial> =>
    loadTls({ dir: tlsDir, files: config.tls, hostname, hosts: config.hosts, now, log });
  let server: SecureServer | undefined;
  let material: TlsMaterial | undefined;
  let failure: unknown;
  return {
    async open(limits) {
      material = await load();
      return (server = secureServer(limits, material));
    },
    async renew() {
      if (server === undefined) return;
      try {
        const fresh = await load();
        if (fresh.cert !== material?.cert || fresh.key !== material.key) server.setSecureContext(secureContext(fresh));
        material = fresh;
        failure = undefined;
      } catch (error) {
        if (failure === undefined) log.error({ err: error }, 'certificate cannot be renewed, the old one is served on');
        failure = error;
      }
    },
    material: () => material,
    failure: () => failure,
  };
}

type Attach = (server: Server | SecureServer, listener: Listener) => Promise<void>;

function listenersOf(options: FrontDoorOptions, secured: TlsKeeper, attach: Attach): readonly KeptListener[] {
  const { config, socketPath, socketGid, log } = options;
  const { limits, listen, listenTls } = config;
  const loopback = async (): Promise<Server> => {
    const server = plainServer(limits);
    await attach(server, 'loopback');
    await listenOn(server, listen, 'http.listen');
    return server;
  };
  const tls = (address: Exclude<typeof listenTls, 'off'>) => async (): Promise<Server> => {
    const server = await secured.open(limits);
    await attach(server, 'tls');
    await listenOn(server, address, 'http.listenTls');
    return server;
  };
  const socket = async (): Promise<Server> => {
    const server = plainServer(limits);
    await attach(server, 'socket');
    await listenOnSocket(server, socketPath, socketGid);
    return server;
  };
  return [
    keepListening({ listener: 'loopback', open: loopback }, log),
    ...(listenTls === 'off' ? [] : [keepListening({ listener: 'tls', open: tls(listenTls) }, log)]),
    keepListening({ listener: 'socket', open: socket }, log),
  ];
}

function addressesOf(kept: readonly KeptListener[], socketPath: string): Partial<Record<Listener, string>> {
  const found: Partial<Record<Listener, string>> = {};
  for (const { listener, server } of kept) {
    const address = server()?.address();
    if (typeof address === 'string') found[listener] = `unix:${socketPath}`;
    else if (address != null) {
      const scheme = listener === 'tls' ? 'https' : 'http';
      found[listener] = `${scheme}://${formatAddress({ host: address.address, port: address.port })}`;
    }
  }
  return found;
}

function healthOf(kept: readonly KeptListener[], failure: unknown, options: FrontDoorOptions): Health {
  const summary = Object.values(addressesOf(kept, options.socketPath)).join(', ');
  const faults = [...kept.map(({ fault }) => fault()), failure].filter((fault) => fault !== undefined);
  const [first] = faults;
  if (first === undefined) return { state: summary === '' ? 'starting' : 'available', summary };
  const remedy = first instanceof Fault ? { remedy: first.remedy } : {};
  return { state: 'failing', reason: faults.map(explain).join('; '), summary, ...remedy };
}
