import { z } from 'zod';
import { endpoint, line, time } from './endpoint.ts';

const tag = 'Contacts';

export const attributeType = z.enum(['text', 'number', 'boolean', 'date', 'list']);

/** Names that would reach into an object's prototype are refused by the pattern, or here by name. */
export const attributeKey = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must start with a letter and hold only a-z, 0-9 and _ (at most 63)')
  .refine((key) => key !== 'constructor' && key !== 'prototype', 'is a reserved name');

export const attribute = z.strictObject({ key: z.string(), label: z.string(), type: attributeType, createdAt: time });
export type Attribute = z.output<typeof attribute>;

export const listAttributes = endpoint({
  method: 'GET',
  path: '/attributes',
  permission: 'contacts:read',
  summary: 'What is known of contacts, and of which type it is',
  tag,
  status: 200,
  response: z.strictObject({ data: z.array(attribute) }),
});

export const createAttribute = endpoint({
  method: 'POST',
  path: '/attributes',
  permission: 'attributes:write',
  summary: 'Define an attribute; its key and type stay',
  tag,
  body: z.strictObject({ key: attributeKey, label: line(100), type: attributeType }),
  status: 201,
  response: attribute,
  idempotent: true,
});

export const updateAttribute = endpoint({
  method: 'PATCH',
  path: '/attributes/:key',
  permission: 'attributes:write',
  summary: 'Rename an attribute',
  tag,
  params: z.strictObject({ key: attributeKey }),
  body: z.strictObject({ label: line(100) }),
  status: 200,
  response: attribute,
});

export const attributeEndpoints = [listAttributes, createAttribute, updateAttribute] as const;
