// The OpenAPI 3.1 document, made from the routes themselves.
import { STATUS_CODES } from 'node:http';
import { route, type Route } from '../base/route.ts';
import { z } from '../base/schema.ts';
import { Problem } from './problem.ts';

type Json = Record<string, unknown>;

/** JSON Schema of a zod schema, as the client writes (`input`) or reads (`output`) it. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const {
    $schema: _,
    '~standard': _standard,
    ...rest
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query', names: readonly string[] = []): Json[] {
  const described = schema === undefined ? {} : schemaOf(schema, 'input');
  const properties = (described['properties'] ?? {}) as Record<string, Json>;
  const required = (described['required'] ?? []) as string[];
  const all = [...new Set([...names, ...(where === 'query' ? Object.keys(properties) : [])])];
  return all.map((name) => {
    const { description, ...type } = properties[name] ?? { type: 'string' };
    return {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: type,
    };
  });
}

function requestBodyOf({ body }: Route): Json {
  if (body === undefined) return {};
  const content =
    body === 'raw'
      ? { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
      : { 'application/json': { schema: schemaOf(body, 'input') } };
  return { requestBody: { required: body === 'raw' || !body.safeParse(undefined).success, content } };
}

const operationId = ({ method, path }: Route): string =>
  `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? '')}`;

const openOnLoopback = new Set(['health', 'metrics', 'ingest']);

function operation(definition: Route): Json {
  const names = [...definition.path.matchAll(/:([A-Za-z0-9_]+)/g)].map(([, name]) => name ?? '');
  const reply =
    definition.reply === undefined
      ? { description: STATUS_CODES[200] }
      : {
          description: STATUS_CODES[200],
          content: { 'application/json': { schema: schemaOf(definition.reply, 'output') } },
        };
  const reading = definition.method === 'GET' ? [{ basic: [] }] : [];
  return {
    operationId: operationId(definition),
    summary: definition.summary,
    'x-jdos-right': definition.right,
    security: [{ bearer: [] }, ...reading, ...(openOnLoopback.has(definition.right) ? [{}] : [])],
    parameters: [...parametersOf(definition.params, 'path', names), ...parametersOf(definition.query, 'query')],
    ...requestBodyOf(definition),
    responses: { '2XX': reply, default: { $ref: '#/components/responses/Problem' } },
  };
}

/** The document of a set of routes. */
function openApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const one of [...routes].sort((a, b) => a.path.localeCompare(b.path))) {
    const path = one.path.replace(/:([A-Za-z0-9_]+)/g, '{$1}');
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation(one) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'JDOS', version, description: 'The HTTP API of one JDOS daemon.' },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token; the first is in admin.token.' },
        basic: { type: 'http', scheme: 'basic', description: 'A token as the password, any user name; GET only.' },
      },
      schemas: { Problem: schemaOf(Problem, 'output') },
      responses: {
        Problem: {
          description: 'What went wrong and what to do (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

/** GET /jdos/v1/openapi.json over the routes that `all` gives, itself included. */
export function openApiRoute(all: () => readonly Route[], version: string): Route {
  let text: string | undefined;
  return route({
    method: 'GET',
    path: '/jdos/v1/openapi.json',
    right: 'health',
    summary: 'This document',
    handler() {
      text ??= JSON.stringify(openApi(all(), version));
      return { type: 'application/json; charset=utf-8', body: text };
    },
  });
}
