import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { malformedResult, refusalResult } from './outcome.rules.ts';
import type { Callback, ErrorTable, SendResult } from './port.ts';

/** What Twilio's channels (SMS, WhatsApp) have in common: how it signs, what it answers, when it calls back. */

export { callbackAbout, messageIdOf } from './outcome.rules.ts';

/** Names in the order of the form, with all of their values. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

export function parseForm(body: Buffer): FormFields {
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return fields;
}

export function fieldOf(fields: FormFields, name: string): string | undefined {
  const value = fields.get(name)?.[0];
  return value === '' ? undefined : value;
}

/**
 * Pure: base64 of HMAC-SHA1 over the address and the fields, sorted by name; several values of one name are sorted, and
 * counted once (Twilio, "Validating Signatures from Twilio").
 */
export function twilioSignature(authToken: string, url: string, fields: FormFields): string {
  const sorted = [...fields].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = sorted.map(([name, values]) =>
    [...new Set(values)]
      .toSorted()
      .map((value) => name + value)
      .join(''),
  );
  return createHmac('sha1', authToken)
    .update(url + text.join(''), 'utf8')
    .digest('base64');
}

/** Pure, in constant time: `X-Twilio-Signature` over the request as it came. */
export function isTwilioSigned(authToken: string, callback: Callback): boolean {
  const said = callback.headers['x-twilio-signature'];
  if (said === undefined || said === '' || authToken === '') return false;
  const fields = signedFields(callback);
  if (fields === undefined) return false;
  let isSigned = false;
  // All are tried, whichever fits.
  for (const url of addressForms(callback.url))
    isSigned = isEqual(said, twilioSignature(authToken, url, fields)) || isSigned;
  return isSigned;
}

const noFields: FormFields = new Map();

/** Of a form its fields; of any other body none, if the address carries the body's digest; undefined: the body is not covered. */
function signedFields(callback: Callback): FormFields | undefined {
  const digest = URL.canParse(callback.url) ? new URL(callback.url).searchParams.get('bodySHA256') : null;
  if (digest !== null) {
    const right = createHash('sha256').update(callback.body).digest('hex');
    return isEqual(digest.toLowerCase(), right) ? noFields : undefined;
  }
  if (callback.body.length === 0) return noFields;
  const type = callback.headers['content-type'] ?? '';
  return type.toLowerCase().startsWith('application/x-www-form-urlencoded') ? parseForm(callback.body) : undefined;
}

/** Twilio signs the address with or without its port, and as a parser writes it (`'` as `%27`). */
function addressForms(text: string): ReadonlySet<string> {
  const forms = new Set([text]);
  if (!URL.canParse(text)) return forms;
  const url = new URL(text);
  for (const written of [text, url.href]) {
    const parts = /^([a-z]+:\/\/)((?:[^/?#@]*@)?)([^/?#@]*?)(?::\d+)?([/?#].*)?$/i.exec(written);
    if (parts === null) continue;
    const [, scheme = '', user = '', host = '', rest = ''] = parts;
    forms.add(written);
    forms.add(scheme + user + host + rest);
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    forms.add(`${scheme}${user}${host}:${port}${rest}`);
  }
  return forms;
}

function isEqual(said: string, right: string): boolean {
  const [a, b] = [Buffer.from(said, 'utf8'), Buffer.from(right, 'utf8')];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What Twilio makes of a message: its id, or why not. */
export interface TwilioMessage {
  readonly sid: string;
  readonly status: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

interface TwilioSaid {
  readonly status: number;
  readonly body: Buffer;
  readonly afterMs?: number | undefined;
  readonly addresses: readonly string[];
}

/** Pure: the outcome of creating a message. */
export function twilioResult(errors: ErrorTable, said: TwilioSaid): SendResult {
  const body = parseObject(said.body);
  const wait = said.afterMs === undefined ? {} : { afterMs: said.afterMs };
  if (said.status >= 200 && said.status < 300) return acceptedResult(errors, said, body);
  const [code, message] = [body?.['code'], body?.['message']];
  if (typeof code !== 'number' && typeof code !== 'string') {
    if (said.status === 429) return refusalResult(errors, { code: '429', reason: '', status: 429, ...wait });
    return malformedResult(said.status, 'not an answer of Twilio’s');
  }
  return refusalResult(errors, {
    code: String(code),
    reason: typeof message === 'string' ? message : '',
    status: said.status,
    ...wait,
    addresses: said.addresses,
  });
}

function acceptedResult(errors: ErrorTable, said: TwilioSaid, body: Record<string, unknown> | undefined): SendResult {
  const message = body === undefined ? undefined : readMessage(body);
  if (message === undefined) return malformedResult(said.status, 'without the id of a message');
  // Accepted and failed in one breath: the message exists, and goes nowhere.
  if (message.status === 'failed' && message.errorCode !== undefined)
    return refusalResult(errors, {
      code: message.errorCode,
      reason: message.errorMessage ?? '',
      addresses: said.addresses,
    });
  return { kind: 'accepted', ref: message.sid, detail: message.status };
}

/** Pure: a message as the API writes it. */
export function readMessage(body: Record<string, unknown>): TwilioMessage | undefined {
  const { sid, status, error_code: code, error_message: text } = body;
  if (typeof sid !== 'string' || !/^(?:SM|MM)[0-9a-fA-F]{32}$/.test(sid)) return undefined;
  return {
    sid,
    status: typeof status === 'string' ? status : 'queued',
    ...(typeof code === 'number' || typeof code === 'string' ? { errorCode: String(code) } : {}),
    ...(typeof text === 'string' ? { errorMessage: text } : {}),
  };
}

export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a status of Twilio's says of a message. `queued`, `sending` and the like: it has it. */
export const twilioStatuses = {
  accepted: 'accepted',
  scheduled: 'accepted',
  queued: 'accepted',
  sending: 'accepted',
  sent: 'sent',
  partially_delivered: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'bounced',
  failed: 'failed',
  canceled: 'failed',
} as const;

export type TwilioStatus = keyof typeof twilioStatuses;

export function isTwilioStatus(status: string): status is TwilioStatus {
  return Object.hasOwn(twilioStatuses, status);
}
