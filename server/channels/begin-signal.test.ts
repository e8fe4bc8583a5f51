import { describe, expect, test } from 'vitest';
import { createHttpSender } from './email/http-sender.ts';
import type { BeginSignal, Outgoing, Sender, SendResult } from './port.ts';
import { createPushSender } from './push/sender.ts';
import { createSmsSender } from './sms/sender.ts';
import { createWhatsAppSender } from './whatsapp/sender.ts';

/** Says when it is asked, and tells nobody by itself: as the lease of a process that was stopped for a while. */
function silentSignal(): BeginSignal & { over: boolean } {
  return {
    over: false,
    get aborted() {
      return this.over;
    },
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  };
}

const log = { info: () => undefined, warn: () => undefined };
type Hand = () => Promise<SendResult>;
const senders: readonly (readonly [string, (hand: Hand) => Sender, (n: number) => Outgoing])[] = [
  [
    'e-mail over HTTP',
    (hand) => createHttpSender({ capacity: 1, log, one: hand }),
    (n) => ({
      channel: 'email',
      messageId: `m${n}`,
      to: 'ada@example.com',
      from: { address: 'news@example.com' },
      subject: 's',
      text: 't',
    }),
  ],
  [
    'SMS',
    (hand) => createSmsSender({ capacity: 1, log, hand, limits: { maxLength: 1_600, maxMedia: 0 } }),
    (n) => ({ channel: 'sms', messageId: `m${n}`, to: '+4915112345678', text: 't', category: 'transactional' }),
  ],
  [
    'WhatsApp',
    (hand) => createWhatsAppSender({ capacity: 1, log, hand }),
    (n) => ({
      channel: 'whatsapp',
      messageId: `m${n}`,
      to: '+4915112345678',
      category: 'service',
      content: { kind: 'text', body: 't' },
    }),
  ],
  [
    'push',
    (hand) => createPushSender({ capacity: 1, hand }),
    (n) => ({ channel: 'push', messageId: `m${n}`, token: 't', title: 't', body: 'b', urgency: 'normal' }),
  ],
];

describe('a message that waits for its turn', () => {
  test.each(senders)(
    'does not begin once it may not any more, and gives its turn to the next: %s',
    async (_name, open, message) => {
      const answers: ((result: SendResult) => void)[] = [];
      const sender = open(() => new Promise((settle) => answers.push(settle)));
      const lease = silentSignal();
      const first = sender.send(message(1), silentSignal());
      const second = sender.send(message(2), lease);
      const third = sender.send(message(3), silentSignal());
      while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
      lease.over = true;
      answers[0]?.({ kind: 'accepted', ref: 'a' });
      expect(await first).toMatchObject({ kind: 'accepted' });
      expect(await second).toMatchObject({ kind: 'retry', code: 'aborted' });
      while (answers.length === 1) await new Promise((resolve) => setImmediate(resolve));
      answers[1]?.({ kind: 'accepted', ref: 'c' });
      expect(await third).toMatchObject({ kind: 'accepted' });
      expect(answers).toHaveLength(2);
      await sender.close();
    },
  );
});
