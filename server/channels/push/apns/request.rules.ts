import type { OutgoingPush } from '../../port.ts';
import { collapseId } from '../collapse.rules.ts';

/** What APNs is asked, and how its answers read (Apple: Sending notification requests to APNs). */

/** Of a remote notification. */
export const mostPayloadBytes = 4096;

/** Pure: the body. The app finds where a tap leads, and which message this was, beside `aps`. */
export function apnsPayload(message: OutgoingPush): Buffer {
  const { title, body, badge, sound, imageUrl, url, data, messageId } = message;
  return Buffer.from(
    JSON.stringify({
      ...data,
      ...(url === undefined ? {} : { url }),
      // Shown by the app's notification service extension, which `mutable-content` wakes.
      ...(imageUrl === undefined ? {} : { imageUrl }),
      parleyMessageId: messageId,
      aps: {
        alert: { title, body },
        sound: sound ?? 'default',
        ...(badge === undefined ? {} : { badge }),
        ...(imageUrl === undefined ? {} : { 'mutable-content': 1 }),
      },
    }),
  );
}

/** Pure: without the path and the provider token. */
export function apnsHeaders(message: OutgoingPush, topic: string, at: Temporal.Instant): Record<string, string> {
  const { ttlSeconds, collapseKey } = message;
  return {
    'apns-id': message.messageId,
    'apns-topic': topic,
    'apns-push-type': 'alert',
    'apns-priority': message.urgency === 'high' ? '10' : '5',
    ...(ttlSeconds === undefined ? {} : { 'apns-expiration': expiration(ttlSeconds, at) }),
    ...(collapseKey === undefined ? {} : { 'apns-collapse-id': collapseId(collapseKey, 64) }),
  };
}

/** Seconds since 1970; 0: now or never. */
function expiration(ttlSeconds: number, at: Temporal.Instant): string {
  return String(ttlSeconds === 0 ? 0 : Math.floor(at.epochMilliseconds / 1000) + ttlSeconds);
}

/** Pure: the reason of a refusal; undefined when it is not APNs that speaks. */
export function readApnsReason(body: string): string | undefined {
  try {
    const given: unknown = JSON.parse(body);
    if (typeof given !== 'object' || given === null || !('reason' in given)) return undefined;
    return typeof given.reason === 'string' && /^\w{1,64}$/.test(given.reason) ? given.reason : undefined;
  } catch {
    return undefined;
  }
}
