import type { Activity } from '../activity/index.ts';
import type { InboundMessage } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import type { Vault } from '../platform/sealing.ts';
import { insertInbound } from './callback.store.ts';

/** An address that may be known. */
interface Sender {
  readonly contactId: string;
  readonly addressId: string;
}

export interface RepliesDeps {
  readonly clock: Clock;
  readonly vault: Pick<Vault, 'keys'>;
  readonly events: Pick<Activity, 'append'>;
  findSender(tx: Tx, kind: 'email' | 'phone', value: string): Promise<Sender | undefined>;
  /** The message of ours that has this id at the vendor's. */
  messageOf(tx: Tx, accountId: string, ref: string): Promise<string | undefined>;
  /** Everything sent to the address ends: the person wrote so. */
  optOut(tx: Tx, sender: Sender, evidence: { readonly source: string; readonly messageId?: string }): Promise<void>;
}

/**
 * Keeps what people write, sealed, and tells the event log. Who wrote is looked up; a stranger's words are kept all the
 * same. A word that means stop is obeyed before anything else is handed over.
 */
export function createReplies(deps: RepliesDeps) {
  return async (tx: Tx, accountId: string, reply: InboundMessage): Promise<void> => {
    const kind = reply.channel === 'email' ? 'email' : 'phone';
    const sender = await deps.findSender(tx, kind, reply.from);
    const inReplyTo = reply.inReplyTo === undefined ? undefined : await deps.messageOf(tx, accountId, reply.inReplyTo);
    const keys = await deps.vault.keys(tx);
    const id = newId(deps.clock);
    const isAutomatic = reply.isAutomatic === true;
    const { from, to, text, media, payload, name } = reply;
    await insertInbound(
      tx,
      {
        id,
        accountId,
        channel: reply.channel,
        contactId: sender?.contactId ?? null,
        addressId: sender?.addressId ?? null,
        senderHash: keys.blindIndex(kind, from.toLowerCase()).hash,
        sealed: keys.seal(JSON.stringify({ from, to, text, media, payload, name }), `inbound:${id}`),
        inReplyTo: inReplyTo ?? null,
        automatic: isAutomatic,
        keyword: reply.keyword ?? null,
        writtenAt: Temporal.Instant.from(reply.at),
      },
      deps.clock.now(),
    );
    await deps.events.append(tx, [
      {
        kind: 'message.received',
        occurredAt: Temporal.Instant.from(reply.at),
        contactId: sender?.contactId,
        messageId: inReplyTo,
        data: {
          inboundId: id,
          channel: reply.channel,
          account: accountId,
          ...(isAutomatic ? { automatic: true } : {}),
          ...(reply.keyword === undefined ? {} : { keyword: reply.keyword }),
          ...(payload === undefined ? {} : { payload: payload.slice(0, 200) }),
        },
      },
    ]);
    if (reply.keyword === 'stop' && sender !== undefined && !isAutomatic)
      await deps.optOut(tx, sender, {
        source: `${reply.channel}-keyword`,
        ...(inReplyTo === undefined ? {} : { messageId: inReplyTo }),
      });
  };
}
