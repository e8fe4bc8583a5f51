import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import type { MergeShape, OutgoingEmail } from '../../port.ts';
import { email } from '../../testing.ts';
import { validatorFor } from '../../testing-spec.ts';
import { callbackOf, playedCallbackUrl } from '../testing-http.ts';
import type { PlayedMail } from '../testing-http.ts';
import { from, idOf, inboxOf, merged, shape, together as sendTogether } from '../testing-merge.ts';
import { sendGridProvider } from './provider.ts';
import type { SendGridAccount } from './send.ts';
import { sendGridReceipts } from './receipts.ts';
import { startSendGrid } from './testing.ts';

const judge = validatorFor('specs/sendgrid/tsg_mail_v3.json', 'post', '/v3/mail/send', { closed: true }) ?? (() => []);

let vendor: PlayedMail;
beforeEach(async () => {
  vendor = await startSendGrid();
});
afterEach(() => vendor.close());

const account = () => vendor.account() as SendGridAccount;
const open = (change: Partial<SendGridAccount['settings']> = {}) =>
  sendGridProvider.create({ ...account(), settings: { ...account().settings, ...change } }, vendor.open());
const together = (messages: readonly OutgoingEmail[], sender = open()) => sendTogether(sender, messages);
const inbox = () => inboxOf(vendor);

