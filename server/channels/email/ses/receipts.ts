import { reasonText } from '../../outcome.rules.ts';
import type { Callback, Receipt, Receipts, Told } from '../../port.ts';
import { verifyEnvelope } from '../../sns-envelope.ts';
import { parseEnvelope } from '../../sns-envelope.rules.ts';
import {
  digestOf,
  jsonOf,
  ledgerIdOf,
  ledgerIdOfHeader,
  momentOf,
  parseJson,
  statusOf,
  textOf,
  toldOf,
} from '../event.rules.ts';
import type { Json, Reading } from '../event.rules.ts';
import { bounceCode, errorOf } from './errors.rules.ts';
import { idTag } from './request.rules.ts';
import type { SesSecrets, SesSettings } from './settings.ts';

/** Events of SES by way of SNS: those a configuration set publishes (`eventType`) and those of an identity (`notificationType`). */
export const sesReceipts: Receipts<SesSettings, SesSecrets> = {
  verify: ({ settings }, callback, deps) =>
    verifyEnvelope(callback, { topicArn: settings.topicArn, baseUrl: settings.baseUrl ?? undefined }, deps),
  read: readNotification,
  setUp:
    'In AWS: create an SNS topic, add it as an event destination of the configuration set for all event types but rendering, enter its ARN into this account, then subscribe the address below (HTTPS, without raw message delivery). Parley confirms the subscription by itself. Notifications of an identity are read too, if they include the original headers.',
};

function readNotification(callback: Callback): Told {
  const envelope = parseEnvelope(callback.body);
  return toldOf(callback, envelope?.type === 'Notification' ? [readEvent(envelope.message)] : [unreadable]);
}

const unreadable: Reading = { isUnreadable: true };

/** Pure: exported for tests of bare payloads. */
export function readEvent(message: string): Reading {
  const parsed = parseJson(message);
  // "Successfully validated SNS topic for Amazon SES event publishing."
  if (parsed === undefined && message.startsWith('Successfully validated SNS topic')) return {};
  const event = jsonOf(parsed);
  const type = textOf(event['eventType']) ?? textOf(event['notificationType']) ?? '';
  if (type === 'AmazonSnsSubscriptionSucceeded') return {};
  const mail = jsonOf(event['mail']);
  const ref = textOf(mail['messageId']);
  const found = detailsOf(type, event, mail);
  if (ref === undefined || found === undefined) return unreadable;
  if (found.receipt === undefined) return found.news === undefined ? {} : { news: found.news };
  const messageId = ourId(mail);
  const { at, ...receipt } = found.receipt;
  if (at === undefined) return unreadable;
  // The same event by both ways (configuration set and identity) has the same key.
  const key = `${receipt.kind}:${digestOf(ref, at, receipt.url)}`;
  return { receipts: [{ ...receipt, key, at, ref, ...(messageId === undefined ? {} : { messageId }) }] };
}

/** From the tag; notifications of an identity have no tags, but the headers as they were handed over, where they are asked for. */
function ourId(mail: Json): string | undefined {
  const tags = jsonOf(mail['tags'])[idTag];
  const tagged = ledgerIdOf(Array.isArray(tags) ? tags[0] : undefined);
  return tagged ?? ledgerIdOfHeader(jsonOf(mail['commonHeaders'])['messageId']);
}

interface Details {
  readonly receipt?: Omit<Receipt, 'key' | 'at'> & { readonly at: string | undefined };
  readonly news?: NonNullable<Reading['news']>;
}

function detailsOf(type: string, event: Json, mail: Json): Details | undefined {
  const sentAt = momentOf(mail['timestamp']);
  const own = jsonOf(event[ownName(type)]);
  const at = momentOf(own['timestamp']) ?? sentAt;
  switch (type) {
    case 'Send':
      return { receipt: { kind: 'accepted', at: sentAt } };
    case 'Delivery':
      return { receipt: { kind: 'delivered', at } };
    case 'Bounce':
      return { receipt: { kind: 'bounced', at, ...bounceOf(own) } };
    case 'Complaint':
      return complaintOf(own, at);
    case 'DeliveryDelay':
      return { receipt: { kind: 'deferred', at, ...delayOf(own) } };
    case 'Reject':
      return {
        receipt: { kind: 'failed', at: sentAt, category: 'content', code: 'reject', ...words(own['reason'], []) },
      };
    case 'Rendering Failure':
      return {
        receipt: {
          kind: 'failed',
          at: sentAt,
          category: 'content',
          code: 'rendering-failure',
          ...words(own['errorMessage'], []),
        },
      };
    case 'Open':
      return { receipt: { kind: 'opened', at } };
    case 'Click': {
      const url = textOf(own['link']);
      return { receipt: { kind: 'clicked', at, ...(url === undefined ? {} : { url }) } };
    }
    case 'Subscription':
      return subscriptionOf(own, at);
    default:
      return undefined;
  }
}

function ownName(type: string): string {
  if (type === 'Rendering Failure') return 'failure';
  return type === 'DeliveryDelay' ? 'deliveryDelay' : type.toLowerCase();
}

function words(text: unknown, addresses: readonly string[]): { reason?: string } {
  const found = textOf(text);
  return found === undefined ? {} : { reason: reasonText(found, addresses) };
}

/** Parley writes to one person at a time, so the first recipient is the only one. */
function firstOf(list: unknown): Json {
  return jsonOf(Array.isArray(list) ? list[0] : undefined);
}

function bounceOf(bounce: Json): Partial<Receipt> {
  const recipient = firstOf(bounce['bouncedRecipients']);
  const told = bounceCode(textOf(bounce['bounceType']) ?? '', textOf(bounce['bounceSubType']) ?? '');
  const diagnostic = textOf(recipient['diagnosticCode']);
  const code = textOf(recipient['status']) ?? statusOf(diagnostic) ?? told;
  const reason = words(diagnostic ?? errorOf(told)?.meaning, [textOf(recipient['emailAddress']) ?? '']);
  return { category: errorOf(told)?.category ?? 'unknown', code, ...reason };
}

function complaintOf(complaint: Json, at: string | undefined): Details {
  const feedback = textOf(complaint['complaintFeedbackType']);
  if (textOf(complaint['complaintSubType']) === 'OnAccountSuppressionList') {
    const code = 'Permanent/OnAccountSuppressionList';
    return { receipt: { kind: 'failed', at, category: 'address', code, ...words(errorOf(code)?.meaning, []) } };
  }
  // Somebody took the message out of the spam folder again.
  if (feedback === 'not-spam') return { news: { kind: 'not-spam', ...(at === undefined ? {} : { at }), data: {} } };
  return { receipt: { kind: 'complained', at, ...(feedback === undefined ? {} : { code: feedback }) } };
}

function delayOf(delay: Json): Partial<Receipt> {
  const recipient = firstOf(delay['delayedRecipients']);
  const diagnostic = textOf(recipient['diagnosticCode']);
  const code = textOf(recipient['status']) ?? statusOf(diagnostic) ?? textOf(delay['delayType']);
  return { ...(code === undefined ? {} : { code }), ...words(diagnostic, [textOf(recipient['emailAddress']) ?? '']) };
}

/** SES's own unsubscribe links, where somebody has turned them on. */
function subscriptionOf(subscription: Json, at: string | undefined): Details {
  const isOut = jsonOf(subscription['newTopicPreferences'])['unsubscribeAll'] === true;
  if (isOut) return { receipt: { kind: 'unsubscribed', at } };
  return { news: { kind: 'topic-preferences', ...(at === undefined ? {} : { at }), data: {} } };
}
