import { describe, expect, it } from 'vitest';
import { toldBy } from './mail.rules.ts';
import type { CameBack } from './mail.rules.ts';

const mail: CameBack = {
  messageId: 'm1',
  key: 'k',
  receivedAt: '2026-02-01T10:00:00Z',
  returned: [],
  from: 'ada@example.com',
  to: 'b@returns.example',
  text: 'Thanks!',
};
const told = (returned: CameBack['returned'], more: Partial<CameBack> = {}) => toldBy({ ...mail, ...more, returned });
const kinds = (returned: CameBack['returned']) => told(returned).receipts.map(({ kind, category }) => [kind, category]);

describe('a mail that came back', () => {
  it('ends the address only when the address is the reason', () => {
    expect(kinds([{ class: 'hard', reason: 'no such user' }])).toEqual([['bounced', 'address']]);
    expect(kinds([{ class: 'soft', reason: 'mailbox full' }])).toEqual([['bounced', 'transient']]);
  });

  it('that says it is still being tried changes nothing yet', () => {
    expect(kinds([{ class: 'soft', isDelay: true, reason: 'not yet' }])).toEqual([['deferred', 'transient']]);
  });

  it('with a complaint counts as one; with a wish to leave as that; a test of signatures as neither', () => {
    const complaint = (feedback: string) => kinds([{ class: 'complaint', reason: '', feedback }]);
    expect(complaint('abuse')).toEqual([['complained', undefined]]);
    expect(complaint('opt-out')).toEqual([['unsubscribed', undefined]]);
    expect(complaint('auth-failure')).toEqual([]);
    expect(complaint('not-spam')).toEqual([]);
  });

  it('shows no whole address in its reason', () => {
    const { receipts } = told([{ class: 'hard', reason: '550 <ada@example.com>: no such\r\n user' }]);
    expect(receipts[0]?.reason).toBe('550 <a•••@example.com>: no such user');
  });

  it('that a person wrote is a reply to the message; an absence is one by a machine; a failure is none', () => {
    expect(told([]).inbound).toMatchObject([{ from: 'ada@example.com', text: 'Thanks!', inReplyTo: 'm1' }]);
    expect(told([{ class: 'auto-reply', reason: 'Away' }]).inbound).toMatchObject([{ isAutomatic: true }]);
    expect(told([{ class: 'hard', reason: 'x' }]).inbound).toEqual([]);
    expect(told([], { from: '' }).inbound).toEqual([]);
  });
});
