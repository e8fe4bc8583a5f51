import type { Activity } from '../activity/index.ts';
import type { AccountNews } from '../channels/index.ts';
import type { Consent, ConsentDraft } from '../consent/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';

interface Sender {
  readonly contactId: string;
  readonly addressId: string;
}

export interface AccountNewsDeps {
  readonly clock: Clock;
  readonly events: Pick<Activity, 'append'>;
  readonly consent: Pick<Consent, 'consentsOf' | 'record'>;
  findSender(tx: Tx, kind: 'email' | 'phone', value: string): Promise<Sender | undefined>;
}

/**
 * What vendors tell of an account, and of what people decided with the vendor's own controls. A person is named in the event
 * log by contact, never by number. Who stops advertising on WhatsApp withdraws the consents of that channel; service messages
 * and one-time codes, which need none, go on, and so do other channels.
 */
export function createAccountNews(deps: AccountNewsDeps) {
  return async (tx: Tx, accountId: string, news: readonly AccountNews[]): Promise<void> => {
    const drafts = [];
    for (const { kind, at, data, about } of news) {
      const sender = about === undefined ? undefined : await deps.findSender(tx, 'phone', about);
      if (sender !== undefined && kind === 'marketing-preference' && data['wish'] === 'stop')
        await stopMarketing(deps, tx, sender);
      const of = { kind: `account.${kind}`, occurredAt: Temporal.Instant.from(at), contactId: sender?.contactId };
      drafts.push({ ...of, data: { ...data, account: accountId } });
    }
    if (drafts.length > 0) await deps.events.append(tx, drafts);
  };
}

async function stopMarketing(deps: AccountNewsDeps, tx: Tx, { contactId, addressId }: Sender): Promise<void> {
  const standing = await deps.consent.consentsOf(tx, [addressId]);
  const drafts = standing
    .filter((one) => one.channel === 'whatsapp' && one.state !== 'withdrawn')
    .map(({ topicId }): ConsentDraft => {
      const source = 'whatsapp-preference';
      const what = { channel: 'whatsapp', topicId, action: 'withdraw', basis: 'consent' } as const;
      return { contactId, addressId, ...what, source, actor: 'contact', evidence: { source }, at: deps.clock.now() };
    });
  if (drafts.length > 0) await deps.consent.record(tx, drafts);
}
