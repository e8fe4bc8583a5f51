import { z } from 'zod';
import type { Endpoint } from '../../contract/endpoint.ts';
import { problem } from '../../contract/endpoint.ts';
import { urlOf } from './http-server.ts';

type Json = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

/** OpenAPI 3.1 document of the given endpoints, made from the very schemas that validate. */
export function openApi(endpoints: readonly Endpoint[], origin: string): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = urlOf(endpoint).replaceAll(/:([a-zA-Z]+)/g, '{$1}');
    (paths[path] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley',
      version: '1',
      description: 'Consented messages, accounted for. Every route names its permission as x-permission.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: origin }],
    security: [{ bearer: [] }, { session: [] }],
    tags: [...new Set(endpoints.map((one) => one.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or a token from POST /api/v1/auth/token' },
        session: { type: 'apiKey', in: 'cookie', name: 'parley_session' },
      },
      schemas: { Problem: schemaOf(problem, 'output') },
      responses: {
        Problem: {
          description: 'RFC 9457 problem details',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  };
}

function operation(endpoint: Endpoint): Json {
  const name = endpoint.path
    .split('/')
    .filter(Boolean)
    .map((part) => part.replaceAll(/\W/g, '_'))
    .join('_');
  return {
    operationId: `${endpoint.method.toLowerCase()}_${name}`,
    summary: endpoint.summary,
    ...(endpoint.description === undefined ? {} : { description: endpoint.description }),
    tags: [endpoint.tag],
    'x-permission': endpoint.permission,
    ...(endpoint.permission === 'public' ? { security: [] } : {}),
    parameters: parameters(endpoint),
    ...requestBody(endpoint),
    responses: { [endpoint.status]: success(endpoint), default: { $ref: '#/components/responses/Problem' } },
  };
}

function parameters(endpoint: Endpoint): Json[] {
  const headers: Json[] =
    endpoint.idempotent === true
      ? [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            schema: { type: 'string', maxLength: 255 },
            description: 'Kept 24 hours: same key and body, same answer.',
          },
        ]
      : [];
  return [...fromObject(endpoint, 'path'), ...fromObject(endpoint, 'query'), ...headers];
}

function fromObject(endpoint: Endpoint, where: 'path' | 'query'): Json[] {
  const names =
    where === 'path' ? [...endpoint.path.matchAll(/:([a-zA-Z]+)/g)].map((match) => match[1] ?? '') : undefined;
  const schema = where === 'path' ? endpoint.params : endpoint.query;
  const json = schema === undefined ? {} : schemaOf(schema, 'input');
  const properties = isJson(json['properties']) ? json['properties'] : {};
  const required = Array.isArray(json['required']) ? json['required'] : [];
  return (names ?? Object.keys(properties)).map((name) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: properties[name] ?? { type: 'string' },
  }));
}

function requestBody(endpoint: Endpoint): Json {
  if (endpoint.consumes !== undefined) {
    const content = endpoint.consumes.map((type) => [
      type,
      { schema: endpoint.body !== undefined && type === 'multipart/form-data' ? schemaOf(endpoint.body, 'input') : {} },
    ]);
    return { requestBody: { required: true, content: Object.fromEntries(content) } };
  }
  if (endpoint.body === undefined) return {};
  return {
    requestBody: { required: true, content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } } },
  };
}

function success(endpoint: Endpoint): Json {
  if (endpoint.response !== undefined)
    return {
      description: endpoint.summary,
      content: { 'application/json': { schema: schemaOf(endpoint.response, 'output') } },
    };
  if (endpoint.produces !== undefined) return { description: endpoint.summary, content: { [endpoint.produces]: {} } };
  return { description: endpoint.summary };
}

function isJson(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null;
}
