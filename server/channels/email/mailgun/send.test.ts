import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import type { MergeShape, OutgoingEmail } from '../../port.ts';
import { email } from '../../testing.ts';
import { validatorFor } from '../../testing-spec.ts';
import { callbackOf, playedCallbackUrl } from '../testing-http.ts';
import type { PlayedMail } from '../testing-http.ts';
import { from, idOf, inboxOf, merged, shape, together as sendTogether } from '../testing-merge.ts';
import { mailgunProvider } from './provider.ts';
import { mailgunReceipts } from './receipts.ts';
import type { MailgunAccount } from './send.ts';
import { startMailgun } from './testing.ts';

const judge = validatorFor('specs/mailgun/mailgun_openapi.yaml', 'post', '/v3/{domain_name}/messages') ?? (() => []);
const judgeAnswer =
  validatorFor('specs/mailgun/mailgun_openapi.yaml', 'post', '/v3/{domain_name}/messages', { status: 200 }) ??
  (() => []);

let vendor: PlayedMail;
beforeEach(async () => {
  vendor = await startMailgun();
});
afterEach(() => vendor.close());

const account = () => vendor.account() as MailgunAccount;
const open = (change: Partial<MailgunAccount['settings']> = {}) =>
  mailgunProvider.create({ ...account(), settings: { ...account().settings, ...change } }, vendor.open());
const together = (messages: readonly OutgoingEmail[]) => sendTogether(open(), messages);

/** A form, read by Node, as the specification describes it: fields that may repeat are lists. */
async function formOf(place = 0): Promise<Record<string, string | string[]>> {
  const { headers, body = Buffer.alloc(0) } = vendor.requests[place] ?? {};
  const type = headers?.['content-type'] ?? '';
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of form) if (typeof value === 'string') fields[name] = value;
  return { ...fields, to: form.getAll('to').map(String) };
}

describe('one message', () => {
  it('is a request as the specification has it, and arrives as what was meant', async () => {
    const message = merged(1, undefined, { replyTo: { address: 'help@example.com', name: 'Help' } });
    expect(await open().send(message)).toEqual({ kind: 'accepted', ref: `${idOf(1)}@example.com` });
    const form = await formOf();
    expect(judge(form)).toEqual([]);
    expect(form['o:tracking']).toBe('no');
    expect(vendor.requests[0]?.path).toBe('/v3/mg.sandbox.example/messages');
    const [only] = await inboxOf(vendor);
    expect(only?.mail.messageId).toBe(idOf(1));
    expect(only?.parsed).toMatchObject({
      subject: message.subject,
      messageId: `<${idOf(1)}@example.com>`,
      text: message.text,
      html: message.html,
    });
    expect(only?.parsed.from?.value).toEqual([from]);
    expect(only?.parsed.replyTo?.value).toEqual([{ address: 'help@example.com', name: 'Help' }]);
    expect(only?.line('list-unsubscribe')).toBe('List-Unsubscribe: <https://mail.example.com/u/1>');
    expect(only?.line('list-unsubscribe-post')).toBe('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    expect(only?.line('feedback-id')).toBe('Feedback-ID: camp1:acme:parley');
  });

  it.each([
    ['refuse@example.com', { kind: 'refused', category: 'address', code: '400/to' }],
    ['throttle@example.com', { kind: 'retry', category: 'throttled', code: '429', afterMs: 7_000 }],
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
    const wrong = { ...account(), secrets: { apiKey: 'key-wrong' } };
    const sent = await mailgunProvider.create(wrong, vendor.open()).send(email());
    expect(sent).toMatchObject({ kind: 'refused', category: 'account', code: '401' });
    expect(JSON.stringify(sent)).not.toContain('key-wrong');
  });

  it('with headers beyond what Mailgun takes is refused here', async () => {
    const long = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`X-Long-${n}`, 'y'.repeat(890)]));
    expect(await open().send(email('ada@example.com', { headers: long }))).toMatchObject({
      kind: 'refused',
      category: 'content',
    });
    expect(vendor.requests).toEqual([]);
  });

  it('goes to the region of the domain', () => {
    const settings = { ...account().settings, baseUrl: null };
    const hosts = (['us', 'eu'] as const).map((region) => {
      const calls: string[] = [];
      const http = {
        ...vendor.open().http,
        call: ({ url }: { url: string }) => (calls.push(url), new Promise<never>(() => {})),
      };
      void mailgunProvider
        .create({ ...account(), settings: { ...settings, region } }, { ...vendor.open(), http })
        .send(email());
      return calls;
    });
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      expect(hosts.flat()).toEqual([
        'https://api.mailgun.net/v3/mg.sandbox.example/messages',
        'https://api.eu.mailgun.net/v3/mg.sandbox.example/messages',
      ]);
    });
  });
});

