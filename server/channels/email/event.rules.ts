import { hash } from 'node:crypto';
import type { Callback, Receipt, Told } from '../port.ts';

/** Reading what vendors tell: JSON of which nothing is believed before it was looked at. */

export type Json = Readonly<Record<string, unknown>>;

export function jsonOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Of a header or field that may come as a number. */
export function wordOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : textOf(value);
}

/** Undefined for what is not JSON. */
export function parseJson(body: Buffer | string): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Seconds since 1970, as a number or its text, to RFC 3339. */
export function instantOf(seconds: unknown): string | undefined {
  const number = typeof seconds === 'string' && seconds.trim() !== '' ? Number(seconds) : seconds;
  if (typeof number !== 'number' || !(number > 0 && number < 1e11)) return undefined;
  // The common case, several times as fast.
  if (Number.isInteger(number)) return `${new Date(number * 1000).toISOString().slice(0, 19)}Z`;
  return Temporal.Instant.fromEpochMilliseconds(Math.round(number * 1000)).toString();
}

/** RFC 3339 as vendors write it, normalised; undefined for what is no moment. */
export function momentOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return Temporal.Instant.from(text).toString();
  } catch {
    return undefined;
  }
}

const ledgerId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Our id, if it is one: what a vendor carried back is not more than it claims to be. */
export function ledgerIdOf(value: unknown): string | undefined {
  return typeof value === 'string' && ledgerId.test(value) ? value : undefined;
}

/** Our id out of a Message-ID that we made: `<id@domain>`, with or without the brackets. */
export function ledgerIdOfHeader(value: unknown): string | undefined {
  return typeof value === 'string' ? ledgerIdOf(/^<?([^<>@]+)@/.exec(value)?.[1]) : undefined;
}

/** A short digest, for keys: the same fact told again has the same, and no address stands in it. */
export function digestOf(...parts: readonly (string | undefined)[]): string {
  return hash('sha256', parts.map((part) => part ?? '').join('\n')).slice(0, 24);
}

/** What is known of one part of a callback: facts, a remark for the account, or nothing of interest. */
export interface Reading {
  readonly receipts?: readonly Receipt[];
  readonly news?: { readonly kind: string; readonly at?: string; readonly data: Json };
  readonly isUnreadable?: boolean;
}

/** Puts the readings of all parts of a callback together; what could not be read is named, with no content of it. */
export function toldOf(callback: Callback, readings: readonly Reading[]): Told {
  const body = hash('sha256', callback.body).slice(0, 24);
  return {
    receipts: readings.flatMap((reading) => reading.receipts ?? []),
    inbound: [],
    news: readings.flatMap(({ news, isUnreadable }, part) => {
      const key = `${body}:${part}`;
      if (isUnreadable === true) return [{ key, kind: 'unreadable', at: epoch, data: { part } }];
      return news === undefined ? [] : [{ key, kind: news.kind, at: news.at ?? epoch, data: news.data }];
    }),
  };
}

/** Reading is pure: where the vendor gives no time, the reader of it uses that of the callback. */
const epoch = '1970-01-01T00:00:00Z';

/** The status of an SMTP reply: the enhanced code (RFC 3463) before the reply code. */
export function statusOf(reply: string | undefined): string | undefined {
  if (reply === undefined) return undefined;
  return /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1] ?? /\b([245]\d\d)\b/.exec(reply)?.[1];
}
