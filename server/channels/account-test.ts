import { parsePushAddress } from '../../contract/push-address.ts';
import type { Db } from '../platform/db.ts';
import { invalidField } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { getAccount } from './accounts.ts';
import type { AccountsDeps } from './accounts.ts';
import type { Channel, Mailbox, Outgoing, TestResult } from './port.ts';
import { providerAccount } from './senders.ts';

/** Connects and signs in outside of any transaction: a server may take its time. With `sendTo`, one message goes there. */
export async function testAccount(
  deps: AccountsDeps,
  db: Db,
  workspaceId: string,
  id: string,
  sendTo?: string,
): Promise<TestResult> {
  const { row, made } = await db.read(workspaceId, async (tx) => {
    const found = await getAccount(tx, id);
    return { row: found, made: await providerAccount(deps.vault, tx, found, deps.provide.sandbox) };
  });
  const message =
    sendTo === undefined ? undefined : testMessage(row.channel, newId(deps.clock), row.sender.from, sendTo);
  const tested = await made.provider.test(made.account, deps.provide);
  if (!tested.ok || message === undefined) return tested;
  const sent = typeof message === 'string' ? message : await handOver(deps, made, message);
  const step = { name: 'send', ok: sent === undefined, detail: sent ?? 'the test message was taken' };
  return { ok: step.ok, steps: [...tested.steps, step] };
}

const words = 'This is a test of an account in Parley. If you can read it, the account works.';

/** The message, or why there can be none; an address that is none is refused. */
export function testMessage(
  channel: Channel,
  messageId: string,
  from: Mailbox | undefined,
  to: string,
): Outgoing | string {
  switch (channel) {
    case 'email':
      if (!/^[^\s@]+@[^\s@]+$/.test(to)) throw invalidField('/to', 'is not an e-mail address');
      if (from === undefined) return 'the account has no From address';
      return { channel, messageId, to, from, subject: 'Test of your mail account', text: `${words}\n` };
    case 'sms':
      return { channel, messageId, to: numberIn(to), text: words, category: 'transactional' };
    case 'whatsapp': {
      // Every WhatsApp account has this template from the start; anything else needs a conversation, or an approval.
      const content = { kind: 'template', name: 'hello_world', language: 'en_US', body: [] } as const;
      return { channel, messageId, to: numberIn(to), category: 'utility', content };
    }
    case 'push': {
      const read = parsePushAddress(to);
      if (!read.ok) throw invalidField('/to', read.reason);
      const { token } = read.address;
      return { channel, messageId, token, title: 'Test of your push account', body: words, urgency: 'high' };
    }
    case 'inapp':
      return 'an in-app message goes to a contact: send a test of a template';
  }
}

function numberIn(to: string): string {
  const number = to.replace(/[\s().-]/g, '');
  if (!/^\+[1-9]\d{6,14}$/.test(number))
    throw invalidField('/to', 'must be a number with its country code, such as +4915112345678');
  return number;
}

/** Undefined when the vendor took it, otherwise what it said. */
async function handOver(
  deps: AccountsDeps,
  made: Awaited<ReturnType<typeof providerAccount>>,
  message: Outgoing,
): Promise<string | undefined> {
  const sender = made.provider.create(made.account, deps.provide);
  const result = await sender.send(message);
  await sender.close();
  switch (result.kind) {
    case 'accepted':
      return undefined;
    case 'unknown':
      return `no answer: ${result.cause}`;
    case 'refused':
    case 'retry':
      return result.reason;
  }
}
