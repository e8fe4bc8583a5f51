import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const tag = 'System';

export const systemHealth = endpoint({
  method: 'GET',
  path: '/health/system',
  permission: 'settings:read',
  summary: 'How the parts of the installation are doing',
  tag,
  status: 200,
  response: z.strictObject({
    ok: z.boolean(),
    version: z.string(),
    uptimeSeconds: z.int().nonnegative(),
    parts: z.array(z.strictObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  }),
});

export const livez = endpoint({
  method: 'GET',
  path: '/livez',
  absolute: true,
  permission: 'public',
  summary: 'The process answers',
  tag,
  status: 200,
  response: z.strictObject({ ok: z.literal(true) }),
});

export const readyz = endpoint({
  method: 'GET',
  path: '/readyz',
  absolute: true,
  permission: 'public',
  summary: '200 when the database is migrated and the worker runs (where it should); 503 otherwise',
  tag,
  status: 200,
  response: z.strictObject({ ok: z.literal(true) }),
});

export const metrics = endpoint({
  method: 'GET',
  path: '/metrics',
  absolute: true,
  permission: 'settings:read',
  summary: 'Metrics for Prometheus',
  tag,
  status: 200,
  produces: 'text/plain',
});

export const openApiDocument = endpoint({
  method: 'GET',
  path: '/openapi.json',
  permission: 'public',
  summary: 'This document (OpenAPI 3.1)',
  tag,
  status: 200,
  produces: 'application/json',
});

export const docsPage = endpoint({
  method: 'GET',
  path: '/docs',
  absolute: true,
  permission: 'public',
  summary: 'The reference, to read',
  tag,
  status: 200,
  produces: 'text/html',
});

export const systemEndpoints = [systemHealth, livez, readyz, metrics, openApiDocument, docsPage] as const;
