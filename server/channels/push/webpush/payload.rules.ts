import type { OutgoingPush } from '../../port.ts';
import { collapseId } from '../collapse.rules.ts';

/** Four weeks, which is what services keep at most anyway. */
const defaultTtl = 28 * 24 * 3600;
/** RFC 8030, 5.4. */
const topicLength = 32;

/** Pure: what the site's service worker gets (`event.data.json()`); docs/push.md shows one. */
export function webpushPayload(message: OutgoingPush): Buffer {
  const { messageId, title, body, imageUrl, url, data, badge, sound, collapseKey } = message;
  const given = { image: imageUrl, url, data, badge, sound, tag: collapseKey };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return Buffer.from(JSON.stringify({ messageId, title, body, ...named }));
}

/** Pure: without `Authorization`. */
export function webpushHeaders(message: OutgoingPush): Record<string, string> {
  const { ttlSeconds = defaultTtl, urgency, collapseKey } = message;
  return {
    ttl: String(ttlSeconds),
    urgency,
    'content-type': 'application/octet-stream',
    'content-encoding': 'aes128gcm',
    ...(collapseKey === undefined ? {} : { topic: collapseId(collapseKey, topicLength) }),
  };
}
