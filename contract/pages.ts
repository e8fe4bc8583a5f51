import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const tag = 'Pages for contacts';
/** Signed; for clicks it ends in `.n`, the number of the link. Wider than any real one, so that a broken one gets a page, not a JSON error. */
const params = z.strictObject({ token: z.string().min(1).max(600) });
/** Mail programs and link rewriters add parameters of their own to links; they are ignored. */
const query = z.looseObject({});

export const unsubscribePage = endpoint({
  method: 'GET',
  path: '/u/:token',
  absolute: true,
  permission: 'public',
  summary: 'Asks whether to unsubscribe (a scanner that follows the link changes nothing)',
  tag,
  params,
  query,
  status: 200,
  produces: 'text/html',
});

export const unsubscribeOneClick = endpoint({
  method: 'POST',
  path: '/u/:token',
  absolute: true,
  permission: 'public',
  summary: "Unsubscribes: the button of the page, or a mailbox provider's one click (RFC 8058)",
  tag,
  params,
  query,
  consumes: ['application/x-www-form-urlencoded', 'multipart/form-data'],
  status: 200,
  produces: 'text/html',
});

export const preferencePage = endpoint({
  method: 'GET',
  path: '/p/:token',
  absolute: true,
  permission: 'public',
  summary: 'The topics a person gets, to be ticked on and off',
  tag,
  params,
  query,
  status: 200,
  produces: 'text/html',
});

export const savePreferences = endpoint({
  method: 'POST',
  path: '/p/:token',
  absolute: true,
  permission: 'public',
  summary: 'Saves the ticked topics',
  tag,
  params,
  query,
  consumes: ['application/x-www-form-urlencoded'],
  status: 200,
  produces: 'text/html',
});

export const openPixel = endpoint({
  method: 'GET',
  path: '/t/o/:token',
  absolute: true,
  permission: 'public',
  summary: 'The pixel that says a message was opened',
  tag,
  params,
  query,
  status: 200,
  produces: 'image/gif',
});

export const clickLink = endpoint({
  method: 'GET',
  path: '/t/c/:token',
  absolute: true,
  permission: 'public',
  summary: 'Counts a click and redirects to the link of the template version; to nothing else',
  tag,
  params,
  query,
  status: 302,
  produces: 'text/html',
});

export const pageEndpoints = [
  unsubscribePage,
  unsubscribeOneClick,
  preferencePage,
  savePreferences,
  openPixel,
  clickLink,
] as const;
