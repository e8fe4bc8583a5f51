import type { Given } from '../../api.ts';

export type ListQuery = NonNullable<Given<'GET /messages'>['query']>;

const plain = [
  'cursor',
  'state',
  'reason',
  'campaignId',
  'contactId',
  'recipient',
  'channel',
  'category',
  'accountId',
  'code',
  'errorCategory',
] as const;

/** From the page's address to what the API takes. Days are the reader's own: the last one is meant to its end. */
export function messageQuery(values: Readonly<Record<string, string | undefined>>, zone: string): ListQuery {
  const { from, to } = values;
  // The address is anybody's to write: what the route does not take, it says so itself.
  const chosen = Object.fromEntries(plain.flatMap((key) => (values[key] ? [[key, values[key].trim()]] : [])));
  return {
    ...(chosen as ListQuery),
    ...(isDay(from) ? { from: startOfDay(from, 0, zone) } : {}),
    ...(isDay(to) ? { to: startOfDay(to, 1, zone) } : {}),
  };
}

const isDay = (value: string | undefined): value is string => value !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(value);

/** Midnight at the beginning of a day in a zone, as an instant; `plusDays` for the end of it. */
export function startOfDay(day: string, plusDays: number, zone: string): string {
  const midnight = Date.parse(`${day}T00:00:00Z`) + plusDays * 86_400_000;
  // The zone's offset is that of the moment looked for, which is off by at most the offset itself: twice is enough.
  const first = midnight - offsetMs(midnight, zone);
  return new Date(midnight - offsetMs(first, zone)).toISOString();
}

function offsetMs(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(new Date(at));
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((candidate) => candidate.type === type)?.value);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - Math.floor(at / 1000) * 1000;
}
