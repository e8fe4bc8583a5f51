import type { DeadLetterFilter } from '../../../contract/dead-letters.ts';
import { startOfDay } from '../messages/filter.rules.ts';

const plain = ['state', 'category', 'code', 'provider', 'accountId', 'domain', 'channel', 'campaignId'] as const;

/** From the page's address to what the API takes; days are the reader's own, the last one meant to its end. */
export function letterFilter(values: Readonly<Record<string, string | undefined>>, zone: string): DeadLetterFilter {
  const { from, to } = values;
  const isDay = (value: string | undefined): value is string =>
    value !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(value);
  const chosen = Object.fromEntries(plain.flatMap((key) => (values[key] ? [[key, values[key].trim()]] : [])));
  return {
    ...(chosen as DeadLetterFilter),
    ...(isDay(from) ? { from: startOfDay(from, 0, zone) } : {}),
    ...(isDay(to) ? { to: startOfDay(to, 1, zone) } : {}),
  };
}

/** Whether anything is narrowed down: acting on "all that match" then means less than everything. */
export function isNarrowed(filter: DeadLetterFilter): boolean {
  return Object.keys(filter).length > 0;
}
