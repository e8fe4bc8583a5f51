import type { ReadinessFacts, ReadinessItem } from '../port.ts';

/** What has to be in order before texts go out, as far as it can be told without asking the vendor. */

/** Pure: whether the vendor can report back to this Parley. */
export function callbackReadiness(publicOrigin: string, what: string): ReadinessItem {
  const { hostname, protocol } = new URL(publicOrigin);
  const isLocal = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
  const isFine = !isLocal && protocol === 'https:';
  return {
    key: 'callbacks',
    title: 'The provider can report back',
    state: isFine ? 'ok' : 'warning',
    detail: isFine ? `${what} come to ${publicOrigin}.` : `${what} cannot come to ${publicOrigin}.`,
    fix: isFine ? null : 'Give Parley a public address (https://…), so that deliveries and answers are seen.',
  };
}

/** Pure: whether there is anybody texts can come from. */
export function senderReadiness(count: number, pool: string | null): ReadinessItem {
  const isFine = count > 0 || pool !== null;
  return {
    key: 'sender',
    title: 'There is a sender',
    state: isFine ? 'ok' : 'problem',
    detail: isFine
      ? pool === null
        ? `${count} ${count === 1 ? 'sender is' : 'senders are'} set.`
        : `${pool} chooses the sender.`
      : 'No sender is set.',
    fix: isFine ? null : 'Enter a number, a short code or a name as the sender in the account’s settings.',
  };
}

/** Pure: both of them. */
export function smsReadiness(
  facts: Pick<ReadinessFacts, 'publicOrigin'>,
  sender: { readonly count: number; readonly pool: string | null },
): readonly ReadinessItem[] {
  return [senderReadiness(sender.count, sender.pool), callbackReadiness(facts.publicOrigin, 'Receipts and answers')];
}
