import { z } from 'zod';
import { endpoint, id, idParams, line, page, pageQuery, time } from './endpoint.ts';
import { permissions } from './permissions.ts';

const tag = 'API keys';
const permission = z.enum(permissions);

export const apiKey = z.strictObject({
  id,
  name: z.string(),
  /** The first characters, to recognise it by. */
  prefix: z.string(),
  scopes: z.array(permission),
  createdBy: z.string(),
  createdAt: time,
  lastUsedAt: time.nullable(),
  expiresAt: time.nullable(),
});
export type ApiKey = z.output<typeof apiKey>;

export const listApiKeys = endpoint({
  method: 'GET',
  path: '/api-keys',
  permission: 'keys:read',
  summary: 'API keys that still work, newest first',
  tag,
  query: z.strictObject({ ...pageQuery }),
  status: 200,
  response: page(apiKey),
});

export const createApiKey = endpoint({
  method: 'POST',
  path: '/api-keys',
  permission: 'keys:write',
  summary: 'Make an API key; the secret is answered once and never again; scopes are at most those of the caller',
  tag,
  body: z.strictObject({
    name: line(100),
    scopes: z.array(permission).min(1).max(permissions.length),
    expiresAt: time.nullable().optional(),
  }),
  status: 201,
  response: apiKey.extend({ secret: z.string() }),
});

export const deleteApiKey = endpoint({
  method: 'DELETE',
  path: '/api-keys/:id',
  permission: 'keys:write',
  summary: 'Revoke an API key, and the tokens made from it',
  tag,
  params: idParams,
  status: 204,
});

export const apiKeyEndpoints = [listApiKeys, createApiKey, deleteApiKey] as const;
