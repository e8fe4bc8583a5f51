import type { ContentSource } from '../contract/template-content.ts';
import { contactVariables } from './audience/index.ts';
import { whatsAppCategory } from './channels/index.ts';
import type { Mailbox, Outgoing, OutgoingOf } from './channels/index.ts';
import { needsConsent } from './delivery/index.ts';
import type { Composer, LaneAccount, PlanRow } from './delivery/index.ts';
import { needsOf, objectionsOf } from './fitness.ts';
import type { Tx } from './platform/db.ts';
import { attributesOf, urlsOf } from './ends.ts';
import type { Ends } from './ends.ts';
import type { ContentRenderer, MessageUrls, RenderData, Renderer } from './templates/index.ts';

/** Makes messages of ledger rows: everything that is the same for a batch is read and built once, by channel. */

const given = <T>(name: string, value: T | null | undefined) =>
  value === null || value === undefined ? {} : { [name]: value };

export function mailbox(one: { readonly address: string; readonly name?: string | undefined }): Mailbox {
  return one.name === undefined ? { address: one.address } : { address: one.address, name: one.name };
}

/** What every composer of a batch shares. */
interface Batch {
  readonly plan: PlanRow;
  readonly account: LaneAccount;
  readonly workspaceId: string;
  readonly workspace: RenderData['workspace'];
  readonly urlsFor: (messageId: string) => MessageUrls;
}

export async function composerFor(ends: Ends, tx: Tx, plan: PlanRow, account: LaneAccount): Promise<Composer> {
  const renderer = await ends.templates.renderer(tx, plan.templateId, plan.templateVersion);
  const settings = await ends.workspaces.settings(tx);
  const linkKey = ends.vault.linkKey(tx.workspaceId);
  const origin = ends.origin();
  const { workspaceId } = tx;
  const batch: Batch = {
    plan,
    account,
    workspaceId,
    workspace: { name: settings.name, postalAddress: settings.postalAddress },
    urlsFor: (messageId) => urlsOf(origin, linkKey, workspaceId, messageId),
  };
  if (renderer.channel !== 'email') return contentComposer(batch, renderer, ends);
  const [lane] = await ends.channels.accountsFor(tx, plan.channel, account.id);
  return emailComposer(batch, renderer, {
    from: plan.sender.from === undefined ? lane?.identity.from : mailbox(plan.sender.from),
    replyTo: plan.sender.replyTo === undefined ? lane?.identity.replyTo : mailbox(plan.sender.replyTo),
    // Vendors with an API read their bounces themselves, and tell.
    returnPath: lane?.kind === 'smtp' ? (id) => ends.returnPath(workspaceId, id) : () => undefined,
  });
}

type Row = Parameters<Composer['compose']>[0];
type Composed = ReturnType<Composer['compose']>;

const missing = (names: readonly string[]): Composed => ({
  ok: false,
  reason: 'missing-variable',
  detail: names.join(', '),
});
const failed = (where: string, failure: string): Composed => ({
  ok: false,
  reason: 'render-failed',
  detail: `${where}: ${failure}`,
});

function inputFor({ workspace }: Batch, row: Row, email: string | null, phone: string | null, urls: MessageUrls) {
  const contact = contactVariables({
    ...row,
    id: row.contactId,
    attributes: attributesOf(row.attributes),
    email,
    phone,
  });
  return { contact, variables: row.variables ?? {}, workspace, urls };
}

function emailComposer(
  batch: Batch,
  renderer: Renderer,
  {
    from,
    replyTo,
    returnPath,
  }: {
    readonly from: Mailbox | undefined;
    readonly replyTo: Mailbox | undefined;
    returnPath(messageId: string): string | undefined;
  },
): Composer {
  const { plan, workspaceId } = batch;
  const feedbackId = `${plan.sourceId ?? 'single'}:${plan.category}:${workspaceId}:parley`;
  const canLeave = needsConsent(plan.category);
  const inParts = batch.account.sender.many !== undefined;
  return {
    needs: needsOf(renderer),
    compose: (row, address, phone) => {
      if (from === undefined) return { ok: false, reason: 'no-sender', detail: 'The account has no From address.' };
      const urls = batch.urlsFor(row.id);
      const content = renderer.render(inputFor(batch, row, address, phone, urls), inParts);
      if ('missing' in content) return missing(content.missing);
      if ('failure' in content) return failed(content.where, content.failure);
      return {
        ok: true,
        outgoing: {
          channel: 'email',
          messageId: row.id,
          to: address,
          from,
          ...given('replyTo', replyTo),
          subject: content.subject,
          ...(content.html === null ? {} : { html: content.html }),
          text: content.text ?? '',
          ...given('merge', content.merge),
          ...(canLeave ? { unsubscribeUrl: urls.unsubscribe } : {}),
          feedbackId,
          ...given('envelopeFrom', returnPath(row.id)),
        },
      };
    },
  };
}

