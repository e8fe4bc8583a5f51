import { z } from 'zod';
import { endpoint, id, idParams, page, pageQuery, time } from './endpoint.ts';

const tag = 'In-app inbox';

/** What a contact finds in the inbox of an app or a site. */
export const inAppMessage = z.strictObject({
  id,
  title: z.string(),
  body: z.string(),
  /** https, http, or a path of the app's own. */
  url: z.string().nullable(),
  imageUrl: z.string().nullable(),
  data: z.record(z.string(), z.string()),
  at: time,
  expiresAt: time.nullable(),
  readAt: time.nullable(),
  archivedAt: time.nullable(),
});
export type InAppMessage = z.output<typeof inAppMessage>;

const unread = z.strictObject({ unread: z.int().nonnegative() });
const description = 'With `Authorization: Bearer <inbox token>`, from a browser on an allowed origin.';

export const mintInAppToken = endpoint({
  method: 'POST',
  path: '/contacts/:id/inapp-token',
  permission: 'inapp:tokens',
  summary: "A token that opens one contact's inbox, for the contact's own browser",
  description:
    'Ask for it from your server, for the person who is signed in there; never ship your API key to a browser.',
  tag,
  params: idParams,
  body: z.strictObject({ expiresInSeconds: z.int().min(60).max(604_800).default(3600) }).optional(),
  status: 200,
  response: z.strictObject({ token: z.string(), expiresAt: time }),
});

export const listInApp = endpoint({
  method: 'GET',
  path: '/inapp/messages',
  permission: 'public',
  summary: 'The messages of the inbox, newest first',
  description,
  tag,
  query: z.strictObject({ ...pageQuery, show: z.enum(['inbox', 'unread', 'archived']).default('inbox') }),
  status: 200,
  response: z.strictObject({ ...page(inAppMessage).shape, ...unread.shape }),
});

export const countInApp = endpoint({
  method: 'GET',
  path: '/inapp/unread',
  permission: 'public',
  summary: 'How many messages are unread',
  description,
  tag,
  status: 200,
  response: unread,
});

const act = <const Name extends string>(name: Name, summary: string) =>
  endpoint({
    method: 'POST',
    path: `/inapp/messages/:id/${name}`,
    permission: 'public',
    summary,
    description,
    tag,
    params: idParams,
    status: 200,
    response: unread,
  });

export const readInApp = act('read', 'Mark a message read; a second time changes nothing');
export const clickInApp = act('click', 'Tell that the link of a message was followed, which reads it too');
export const archiveInApp = act('archive', 'Take a message out of the inbox, read or not');

export const readAllInApp = endpoint({
  method: 'POST',
  path: '/inapp/read-all',
  permission: 'public',
  summary: 'Mark everything in the inbox read',
  description,
  tag,
  status: 200,
  response: unread,
});

export const streamInApp = endpoint({
  method: 'GET',
  path: '/inapp/stream',
  permission: 'public',
  summary: 'Tells when the inbox changes (server-sent events `inbox`, with the unread count); ends when the token does',
  description,
  tag,
  status: 200,
  produces: 'text/event-stream',
});

export const inboxScript = endpoint({
  method: 'GET',
  path: '/inapp/parley-inbox.js',
  absolute: true,
  permission: 'public',
  summary: 'The web component <parley-inbox>',
  tag,
  /** For pages that ask for another file with each of their releases. */
  query: z.strictObject({ v: z.string().max(100).optional() }),
  status: 200,
  produces: 'text/javascript',
});

export const inAppEndpoints = [
  mintInAppToken,
  listInApp,
  countInApp,
  readInApp,
  clickInApp,
  archiveInApp,
  readAllInApp,
  streamInApp,
  inboxScript,
] as const;