it('a gateway that is too busy says how long to wait in its headers', async () => {
  const answer = { status: 429, headers: { 'retry-after': '9' }, body: '<html>slow down</html>' };
  const http = {
    ...vendor.open().http,
    call: async () => ({ kind: 'answer' as const, ...answer, body: Buffer.from(answer.body) }),
  };
  const sent = await mailgunProvider.create(account(), { ...vendor.open(), http }).send(email());
  expect(sent).toMatchObject({ kind: 'retry', category: 'throttled', code: '429', afterMs: 9_000 });
});

describe('many messages', () => {
  it('of one shape go in one request, and each arrives as if it had gone alone', async () => {
    const messages = Array.from({ length: 64 }, (_, n) => merged(n));
    const results = await together(messages);
    expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(vendor.requests).toHaveLength(1);
    const form = await formOf();
    expect(judge(form)).toEqual([]);
    expect(form['to']).toHaveLength(64);
    const arrived = await inboxOf(vendor);
    expect(arrived.map(({ mail }) => mail.messageId)).toEqual(messages.map(({ messageId }) => messageId));
    for (const [n, { parsed, line }] of arrived.entries()) {
      expect(parsed).toMatchObject({ subject: messages[n]?.subject, text: messages[n]?.text, html: messages[n]?.html });
      expect(line('list-unsubscribe')).toBe(`List-Unsubscribe: <https://mail.example.com/u/${n}>`);
    }
  });

  it('with what Mailgun would take for a place holder go alone', async () => {
    const hostile: MergeShape = { subject: ['Hi'], text: ['Your %recipient.id% and ', 0] };
    const beside: MergeShape = { subject: ['Hi'], text: ['You save ', 0, '%'] };
    const one = (n: number, of: MergeShape, text: string) =>
      merged(n, undefined, { text, merge: { shape: of, values: ['5'] } });
    await together([
      one(1, hostile, 'Your %recipient.id% and 5'),
      one(2, hostile, 'Your %recipient.id% and 5'),
      one(3, beside, 'You save 5%'),
      one(4, beside, 'You save 5%'),
      merged(5, undefined, { merge: { shape, values: ['%unsubscribe_url%', '', ''] } }),
      merged(6),
    ]);
    expect(vendor.requests).toHaveLength(6);
    expect(
      (await inboxOf(vendor))
        .map(({ parsed }) => parsed.text)
        .toSorted()
        .slice(-4),
    ).toEqual(['You save 5%', 'You save 5%', 'Your %recipient.id% and 5', 'Your %recipient.id% and 5']);
  });

  it('with other headers go alone, so that none comes empty', async () => {
    await together([merged(1), merged(2), merged(3, undefined, { headers: { 'X-Other': 'x' } })]);
    expect(vendor.requests).toHaveLength(2);
    expect((await inboxOf(vendor)).filter(({ line }) => line('x-campaign') !== undefined)).toHaveLength(2);
  });

  it('do not suffer from one that is refused', async () => {
    const results = await together([
      merged(1),
      merged(2, 'refuse@example.com'),
      merged(3),
      merged(4, 'not an address'),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'accepted', 'refused']);
    expect(vendor.kept.map(({ to }) => to).toSorted()).toEqual(['person1@example.com', 'person3@example.com']);
  });

  it('are all put off, or all in doubt, when the request is', async () => {
    expect(await together([merged(1), merged(2, 'throttle@example.com')])).toMatchObject([
      { kind: 'retry' },
      { kind: 'retry' },
    ]);
    vendor.plays('hang-up');
    expect(await together([merged(1), merged(2)])).toMatchObject([{ kind: 'unknown' }, { kind: 'unknown' }]);
    expect(vendor.kept).toEqual([]);
  });
});

