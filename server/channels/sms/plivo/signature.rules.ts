import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Callback } from '../../port.ts';

/**
 * How Plivo signs its callbacks. V3 covers address, query and fields; V2, which Plivo's messaging documents still name,
 * covers the address alone. Both hold a nonce, which is taken once.
 */

type Pair = readonly [name: string, value: string];

/** Pure: base64 of HMAC-SHA256 over the canonical request and the nonce. */
export function plivoSignatureV3(
  authToken: string,
  request: { readonly method: 'GET' | 'POST'; readonly url: string; readonly fields: readonly Pair[] },
  nonce: string,
): string {
  return hmac(authToken, `${canonical(request)}.${nonce}`);
}

function canonical({
  method,
  url,
  fields,
}: {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly fields: readonly Pair[];
}): string {
  const { base, query } = split(url);
  if (method === 'GET') {
    const all = joined([...query, ...fields]);
    return all === '' ? base : `${base}?${all}`;
  }
  const body = sorted(fields)
    .map(([name, value]) => name + value)
    .join('');
  // As Plivo's own libraries build it: the dot stands between query and fields only where there are both.
  if (query.length === 0) return body === '' ? base : `${base}?${body}`;
  return `${base}?${joined(query)}${body === '' ? '' : `.${body}`}`;
}

/** Pure: base64 of HMAC-SHA256 over the address without its query, and the nonce. */
export function plivoSignatureV2(authToken: string, url: string, nonce: string): string {
  return hmac(authToken, split(url).base + nonce);
}

function hmac(authToken: string, text: string): string {
  return createHmac('sha256', authToken).update(text, 'utf8').digest('base64');
}

/** The address as it was written, since a parser would add a slash. */
function split(url: string): { base: string; query: readonly Pair[] } {
  const [base = '', query = ''] = url.split('#')[0]?.split(/\?(.*)/s) ?? [];
  return { base, query: [...new URLSearchParams(query)] };
}

function sorted(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.toSorted(([a, first], [b, second]) => (a === b ? (first < second ? -1 : 1) : a < b ? -1 : 1));
}

function joined(pairs: readonly Pair[]): string {
  return sorted(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Pure, in constant time: the nonce of a callback that Plivo signed; undefined: it did not. */
export function plivoNonce(authToken: string, callback: Callback): string | undefined {
  if (authToken === '') return undefined;
  const { headers, method, url } = callback;
  const v3 = [headers['x-plivo-signature-v3'], headers['x-plivo-signature-ma-v3']].filter((one) => one !== undefined);
  const nonce = headers[v3.length > 0 ? 'x-plivo-signature-v3-nonce' : 'x-plivo-signature-v2-nonce'] ?? '';
  if (nonce === '') return undefined;
  if (v3.length === 0) {
    const v2 = [headers['x-plivo-signature-v2'], headers['x-plivo-signature-ma-v2']].filter((one) => one !== undefined);
    return isAmong(v2, plivoSignatureV2(authToken, url, nonce)) ? nonce : undefined;
  }
  const fields = callbackFields(callback);
  return isAmong(v3, plivoSignatureV3(authToken, { method, url, fields }, nonce)) ? nonce : undefined;
}

export function callbackFields(callback: Callback): readonly Pair[] {
  return callback.method === 'GET' ? [] : [...new URLSearchParams(callback.body.toString('utf8'))];
}

/** A header may hold several, of the tokens that are valid while one is changed. */
function isAmong(headers: readonly string[], right: string): boolean {
  const wanted = Buffer.from(right, 'utf8');
  let found = false;
  for (const said of headers.flatMap((header) => header.split(','))) {
    const one = Buffer.from(said.trim(), 'utf8');
    found = (one.length === wanted.length && timingSafeEqual(one, wanted)) || found;
  }
  return found;
}