/** What is said on every channel but e-mail: a content with its texts filled in, put into the channel's form. */
function contentComposer(batch: Batch, renderer: ContentRenderer, { clock }: Pick<Ends, 'clock'>): Composer {
  const objects = objectionsOf(renderer, batch.plan.category);
  const isPhone = renderer.channel === 'sms' || renderer.channel === 'whatsapp';
  return {
    needs: needsOf(renderer),
    ...given('objects', objects),
    compose: (row, address, phone, email) => {
      const known = inputFor(batch, row, email, isPhone ? address : phone, batch.urlsFor(row.id));
      const result = renderer.render(known);
      if ('missing' in result) return missing(result.missing);
      if ('failure' in result) return failed(result.where, result.failure);
      return outgoingOf(result.content, {
        messageId: row.id,
        contactId: row.contactId,
        to: address,
        country: row.addressCountry,
        category: batch.plan.category,
        kind: batch.account.kind,
        now: clock.now(),
      });
    },
  };
}

/** One message's envelope, on whichever channel. */
export interface Envelope {
  readonly messageId: string;
  readonly contactId: string;
  /** In the clear: a number, or a push address; empty for in-app. */
  readonly to: string;
  readonly country: string | null;
  readonly category: string;
  /** Of the account: of push its platform. */
  readonly kind: string;
  readonly now: Temporal.Instant;
}

const smsCategories = ['marketing', 'transactional', 'otp', 'utility'] as const;
const smsCategory = (category: string) => smsCategories.find((one) => one === category) ?? 'transactional';

/** Pure: a rendered content as its channel's provider is handed it. */
export function outgoingOf(content: ContentSource, envelope: Envelope): Composed {
  switch (content.channel) {
    case 'sms':
      return done(smsOf(content, envelope));
    case 'whatsapp': {
      // The contract's form is the provider's; only texts were filled in.
      const filled = content.content as OutgoingOf<'whatsapp'>['content'];
      const category = whatsAppCategory(filled, envelope.category);
      return done({ channel: 'whatsapp', messageId: envelope.messageId, to: envelope.to, category, content: filled });
    }
    case 'push':
      return pushOf(content, envelope);
    case 'inapp':
      return done(inAppOf(content, envelope));
  }
}

const done = (outgoing: Outgoing): Composed => ({ ok: true, outgoing });

function smsOf(content: Extract<ContentSource, { channel: 'sms' }>, envelope: Envelope): OutgoingOf<'sms'> {
  return {
    channel: 'sms',
    messageId: envelope.messageId,
    to: envelope.to,
    ...given('country', envelope.country),
    text: content.text,
    ...(content.mediaUrls.length === 0 ? {} : { mediaUrls: content.mediaUrls }),
    category: smsCategory(envelope.category),
  };
}

function pushOf(content: Extract<ContentSource, { channel: 'push' }>, { messageId, to, kind }: Envelope): Composed {
  const colon = to.indexOf(':');
  const platform = to.slice(0, colon);
  if (platform !== kind)
    return {
      ok: false,
      reason: 'no-push-account',
      detail: `The device is registered with ${platform}; the route of push has no account for it.`,
    };
  return done({
    channel: 'push',
    messageId,
    token: to.slice(colon + 1),
    title: content.title,
    body: content.body,
    ...given('imageUrl', content.imageUrl),
    ...given('url', content.url),
    ...(Object.keys(content.data).length === 0 ? {} : { data: content.data }),
    ...given('collapseKey', content.collapseKey),
    ...given('ttlSeconds', content.ttlSeconds),
    urgency: content.urgency,
  });
}

function inAppOf(content: Extract<ContentSource, { channel: 'inapp' }>, envelope: Envelope): OutgoingOf<'inapp'> {
  const { messageId, contactId, now } = envelope;
  const after = content.expiresAfterSeconds;
  return {
    channel: 'inapp',
    messageId,
    contactId,
    title: content.title,
    body: content.body,
    ...given('url', content.url),
    ...given('imageUrl', content.imageUrl),
    ...(Object.keys(content.data).length === 0 ? {} : { data: content.data }),
    ...(after === null ? {} : { expiresAt: now.add({ seconds: after }).toString() }),
  };
}