describe('what Mailgun tells', () => {
  const verify = (callback: Parameters<typeof mailgunReceipts.verify>[1], hoursLater = 0) =>
    mailgunReceipts.verify(
      account(),
      callback,
      vendor.open(createVirtualClock(Temporal.Now.instant().add({ hours: hoursLater }).toString())),
    );

  it('is believed when it is signed, and read as what became of the message', async () => {
    await together([
      merged(1),
      merged(2, 'bounce@example.com'),
      merged(3, 'complain@example.com'),
      merged(4, 'block@example.com'),
    ]);
    const callbacks = vendor.callbacks();
    for (const callback of callbacks)
      expect(await verify(callback)).toMatchObject({ kind: 'genuine', once: expect.any(String) });
    const receipts = callbacks.flatMap((callback) => mailgunReceipts.read(callback).receipts);
    const of = (n: number) =>
      receipts.filter(({ messageId }) => messageId === idOf(n)).map(({ kind, category }) => category ?? kind);
    expect([of(1), of(2), of(3), of(4)]).toEqual([
      ['accepted', 'delivered'],
      ['accepted', 'address'],
      ['accepted', 'delivered', 'complained'],
      ['accepted', 'content'],
    ]);
  });

  it('is not believed when the signature does not fit, is old, or the account has no key', async () => {
    await open().send(merged(1));
    const [callback] = vendor.callbacks();
    if (callback === undefined) throw new Error('nothing was told');
    const body = JSON.parse(callback.body.toString()) as { signature: { token: string } };
    const other = { ...body, signature: { ...body.signature, token: `${body.signature.token}0` } };
    expect(await verify({ ...callback, body: Buffer.from(JSON.stringify(other)) })).toMatchObject({ kind: 'forged' });
    expect(await verify({ ...callback, body: Buffer.from('{}') })).toMatchObject({ kind: 'forged' });
    expect(await verify(callback, 10)).toMatchObject({ kind: 'forged', reason: 'signed too long ago' });
    expect(await verify(callback, -1)).toMatchObject({ kind: 'forged' });
    const keyless = { ...account(), secrets: {} };
    expect(await mailgunReceipts.verify(keyless, callback, vendor.open())).toMatchObject({ kind: 'forged' });
  });

  it('comes from the inbox of the sandbox as well', async () => {
    await open().send(merged(1));
    const [mail] = vendor.kept;
    if (mail === undefined) throw new Error('nothing was kept');
    const { createMailgunVendor } = await import('../../../sandbox/vendors/mailgun.ts');
    const kept = { ...mail, workspaceId: account().workspaceId, callbackUrl: playedCallbackUrl };
    const draft = await createMailgunVendor().act?.(kept, { kind: 'bounce' }, vendor.desk);
    if (draft === undefined) throw new Error('nothing was told');
    expect(await verify(callbackOf(draft))).toMatchObject({ kind: 'genuine' });
    expect(mailgunReceipts.read(callbackOf(draft)).receipts).toMatchObject([
      { kind: 'bounced', category: 'address', code: '5.1.1', messageId: idOf(1) },
    ]);
  });
});

describe('an account', () => {
  it('is tested without sending anything', async () => {
    const test = (change: Partial<MailgunAccount> = {}) =>
      mailgunProvider.test({ ...account(), ...change }, vendor.open());
    expect(await test()).toMatchObject({
      ok: true,
      steps: [{ name: 'connect' }, { name: 'auth' }, { name: 'domain' }],
    });
    expect(await test({ secrets: { apiKey: 'key-wrong' } })).toMatchObject({
      ok: false,
      steps: [{ ok: true }, { name: 'auth', ok: false }],
    });
    expect(vendor.kept).toEqual([]);
  });

  it('can be asked about a message whose answer never came', async () => {
    await together([merged(1), merged(2)]);
    await open().send(merged(3));
    const deps = vendor.open();
    const ask = (n: number, hoursAgo: number, to = `person${n}@example.com`) =>
      mailgunProvider.lookUp?.(
        account(),
        { messageId: idOf(n), to, sentAfter: Temporal.Now.instant().subtract({ hours: hoursAgo }) },
        deps,
      );
    expect(await ask(1, 1)).toMatchObject({ kind: 'accepted', ref: expect.stringContaining('@mg.sandbox.example') });
    expect(await ask(3, 1)).toEqual({ kind: 'accepted', ref: `${idOf(3)}@example.com` });
    expect(await ask(4, 1)).toEqual({ kind: 'absent' });
    expect(await ask(2, 1, 'person1@example.com')).toEqual({ kind: 'absent' });
    expect(await ask(4, 0)).toMatchObject({ kind: 'unclear' });
    vendor.plays('hang-up');
    expect(await ask(1, 1)).toMatchObject({ kind: 'unclear' });
  });
});

it('the played vendor answers as the specification has it', async () => {
  const authorization = `Basic ${Buffer.from(`api:${account().secrets.apiKey}`).toString('base64')}`;
  const form = new FormData();
  for (const [name, value] of [
    ['from', 'a@example.com'],
    ['to', 'b@example.com'],
    ['subject', 's'],
    ['text', 't'],
  ] as const)
    form.append(name, value);
  const answer = await fetch(`${vendor.origin}/v3/mg.sandbox.example/messages`, {
    method: 'POST',
    body: form,
    headers: { authorization },
  });
  expect(judgeAnswer(await answer.json())).toEqual([]);
});
