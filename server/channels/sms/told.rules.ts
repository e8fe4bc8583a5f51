import { createHash } from 'node:crypto';
import type { Callback, Told } from '../port.ts';

/** For what comes without a time and was not told when it came either. */
export const noTime = '1970-01-01T00:00:00Z';

/** Pure: nothing but the news that something could not be read; the same bytes make the same news. */
export function unreadable(callback: Callback, why: string): Told {
  const key = createHash('sha256').update(callback.url).update('\n').update(callback.body).digest('hex').slice(0, 32);
  const at = callback.receivedAt ?? noTime;
  return { receipts: [], inbound: [], news: [{ key, kind: 'unreadable', at, data: { why } }] };
}
