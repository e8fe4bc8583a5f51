import { verify } from 'node:crypto';
import { reasonText } from '../../outcome.rules.ts';
import type { Callback, ProviderAccount, ProviderDeps, Receipt, ReceiptKind, Receipts, Verdict } from '../../port.ts';
import {
  digestOf,
  instantOf,
  jsonOf,
  ledgerIdOf,
  ledgerIdOfHeader,
  parseJson,
  statusOf,
  textOf,
  toldOf,
} from '../event.rules.ts';
import type { Json, Reading } from '../event.rules.ts';
import { bounceCode, categoryOf, dropCode, replyCode } from './errors.rules.ts';
import { idArgument } from './request.rules.ts';
import { eventKey } from './settings.ts';
import type { SendGridSecrets, SendGridSettings } from './settings.ts';

/** The signed Event Webhook. Signature: ECDSA over P-256 with SHA-256, of the timestamp followed by the raw body. */

const signatureHeader = 'x-twilio-email-event-webhook-signature';
const timestampHeader = 'x-twilio-email-event-webhook-timestamp';

/** SendGrid repeats what was not taken for a day; the moment of signing may be that of the first try. */
const oldestMs = 25 * 3_600_000;
const aheadMs = 300_000;

export const sendGridReceipts: Receipts<SendGridSettings, SendGridSecrets> = {
  verify: (account, callback, deps) => Promise.resolve(judge(account, callback, deps)),
  read: readEvents,
  setUp:
    'In SendGrid under Settings, Mail Settings, Event Webhooks: enter the address below, choose all delivery events and the engagement events you want, turn on "Signed Event Webhook", and copy its verification key into this account.',
};

type Key = NonNullable<ReturnType<typeof eventKey>>;

/** Reading a key takes as long as verifying with it, and handing it to another thread longer than either. */
const keys = new WeakMap<SendGridSettings, Key>();

function keyOf(settings: SendGridSettings): Key | undefined {
  const known = keys.get(settings);
  if (known !== undefined || settings.webhookPublicKey === null) return known;
  const key = eventKey(settings.webhookPublicKey);
  if (key !== undefined) keys.set(settings, key);
  return key;
}

function judge(
  account: ProviderAccount<SendGridSettings, SendGridSecrets>,
  callback: Callback,
  deps: ProviderDeps,
): Verdict {
  const key = keyOf(account.settings);
  if (key === undefined) return { kind: 'forged', reason: 'the account has no verification key' };
  const signature = callback.headers[signatureHeader] ?? '';
  const timestamp = callback.headers[timestampHeader] ?? '';
  const isSigned = isSignedBy(key, signature, timestamp, callback.body);
  if (!isSigned) return { kind: 'forged', reason: 'the signature does not fit' };
  const ageMs = deps.clock.now().epochMilliseconds - Number(timestamp) * 1000;
  if (!(ageMs <= oldestMs && ageMs >= -aheadMs)) return { kind: 'forged', reason: 'signed too long ago' };
  return { kind: 'genuine', once: signature };
}

/** Pure: any timestamp is judged with the signature, so that it cannot be exchanged. */
export function isSignedBy(key: Key, signature: string, timestamp: string, body: Buffer): boolean {
  try {
    const signed = Buffer.concat([Buffer.from(timestamp), body]);
    return verify('sha256', signed, { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function readEvents(callback: Callback) {
  const parsed = parseJson(callback.body);
  return toldOf(callback, Array.isArray(parsed) ? parsed.map((event) => readEvent(jsonOf(event))) : [unreadable]);
}

const unreadable: Reading = { isUnreadable: true };

const kinds: Readonly<Record<string, ReceiptKind>> = {
  processed: 'accepted',
  deferred: 'deferred',
  delivered: 'delivered',
  bounce: 'bounced',
  blocked: 'bounced',
  dropped: 'failed',
  spamreport: 'complained',
  unsubscribe: 'unsubscribed',
  group_unsubscribe: 'unsubscribed',
  open: 'opened',
  click: 'clicked',
};

/** Pure. Events about nothing we sent (another system on the same account) carry neither our id nor one we know. */
function readEvent(event: Json): Reading {
  const name = textOf(event['event'])?.toLowerCase() ?? '';
  const at = instantOf(event['timestamp']);
  if (name === 'group_resubscribe') {
    const data = { groupId: event['asm_group_id'] ?? null, messageId: ledgerIdOf(event[idArgument]) ?? null };
    return { news: { kind: 'group-resubscribe', ...(at === undefined ? {} : { at }), data } };
  }
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  const messageId = ledgerIdOf(event[idArgument]) ?? ledgerIdOfHeader(event['smtp-id']);
  const ref = refOf(textOf(event['sg_message_id']));
  if (kind === undefined || at === undefined || (messageId === undefined && ref === undefined)) return unreadable;
  const receipt: Receipt = {
    kind,
    key: factOf(name, event),
    ...(messageId === undefined ? {} : { messageId }),
    ...(ref === undefined ? {} : { ref }),
    at,
    ...detailsOf(kind, name, event),
  };
  return { receipts: [receipt] };
}

/** SendGrid's own id of the event; its documents show events that share one, so the kind stands before it. */
function factOf(name: string, event: Json): string {
  const id = textOf(event['sg_event_id']);
  if (id !== undefined) return `${name}:${id}`;
  const seen = [event['sg_message_id'], event['email'], event['timestamp'], event['url']].map((part) =>
    JSON.stringify(part),
  );
  return `${name}:${digestOf(...seen)}`;
}

/** Pure: `X-Message-Id` is the part of `sg_message_id` before the name of the server that took it on. */
export function refOf(sgMessageId: string | undefined): string | undefined {
  return sgMessageId?.replace(/\.(?:filter|recvd)[^.]*.*$/s, '');
}

function detailsOf(kind: ReceiptKind, name: string, event: Json): Partial<Receipt> {
  const words = textOf(event['reason']) ?? textOf(event['response']);
  const reason = words === undefined ? {} : { reason: reasonText(words, [textOf(event['email']) ?? '']) };
  switch (kind) {
    case 'bounced': {
      const type = name === 'blocked' ? 'blocked' : textOf(event['type']);
      const told = bounceCode(type, textOf(event['bounce_classification']));
      // The mail server's own status tells more than SendGrid's word for it.
      const code = textOf(event['status']) ?? statusOf(words) ?? told;
      return { category: categoryOf(told), code, ...reason };
    }
    case 'failed': {
      const code = dropCode(textOf(event['reason']) ?? '');
      return { category: categoryOf(code), code, ...reason };
    }
    case 'deferred': {
      const code = words === undefined ? undefined : (statusOf(words) ?? replyCode(words));
      return { ...(code === undefined ? {} : { code }), ...reason };
    }
    case 'opened':
      return event['sg_machine_open'] === true ? { isMachine: true } : {};
    case 'clicked': {
      const url = textOf(event['url']);
      return url === undefined ? {} : { url };
    }
    case 'accepted':
    case 'sent':
    case 'delivered':
    case 'read':
    case 'complained':
    case 'unsubscribed':
      return {};
  }
}
