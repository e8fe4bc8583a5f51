import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const tag = 'Callbacks of providers';
const params = z.strictObject({ provider: z.string().min(1).max(40), accountId: z.string().min(1).max(60) });
/** Vendors carry values of their own (and of ours) in the query; signatures are made over it. */
const query = z.looseObject({});
const description =
  'For the vendor alone: every request is judged by the vendor\u2019s own signature over its raw bytes and refused with 401 otherwise. ' +
  'What is genuine is stored durably before it is answered and read afterwards; told twice, it counts once.';

export const receiveCallback = endpoint({
  method: 'POST',
  path: '/callbacks/:provider/:accountId',
  permission: 'public',
  summary: 'Takes what a provider tells about messages: receipts, replies, news of the account',
  description,
  tag,
  params,
  query,
  consumes: ['*/*'],
  status: 200,
  produces: 'text/plain',
});

export const confirmCallback = endpoint({
  method: 'GET',
  path: '/callbacks/:provider/:accountId',
  permission: 'public',
  summary: 'Answers a provider that asks whether the address is ours (Meta), or one that calls back with GET',
  description,
  tag,
  params,
  query,
  status: 200,
  produces: 'text/plain',
});

export const callbackEndpoints = [receiveCallback, confirmCallback] as const;
