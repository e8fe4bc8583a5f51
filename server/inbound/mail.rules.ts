import type { InboundMessage, Receipt, Returned, Told } from '../channels/index.ts';

/** What came to the return path of a message. */
export interface CameBack {
  readonly messageId: string;
  /** Of the mail itself, so that the same one counts once. */
  readonly key: string;
  readonly receivedAt: string;
  readonly returned: readonly Returned[];
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** Feedback that nobody gave about a message: a test of signatures, a mistake taken back. */
const noComplaint = new Set(['auth-failure', 'not-spam', 'dkim']);
const mostText = 20_000;

/** Pure: what a mail that came back says, in the words of receipts. */
export function toldBy({ messageId, key, receivedAt, returned, from, to, text }: CameBack): Told {
  const base = { messageId, at: receivedAt };
  const receipts = returned.flatMap((one, place): Receipt[] => {
    const told = {
      ...base,
      key: `${key}:${place}`,
      reason: masked(one.reason),
      ...(one.status === undefined ? {} : { code: one.status }),
    };
    switch (one.class) {
      case 'hard':
        return [{ ...told, kind: 'bounced', category: 'address' }];
      case 'soft':
        return one.isDelay === true
          ? [{ ...told, kind: 'deferred', category: 'transient' }]
          : [{ ...told, kind: 'bounced', category: 'transient' }];
      case 'delivered':
        return [{ ...told, kind: 'delivered' }];
      case 'complaint':
        if (one.feedback === 'opt-out') return [{ ...told, kind: 'unsubscribed' }];
        return noComplaint.has(one.feedback ?? '') ? [] : [{ ...told, kind: 'complained' }];
      case 'auto-reply':
        return [];
    }
  });
  const isAutomatic = returned.some((one) => one.class === 'auto-reply');
  // Only what people (or machines for them) write is kept as a reply.
  const written: InboundMessage[] =
    from !== '' && (returned.length === 0 || isAutomatic)
      ? [
          {
            channel: 'email',
            key,
            from,
            to,
            text: text.slice(0, mostText),
            at: receivedAt,
            inReplyTo: messageId,
            ...(isAutomatic ? { isAutomatic } : {}),
          },
        ]
      : [];
  return { receipts, inbound: written, news: [] };
}

/** Servers repeat whole addresses in their words. */
function masked(text: string): string {
  return text
    .replace(/([^\s<>()"',;:@])[^\s<>()"',;:@]*@([^\s<>()"',;:]+)/g, '$1•••@$2')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 500);
}
