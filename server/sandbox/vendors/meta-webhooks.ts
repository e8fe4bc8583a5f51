import { createHmac } from 'node:crypto';
import type { CallbackDraft, Desk } from '../vendor.ts';
import { wamidOf } from './meta.rules.ts';

/** Who the sandbox's account at Meta is, and the webhooks it gets, signed with its app's secret. */

export interface MetaIdentity {
  readonly phoneNumberId: string;
  readonly businessAccountId: string;
  readonly accessToken: string;
  readonly appSecret: string;
  readonly verifyToken: string;
}

/** Always the same for a workspace. */
export function identityOf(workspaceId: string, desk: Desk): MetaIdentity {
  const secret = (use: string) => desk.secret(workspaceId, `meta-${use}`);
  // Fifteen digits, as Meta's ids have.
  const id = (use: string) => String((secret(use).readUIntBE(0, 6) % 900_000_000_000_000) + 100_000_000_000_000);
  return {
    phoneNumberId: id('phone'),
    businessAccountId: id('waba'),
    accessToken: `EAA${secret('token').toString('hex')}`,
    appSecret: secret('app').toString('hex').slice(0, 32),
    verifyToken: secret('verify').toString('hex').slice(0, 24),
  };
}

/** Of a range that is nobody's. */
export const displayNumber = '15550001111';

export interface SentByMeta {
  readonly wamid: string;
  readonly waId: string;
  readonly messageId?: string;
  readonly category: string;
}

export interface Failure {
  readonly title: string;
  readonly details?: string;
}

/** In the words of Meta. */
export const failures: Readonly<Record<string, Failure>> = {
  '131026': { title: 'Message undeliverable', details: 'Message Undeliverable.' },
  '131047': {
    title: 'Re-engagement message',
    details:
      'Message failed to send because more than 24 hours have passed since the customer last replied to this number.',
  },
  '131049': {
    title: 'This message was not delivered to maintain healthy ecosystem engagement.',
    details: 'In order to maintain a healthy ecosystem engagement, the message failed to be delivered.',
  },
  '131050': {
    title: 'User has stopped marketing messages',
    details:
      'Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp from your business',
  },
  '130497': { title: 'Business account is restricted from messaging users in this country.' },
};

export interface MetaWebhooks {
  /** `sent`, `delivered`, `read`; with a code `failed`. */
  status(
    sent: SentByMeta,
    afterMs: number,
    status: 'sent' | 'delivered' | 'read' | { readonly failed: string },
  ): CallbackDraft;
  /** The person wants no more advertising. */
  stopped(waId: string, afterMs: number): CallbackDraft;
  reply(sent: SentByMeta, text: string): CallbackDraft;
}

export function metaWebhooks(workspaceId: string, url: string, desk: Desk): MetaWebhooks {
  const identity = identityOf(workspaceId, desk);
  const seconds = (afterMs: number) => Math.floor((desk.clock.now().epochMilliseconds + afterMs) / 1000);
  const draft = (field: string, value: object, afterMs: number): CallbackDraft => {
    const metadata = { display_phone_number: displayNumber, phone_number_id: identity.phoneNumberId };
    const change = { value: { messaging_product: 'whatsapp', metadata, ...value }, field };
    const told = {
      object: 'whatsapp_business_account',
      entry: [{ id: identity.businessAccountId, changes: [change] }],
    };
    return { afterMs, method: 'POST', url, ...signed(told, identity.appSecret) };
  };
  const contacts = (waId: string) => [{ profile: { name: 'Sandbox' }, wa_id: waId }];
  return {
    status: (sent, afterMs, status) => {
      const said = typeof status === 'string' ? status : 'failed';
      const told = {
        id: sent.wamid,
        status: said,
        timestamp: String(seconds(afterMs)),
        recipient_id: sent.waId,
        ...(sent.messageId === undefined ? {} : { biz_opaque_callback_data: sent.messageId }),
        ...(typeof status === 'string' ? { pricing: pricingOf(sent.category) } : { errors: [errorOf(status.failed)] }),
      };
      return draft('messages', { statuses: [told] }, afterMs);
    },
    stopped: (waId, afterMs) => {
      const told = {
        wa_id: waId,
        detail: 'User requested to stop marketing messages',
        category: 'marketing_messages',
        value: 'stop',
        timestamp: seconds(afterMs),
      };
      return draft('user_preferences', { contacts: contacts(waId), user_preferences: [told] }, afterMs);
    },
    reply: (sent, text) => {
      const message = {
        context: { from: displayNumber, id: sent.wamid },
        from: sent.waId,
        id: wamidOf(sent.waId, desk.hex(18)),
        timestamp: String(seconds(0)),
        type: 'text',
        text: { body: text },
      };
      return draft('messages', { contacts: contacts(sent.waId), messages: [message] }, 0);
    },
  };
}

function pricingOf(category: string) {
  return { billable: category !== 'service', pricing_model: 'PMP', type: 'regular', category };
}

function errorOf(code: string) {
  const { title, details } = failures[code] ?? { title: 'Something went wrong', details: undefined };
  return {
    code: Number(code) || 131000,
    title,
    message: title,
    ...(details === undefined ? {} : { error_data: { details } }),
    href: 'https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/',
  };
}

/** As Meta posts it. */
function signed(told: object, appSecret: string): Pick<CallbackDraft, 'headers' | 'body'> {
  const body = JSON.stringify(told);
  const signature = createHmac('sha256', appSecret).update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'facebookexternalua',
    'x-hub-signature-256': `sha256=${signature}`,
  };
  return { headers, body };
}
