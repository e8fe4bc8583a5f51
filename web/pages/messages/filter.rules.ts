import type { Given } from '../../api.ts';

export type ListQuery = NonNullable<Given<'GET /messages'>['query']>;

/** From the page's address to what the API takes. Days are the reader's own: the last one is meant to its end. */
export function messageQuery(values: Readonly<Record<string, string | undefined>>, zone: string): ListQuery {
  const { cursor, state, channel, reason, campaignId, contactId, from, to } = values;
  return {
    ...(cursor ? { cursor } : {}),
    ...(state ? { state: state as NonNullable<ListQuery['state']> } : {}),
    ...(channel ? { channel: channel as NonNullable<ListQuery['channel']> } : {}),
    ...(reason ? { reason } : {}),
    ...(campaignId ? { campaignId } : {}),
    ...(contactId ? { contactId } : {}),
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
