import type { OutgoingPush } from '../../port.ts';
import { collapseId } from '../collapse.rules.ts';

/** What FCM is asked, and how its answers read (HTTP v1 API, projects.messages.send). */

/** FCM keeps these names to itself. */
const reserved = /^(?:from|message_type|notification|google|gcm)/i;
const longestTtl = 28 * 24 * 3600;
/** Topic of a web push (RFC 8030, 5.4): at most 32 characters of the URL-safe alphabet. */
const webTopicLength = 32;

/** Pure: the name of a data field that FCM would not take; undefined when all are fine. */
export function reservedField(data: OutgoingPush['data']): string | undefined {
  return Object.keys(data ?? {}).find((name) => reserved.test(name));
}

/** Pure. `at` decides when an absolute expiry is. */
export function fcmBody(message: OutgoingPush, at: Temporal.Instant): object {
  const { token, title, body, imageUrl, url, data } = message;
  return {
    message: {
      token,
      notification: { title, body, ...(imageUrl === undefined ? {} : { image: imageUrl }) },
      // The app reads where a tap leads, and which message this was, from its data.
      data: { ...data, ...(url === undefined ? {} : { url }), parleyMessageId: message.messageId },
      android: androidPart(message),
      apns: apnsPart(message, at),
      webpush: webPart(message),
    },
  };
}

const ttlOf = ({ ttlSeconds }: OutgoingPush) =>
  ttlSeconds === undefined ? undefined : Math.min(ttlSeconds, longestTtl);

function androidPart(message: OutgoingPush): object {
  const ttl = ttlOf(message);
  const { collapseKey, sound, badge } = message;
  return {
    priority: message.urgency === 'high' ? 'HIGH' : 'NORMAL',
    ...(ttl === undefined ? {} : { ttl: `${ttl}s` }),
    ...(collapseKey === undefined ? {} : { collapseKey }),
    notification: {
      ...(collapseKey === undefined ? {} : { tag: collapseKey }),
      ...(sound === undefined ? { defaultSound: true } : { sound }),
      ...(badge === undefined ? {} : { notificationCount: badge }),
    },
  };
}

function apnsPart(message: OutgoingPush, at: Temporal.Instant): object {
  const ttl = ttlOf(message);
  const { collapseKey, badge, imageUrl } = message;
  return {
    headers: {
      'apns-priority': message.urgency === 'high' ? '10' : '5',
      ...(ttl === undefined
        ? {}
        : { 'apns-expiration': String(ttl === 0 ? 0 : Math.floor(at.epochMilliseconds / 1000) + ttl) }),
      ...(collapseKey === undefined ? {} : { 'apns-collapse-id': collapseId(collapseKey, 64) }),
    },
    payload: {
      aps: {
        sound: message.sound ?? 'default',
        ...(badge === undefined ? {} : { badge }),
        ...(imageUrl === undefined ? {} : { 'mutable-content': 1 }),
      },
    },
    ...(imageUrl === undefined ? {} : { fcmOptions: { image: imageUrl } }),
  };
}

function webPart(message: OutgoingPush): object {
  const ttl = ttlOf(message);
  const { collapseKey, url } = message;
  return {
    headers: {
      Urgency: message.urgency,
      ...(ttl === undefined ? {} : { TTL: String(ttl) }),
      ...(collapseKey === undefined ? {} : { Topic: collapseId(collapseKey, webTopicLength) }),
    },
    // FCM takes links over HTTPS only.
    ...(url?.startsWith('https://') === true ? { fcmOptions: { link: url } } : {}),
  };
}

export interface FcmAnswer {
  /** `projects/…/messages/…` of a message that was taken. */
  readonly name?: string;
  /** In the terms of errors.rules.ts. */
  readonly code?: string;
  readonly reason?: string;
}

/** Pure: undefined when it is not JSON of FCM's. */
export function readFcmAnswer(body: string): FcmAnswer | undefined {
  const answer = objectOf(parsed(body));
  if (answer === undefined) return undefined;
  if (typeof answer['name'] === 'string' && /^projects\/.+\/messages\/.+/.test(answer['name']))
    return { name: answer['name'] };
  const error = objectOf(answer['error']);
  if (error === undefined || typeof error['status'] !== 'string') return undefined;
  const reason = typeof error['message'] === 'string' ? error['message'] : '';
  const details = listOf(error['details']).map((one) => objectOf(one) ?? {});
  return { code: codeOf(error['status'], reason, details), reason };
}

function codeOf(status: string, reason: string, details: readonly Readonly<Record<string, unknown>>[]): string {
  const own = details.find((one) => String(one['@type']).endsWith('.FcmError'))?.['errorCode'];
  const code = typeof own === 'string' ? own : status;
  if (code !== 'INVALID_ARGUMENT') return code;
  const wrong = details.find((one) => String(one['@type']).endsWith('google.rpc.BadRequest'));
  const fields = wrong === undefined ? undefined : fieldsOf(wrong['fieldViolations']);
  // The payload is to blame unless the token is named: a token that works must not be lost to a mistake in a template.
  const blamesToken =
    fields === undefined
      ? own !== undefined && /registration token/i.test(reason)
      : fields.length > 0 && fields.every((field) => field === 'message.token');
  return blamesToken ? 'INVALID_TOKEN' : code;
}

function fieldsOf(violations: unknown): string[] {
  return listOf(violations).map((one) => String(objectOf(one)?.['field']));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