describe('one message', () => {
  it('is a request as the specification has it, and arrives as what was meant', async () => {
    const sent = await open({ ipPool: 'bulk' }).send({
      ...merged(1),
      replyTo: { address: 'help@example.com', name: 'Help' },
    });
    expect(sent).toMatchObject({ kind: 'accepted', ref: expect.stringMatching(/^[0-9a-f]{22}$/) });
    expect(judge(JSON.parse(vendor.heard[0] ?? ''))).toEqual([]);
    const [only] = await inbox();
    expect(only?.mail.messageId).toBe(idOf(1));
    expect(only?.parsed).toMatchObject({
      subject: 'Hello P1 $& -x- {{p1}}',
      messageId: `<${idOf(1)}@example.com>`,
      text: 'Hello P1 $& -x- {{p1}}: https://go.example/1',
      html: '<p>Hello P1 &amp; Co, <a href="https://go.example/1">go</a></p>',
    });
    expect(only?.parsed.from?.value).toEqual([from]);
    expect(only?.parsed.replyTo?.value).toEqual([{ address: 'help@example.com', name: 'Help' }]);
    expect(only?.line('list-unsubscribe')).toBe('List-Unsubscribe: <https://mail.example.com/u/1>');
    expect(only?.line('list-unsubscribe-post')).toBe('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    expect(only?.line('feedback-id')).toBe('Feedback-ID: camp1:acme:parley');
    expect(only?.parsed.headers.get('x-campaign')).toBe('=?UTF-8?B?Z3LDtsOfZQ==?=');
  });

  it('leaves opens, clicks and unsubscribing to Parley unless told otherwise', async () => {
    await open().send(email());
    await open({ vendorTracking: true }).send(email());
    const [own, theirs] = vendor.heard.map((body) => JSON.parse(body) as Record<string, unknown>);
    expect(own?.['tracking_settings']).toMatchObject({
      click_tracking: { enable: false },
      open_tracking: { enable: false },
      subscription_tracking: { enable: false },
    });
    expect(theirs).not.toHaveProperty('tracking_settings');
  });

  it('waits as long as SendGrid says', async () => {
    const sent = await open().send(email('throttle@example.com'));
    expect(sent).toMatchObject({ kind: 'retry', category: 'throttled', code: '429' });
    const { afterMs } = sent as { afterMs: number };
    expect(afterMs).toBeGreaterThan(5_000);
    expect(afterMs).toBeLessThanOrEqual(8_000);
  });

  it.each([
    ['refuse@example.com', { kind: 'refused', category: 'address', code: '400/to' }],
    ['burst@example.com', { kind: 'retry', category: 'provider-down', code: '500' }],
    ['defer@example.com', { kind: 'retry', category: 'provider-down', code: '503' }],
    ['malformed@example.com', { kind: 'unknown', code: 'malformed' }],
    ['ada@exämple.com', { kind: 'accepted' }],
    ['ädä@example.com', { kind: 'refused', category: 'content', code: '5.6.7' }],
    ['no address', { kind: 'refused', category: 'address' }],
  ])('to %s', async (to, result) => {
    expect(await open().send(email(to))).toMatchObject(result);
  });

  it('with a wrong key stops the account', async () => {
    const wrong = { ...account(), secrets: { apiKey: 'SG.wrong' } };
    const sent = await sendGridProvider.create(wrong, vendor.open()).send(email());
    expect(sent).toMatchObject({ kind: 'refused', category: 'account', code: '401' });
    expect(JSON.stringify(sent)).not.toContain('SG.wrong');
  });

  it('that is given up before its turn never leaves', async () => {
    const over = new AbortController();
    over.abort();
    expect(await open().send(email(), over.signal)).toMatchObject({ kind: 'retry', code: 'aborted' });
    const sender = open({ maxConnections: 1 });
    const slow = sender.send(email('slow@example.com'));
    const late = new AbortController();
    const waiting = sender.send(email(), late.signal);
    late.abort();
    expect(await waiting).toMatchObject({ kind: 'retry', code: 'aborted' });
    const closing = sender.close();
    expect(await sender.send(email())).toMatchObject({ kind: 'retry', code: 'closed' });
    expect(await slow).toMatchObject({ kind: 'accepted' });
    await closing;
    expect(vendor.heard).toHaveLength(1);
  });
});

it('a gateway that is too busy says how long to wait in its headers', async () => {
  const answer = { status: 429, headers: { 'retry-after': '9' }, body: '<html>slow down</html>' };
  const http = {
    ...vendor.open().http,
    call: async () => ({ kind: 'answer' as const, ...answer, body: Buffer.from(answer.body) }),
  };
  const sent = await sendGridProvider.create(account(), { ...vendor.open(), http }).send(email());
  expect(sent).toMatchObject({ kind: 'retry', category: 'throttled', code: '429', afterMs: 9_000 });
});

describe('many messages', () => {
  it('of one shape go in one request, and each arrives as if it had gone alone', async () => {
    const messages = Array.from({ length: 64 }, (_, n) => merged(n));
    const results = await together(messages);
    expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(vendor.heard).toHaveLength(1);
    expect(judge(JSON.parse(vendor.heard[0] ?? ''))).toEqual([]);
    const arrived = await inbox();
    expect(arrived.map(({ mail }) => mail.messageId)).toEqual(messages.map(({ messageId }) => messageId));
    for (const [n, { parsed }] of arrived.entries()) {
      expect(parsed).toMatchObject({ subject: messages[n]?.subject, text: messages[n]?.text, html: messages[n]?.html });
      expect(parsed.headers.get('list')).toMatchObject({ unsubscribe: { url: `https://mail.example.com/u/${n}` } });
    }
  });

  it('are parted by shape, by sender, and where an address comes twice', async () => {
    const other: MergeShape = { subject: ['Other'], text: ['Other'] };
    const results = await together([
      merged(1),
      { ...merged(2), from: { address: 'other@example.com' } },
      merged(3),
      { ...merged(4), subject: 'Other', text: 'Other', merge: { shape: other, values: [] } },
      merged(5, 'Person1@example.com'),
      email('alone@example.com', { messageId: idOf(6) }),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(Array.from({ length: 6 }, () => 'accepted'));
    const counts = vendor.heard.map(
      (body) => (JSON.parse(body) as { personalizations: unknown[] }).personalizations.length,
    );
    expect(counts.toSorted()).toEqual([1, 1, 1, 1, 2]);
    expect(new Set(vendor.kept.map(({ messageId }) => messageId)).size).toBe(6);
  });

  it('do not suffer from one that is refused: the others go, and only once', async () => {
    const results = await together([
      merged(1),
      merged(2, 'refuse@example.com'),
      merged(3),
      merged(4, 'not an address'),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'accepted', 'refused']);
    expect(results[1]).toMatchObject({ category: 'address', code: '400/to' });
    expect(vendor.kept.map(({ to }) => to)).toEqual(['person1@example.com', 'person3@example.com']);
  });

  it('are all put off, or all in doubt, when the request is', async () => {
    const put = await together([merged(1), merged(2, 'throttle@example.com')]);
    expect(put.map(({ kind }) => kind)).toEqual(['retry', 'retry']);
    vendor.plays('hang-up');
    const doubt = await together([merged(1), merged(2)]);
    expect(doubt).toMatchObject([{ kind: 'unknown' }, { kind: 'unknown' }]);
    expect(vendor.kept).toEqual([]);
  });

  it('with values longer than SendGrid substitutes go alone', async () => {
    const long = merged(1);
    const values = ['x'.repeat(9_600), '', ''];
    await together([{ ...long, merge: { shape, values } }, merged(2), merged(3)]);
    expect(vendor.heard).toHaveLength(2);
  });
});

describe('what SendGrid tells', () => {
  const verify = (
    callback: Parameters<typeof sendGridReceipts.verify>[1],
    at = createVirtualClock(Temporal.Now.instant().toString()),
  ) => sendGridReceipts.verify(account(), callback, vendor.open(at));

  it('is believed when it is signed, and read as what became of the message', async () => {
    await together([
      merged(1),
      merged(2, 'bounce@example.com'),
      merged(3, 'complain@example.com'),
      merged(4, 'block@example.com'),
    ]);
    const callbacks = vendor.callbacks();
    for (const callback of callbacks) expect(await verify(callback)).toMatchObject({ kind: 'genuine' });
    const receipts = callbacks.flatMap((callback) => sendGridReceipts.read(callback).receipts);
    const of = (n: number) =>
      receipts.filter(({ messageId }) => messageId === idOf(n)).map(({ kind, category }) => category ?? kind);
    expect([of(1), of(2), of(3), of(4)]).toEqual([
      ['accepted', 'delivered'],
      ['accepted', 'address'],
      ['accepted', 'delivered', 'complained'],
      ['accepted', 'content'],
    ]);
    expect(new Set(receipts.map(({ key }) => key)).size).toBe(receipts.length);
    expect(callbacks[0]?.url).toBe(playedCallbackUrl);
  });

  it('is not believed when it was changed, is old, or the account has no key', async () => {
    await open().send(merged(1));
    const [callback] = vendor.callbacks();
    if (callback === undefined) throw new Error('nothing was told');
    const later = (hours: number) => createVirtualClock(Temporal.Now.instant().add({ hours }).toString());
    expect(
      await verify({ ...callback, body: Buffer.from(callback.body.toString().replace('processed', 'delivered')) }),
    ).toMatchObject({ kind: 'forged' });
    expect(await verify(callback, later(26))).toMatchObject({ kind: 'forged', reason: 'signed too long ago' });
    expect(await verify(callback, later(2))).toMatchObject({ kind: 'genuine' });
    expect(await verify(callback, later(-2))).toMatchObject({ kind: 'forged' });
    expect(await verify({ ...callback, headers: {} })).toMatchObject({ kind: 'forged' });
    const keyless = { ...account(), settings: { ...account().settings, webhookPublicKey: null } };
    expect(await sendGridReceipts.verify(keyless, callback, vendor.open())).toMatchObject({ kind: 'forged' });
  });

  it('comes from the inbox of the sandbox as well', async () => {
    await open().send(merged(1));
    const [mail] = vendor.kept;
    if (mail === undefined) throw new Error('nothing was kept');
    const { createSendGridVendor } = await import('../../../sandbox/vendors/sendgrid.ts');
    const kept = { ...mail, workspaceId: account().workspaceId, callbackUrl: playedCallbackUrl };
    const draft = await createSendGridVendor().act?.(kept, { kind: 'complain' }, vendor.desk);
    if (draft === undefined) throw new Error('nothing was told');
    expect(await verify(callbackOf(draft))).toMatchObject({ kind: 'genuine' });
    expect(sendGridReceipts.read(callbackOf(draft)).receipts).toMatchObject([
      { kind: 'complained', messageId: idOf(1) },
    ]);
  });
});

describe('an account', () => {
  const test = (change: Partial<SendGridAccount> = {}) =>
    sendGridProvider.test({ ...account(), ...change }, vendor.open());

  it('is tested without sending anything', async () => {
    expect(await test()).toMatchObject({
      ok: true,
      steps: [{ name: 'connect' }, { name: 'auth' }, { name: 'permission' }],
    });
    expect(await test({ secrets: { apiKey: 'SG.wrong' } })).toMatchObject({
      ok: false,
      steps: [{ ok: true }, { name: 'auth', ok: false }],
    });
    expect(vendor.kept).toEqual([]);
    await vendor.close();
    expect(await test()).toMatchObject({ ok: false, steps: [{ name: 'connect', ok: false }] });
    vendor = await startSendGrid();
  });

  it('can be asked about a message whose answer never came, where the add-on is booked', async () => {
    await open().send(merged(1));
    const deps = vendor.open();
    const ask = (n: number, hoursAgo: number, settings = account().settings) =>
      sendGridProvider.lookUp?.(
        { ...account(), settings },
        {
          messageId: idOf(n),
          to: 'person1@example.com',
          sentAfter: Temporal.Now.instant().subtract({ hours: hoursAgo }),
        },
        deps,
      );
    expect(await ask(1, 1)).toMatchObject({ kind: 'accepted', ref: expect.stringMatching(/^[0-9a-f]{22}$/) });
    expect(await ask(2, 1)).toEqual({ kind: 'absent' });
    expect(await ask(2, 0)).toMatchObject({ kind: 'unclear' });
    expect(await ask(1, 1, { ...account().settings, emailActivity: false })).toMatchObject({ kind: 'unclear' });
  });
});
