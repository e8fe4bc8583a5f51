import { z } from 'zod';
import { endpoint, id, idParams, line, page, pageQuery, revision, time } from './endpoint.ts';

const tag = 'Consent';

export const topicKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must hold only lower-case letters, digits, - and _ (at most 63)');

export const topic = z.strictObject({
  id,
  key: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
  archivedAt: time.nullable(),
  revision,
});
export type Topic = z.output<typeof topic>;

const description = z.string().trim().max(500);

export const listTopics = endpoint({
  method: 'GET',
  path: '/topics',
  permission: 'topics:read',
  summary: 'What people can agree to receive',
  tag,
  query: z.strictObject({ ...pageQuery, archived: z.enum(['true', 'false']).default('false') }),
  status: 200,
  response: page(topic),
});

export const createTopic = endpoint({
  method: 'POST',
  path: '/topics',
  permission: 'topics:write',
  summary: 'Make a topic; its key stays',
  tag,
  body: z.strictObject({ key: topicKey, name: line(100), description: description.optional() }),
  status: 201,
  response: topic,
  idempotent: true,
});

export const getTopic = endpoint({
  method: 'GET',
  path: '/topics/:id',
  permission: 'topics:read',
  summary: 'A topic, with how many addresses agreed and withdrew',
  tag,
  params: idParams,
  status: 200,
  response: topic.extend({ granted: z.int().nonnegative(), withdrawn: z.int().nonnegative() }),
});

export const updateTopic = endpoint({
  method: 'PATCH',
  path: '/topics/:id',
  permission: 'topics:write',
  summary: 'Rename, describe, archive or restore; an archived topic is offered nowhere, its consents stay',
  tag,
  params: idParams,
  body: z.strictObject({
    name: line(100).optional(),
    description: description.nullable().optional(),
    archived: z.boolean().optional(),
  }),
  status: 200,
  response: topic,
});

export const topicEndpoints = [listTopics, createTopic, getTopic, updateTopic] as const;
