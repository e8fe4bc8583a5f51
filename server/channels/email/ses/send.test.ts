import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../platform/clock.ts';
import type { MergeShape, OutgoingEmail } from '../../port.ts';
import { email } from '../../testing.ts';
import { readContract, validatorFor } from '../../testing-spec.ts';
import { callbackOf, playedCallbackUrl } from '../testing-http.ts';
import type { PlayedMail } from '../testing-http.ts';
import { from, idOf, inboxOf, merged, shape, together as sendTogether } from '../testing-merge.ts';
import { sesProvider } from './provider.ts';
import { sesReceipts } from './receipts.ts';
import type { SesAccount } from './send.ts';
import { authority, startSes } from './testing.ts';

const spec = 'specs/aws/openapi/sesv2.openapi3.json';
const pass = () => [];
const judgeRaw = validatorFor(spec, 'post', '/v2/email/outbound-emails', { closed: true }) ?? pass;
/** The conversion is older than Amazon's model, which has templates in the request and headers of entries (botocore sesv2). */
const judgeBulk =
  validatorFor(spec, 'post', '/v2/email/outbound-bulk-emails', {
    closed: true,
    patch: (document) => {
      const schemas = (document['components'] as { schemas: Record<string, { properties: Record<string, unknown> }> })
        .schemas;
      const text = { type: 'string' };
      const headers = {
        type: 'array',
        maxItems: 15,
        items: {
          type: 'object',
          required: ['Name', 'Value'],
          properties: { Name: text, Value: { ...text, maxLength: 995, pattern: '^[ -~]*$' } },
        },
      };
      Object.assign(schemas['Template']?.properties ?? {}, {
        Headers: headers,
        TemplateContent: { type: 'object', properties: { Subject: text, Text: text, Html: text } },
      });
      Object.assign(schemas['BulkEmailEntry']?.properties ?? {}, { ReplacementHeaders: headers });
    },
  }) ?? pass;

let vendor: PlayedMail;
beforeEach(async () => {
  vendor = await startSes();
});
afterEach(() => vendor.close());

const account = () => vendor.account() as SesAccount;
const open = () => sesProvider.create(account(), vendor.open());
const together = (messages: readonly OutgoingEmail[]) => sendTogether(open(), messages);
const bodies = () => vendor.heard.map((body) => JSON.parse(body) as Record<string, unknown>);
const paths = () => vendor.requests.map(({ path }) => path);

it('Amazon’s model knows what the conversion of it does not', () => {
  const model = readContract<{ shapes: Record<string, { members?: object }> }>(
    'specs/aws/botocore/sesv2/2019-09-27/service-2.json',
  );
  if (model === undefined) return;
  expect(Object.keys(model.shapes['Template']?.members ?? {})).toContain('TemplateContent');
  expect(Object.keys(model.shapes['BulkEmailEntry']?.members ?? {})).toContain('ReplacementHeaders');
});

describe('one message', () => {
  it('goes as it was composed, signed, with our id as a tag', async () => {
    const message = merged(1, undefined, { replyTo: { address: 'help@example.com', name: 'Help' } });
    expect(await open().send(message)).toMatchObject({
      kind: 'accepted',
      ref: expect.stringMatching(/^0102[0-9a-f]{12}-.*-000000$/),
    });
    expect(judgeRaw(bodies()[0])).toEqual([]);
    expect(bodies()[0]).toMatchObject({
      ConfigurationSetName: 'parley-sandbox',
      EmailTags: [{ Name: 'parley-id', Value: idOf(1) }],
      Destination: { ToAddresses: ['person1@example.com'] },
    });
    const [only] = await inboxOf(vendor);
    expect(only?.mail).toMatchObject({
      messageId: idOf(1),
      title: message.subject,
      from: '"Größe, Inc." <news@example.com>'.replaceAll('"', ''),
    });
    expect(only?.parsed).toMatchObject({ subject: message.subject, text: message.text, html: message.html });
    expect(only?.parsed.from?.value).toEqual([from]);
    expect(only?.line('list-unsubscribe')).toBe('List-Unsubscribe: <https://mail.example.com/u/1>');
    expect(only?.line('list-unsubscribe-post')).toBe('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
  });

  it.each([
    ['refuse@example.com', { kind: 'refused', category: 'address', code: 'BadRequestException/address' }],
    [
      'throttle@example.com',
      { kind: 'retry', category: 'throttled', code: 'TooManyRequestsException', afterMs: 7_000 },
    ],
    ['burst@example.com', { kind: 'retry', category: 'provider-down', code: 'InternalFailure' }],
    ['defer@example.com', { kind: 'retry', category: 'provider-down', code: 'ServiceUnavailable' }],
    ['malformed@example.com', { kind: 'unknown', code: 'malformed' }],
    ['ada@exämple.com', { kind: 'accepted' }],
    ['ädä@example.com', { kind: 'refused', category: 'content', code: '5.6.7' }],
    ['no address', { kind: 'refused', category: 'address', code: '5.1.3' }],
  ])('to %s', async (to, result) => {
    expect(await open().send(email(to))).toMatchObject(result);
  });

  it.each([
    [{ secretAccessKey: 'wrong-secret-of-acme' }, 'InvalidSignatureException'],
    [{ accessKeyId: 'AKIAWRONG' }, 'UnrecognizedClientException'],
  ])('with %j stops the account', async (change, code) => {
    const wrong = { ...account(), secrets: { ...account().secrets, ...change } };
    const sent = await sesProvider.create(wrong, vendor.open()).send(email());
    expect(sent).toMatchObject({ kind: 'refused', category: 'account', code });
    expect(JSON.stringify(sent)).not.toContain('wrong-secret');
  });
});

it('a gateway that is too busy says how long to wait in its headers', async () => {
  const answer = { status: 429, headers: { 'retry-after': '9' }, body: '<html>slow down</html>' };
  const http = {
    ...vendor.open().http,
    call: async () => ({ kind: 'answer' as const, ...answer, body: Buffer.from(answer.body) }),
  };
  const sent = await sesProvider.create(account(), { ...vendor.open(), http }).send(email());
  expect(sent).toMatchObject({
    kind: 'retry',
    category: 'throttled',
    code: 'TooManyRequestsException',
    afterMs: 9_000,
  });
});

describe('many messages', () => {
  it('of one shape go fifty in a request, and each arrives as if it had gone alone', async () => {
    const messages = Array.from({ length: 64 }, (_, n) =>
      merged(n, undefined, { replyTo: { address: 'help@example.com' } }),
    );
    const results = await together(messages);
    expect(results.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(new Set(results.map((result) => (result.kind === 'accepted' ? result.ref : ''))).size).toBe(64);
    expect(paths()).toEqual(['/v2/email/outbound-bulk-emails', '/v2/email/outbound-bulk-emails']);
    for (const body of bodies()) expect(judgeBulk(body)).toEqual([]);
    const arrived = await inboxOf(vendor);
    const byId = new Map(arrived.map((one) => [one.mail.messageId, one]));
    for (const [n, { messageId, subject, text, html }] of messages.entries()) {
      const one = byId.get(messageId);
      expect(one?.parsed).toMatchObject({ subject, text, html });
      expect(one?.parsed.from?.value).toEqual([from]);
      expect(one?.parsed.replyTo?.value).toMatchObject([{ address: 'help@example.com' }]);
      expect(one?.line('list-unsubscribe')).toBe(`List-Unsubscribe: <https://mail.example.com/u/${n}>`);
    }
  });

  it('whose text could be read as a template go alone, as they are', async () => {
    const of = (n: number, text: MergeShape['text'], whole: string) =>
      merged(n, undefined, { text: whole, merge: { shape: { subject: ['Hi'], text }, values: ['v'] } });
    const cases: [MergeShape['text'], string][] = [
      [['Write {{name}} and ', 0], 'Write {{name}} and v'],
      [['a{', 0], 'a{v'],
      [['C:\\', 0], 'C:\\v'],
      [['a ', 0, '}'], 'a v}'],
    ];
    const messages = cases.flatMap(([text, whole], n) => [of(2 * n, text, whole), of(2 * n + 1, text, whole)]);
    await together(messages);
    expect(new Set(paths())).toEqual(new Set(['/v2/email/outbound-emails']));
    expect((await inboxOf(vendor)).map(({ parsed }) => parsed.text?.trim()).toSorted()).toEqual(
      messages.map(({ text }) => text).toSorted(),
    );
    // A shape is shared by identity: these two have the same text, but not the same shape.
    expect(await together([merged(20), merged(21)])).toMatchObject([{ kind: 'accepted' }, { kind: 'accepted' }]);
    expect(paths().at(-1)).toBe('/v2/email/outbound-bulk-emails');
  });

  it('do not suffer from one that is refused', async () => {
    const results = await together([
      merged(1),
      merged(2, 'refuse@example.com'),
      merged(3),
      merged(4, 'not an address'),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'accepted', 'refused']);
    expect(vendor.kept.map(({ to }) => to)).toEqual(['person1@example.com', 'person3@example.com']);
  });

  it('go one by one when the request as a whole is refused for its content', async () => {
    vendor.plays('refuse-content');
    expect(await together([merged(1), merged(2)])).toMatchObject([
      { kind: 'refused', category: 'content' },
      { kind: 'refused', category: 'content' },
    ]);
    expect(paths()).toHaveLength(3);
  });

  it('are all put off, or all in doubt, when the request is', async () => {
    expect(await together([merged(1), merged(2, 'throttle@example.com')])).toMatchObject([
      { kind: 'retry' },
      { kind: 'retry' },
    ]);
    vendor.plays('hang-up');
    expect(await together([merged(1), merged(2)])).toMatchObject([{ kind: 'unknown' }, { kind: 'unknown' }]);
    vendor.plays('malformed');
    expect(await together([merged(1), merged(2)])).toMatchObject([{ kind: 'unknown' }, { kind: 'unknown' }]);
    expect(vendor.kept).toEqual([]);
  });

  it('with values longer than SES takes go alone', async () => {
    const long = merged(1, undefined, { merge: { shape, values: ['x'.repeat(200_001), '', ''] } });
    await together([long, merged(2)]);
    expect(paths()).toEqual(['/v2/email/outbound-emails', '/v2/email/outbound-emails']);
  });
});

describe('what SES tells', () => {
  const verify = (
    callback: Parameters<typeof sesReceipts.verify>[1],
    hoursLater = 0,
    change: Partial<SesAccount['settings']> = {},
  ) =>
    sesReceipts.verify(
      { ...account(), settings: { ...account().settings, ...change } },
      callback,
      vendor.open(createVirtualClock(Temporal.Now.instant().add({ hours: hoursLater, seconds: 5 }).toString())),
    );

  it('is believed when it is signed, and read as what became of the message', async () => {
    await together([
      merged(1),
      merged(2, 'bounce@example.com'),
      merged(3, 'complain@example.com'),
      merged(4, 'block@example.com'),
    ]);
    const callbacks = vendor.callbacks();
    for (const callback of callbacks) expect(await verify(callback)).toMatchObject({ kind: 'genuine' });
    const receipts = callbacks.flatMap((callback) => sesReceipts.read(callback).receipts);
    const of = (n: number) =>
      receipts.filter(({ messageId }) => messageId === idOf(n)).map(({ kind, category }) => category ?? kind);
    expect([of(1), of(2), of(3), of(4)]).toEqual([
      ['accepted', 'delivered'],
      ['accepted', 'address'],
      ['accepted', 'delivered', 'complained'],
      ['accepted', 'content'],
    ]);
  });

  it('is not believed when it was changed, is old, of another topic, or the account names none', async () => {
    await open().send(merged(1));
    const [callback] = vendor.callbacks();
    if (callback === undefined) throw new Error('nothing was told');
    const changed = Buffer.from(callback.body.toString().replace('person1', 'person2'));
    expect(await verify({ ...callback, body: changed })).toMatchObject({ kind: 'forged' });
    expect(await verify(callback, 2)).toMatchObject({ kind: 'forged' });
    expect(await verify(callback, 0, { topicArn: null })).toMatchObject({ kind: 'forged' });
    expect(await verify(callback, 0, { topicArn: 'arn:aws:sns:eu-west-1:123456789012:other' })).toMatchObject({
      kind: 'forged',
    });
    // The certificate of the played vendor is believed only by an account that is set to it.
    expect(await verify(callback, 0, { baseUrl: null })).toMatchObject({ kind: 'forged' });
  });

  it('confirms the subscription of its topic, and no other address', async () => {
    const at = Temporal.Now.instant().round('millisecond').toString({ fractionalSecondDigits: 3 });
    const topic = account().settings.topicArn ?? '';
    const envelope = (subscribeUrl: string) => ({
      method: 'POST' as const,
      url: playedCallbackUrl,
      headers: {},
      body: Buffer.from(
        JSON.stringify(
          authority.sign({
            Type: 'SubscriptionConfirmation',
            MessageId: 'm1',
            Token: 't1',
            TopicArn: topic,
            Message: 'You have chosen to subscribe',
            SubscribeURL: subscribeUrl,
            Timestamp: at,
            SigningCertURL: `${vendor.origin}/${authority.certificateName}`,
          }),
        ),
      ),
    });
    const query = `?Action=ConfirmSubscription&TopicArn=${topic}&Token=t1`;
    expect(await verify(envelope(`https://evil.example/${query}`))).toMatchObject({ kind: 'forged' });
    const before = vendor.requests.length;
    expect(await verify(envelope(`${vendor.origin}/${query}`))).toMatchObject({ kind: 'answer' });
    expect(vendor.requests.slice(before).map(({ method, path }) => `${method} ${path}`)).toContain('GET /');
  });

  it('comes from the inbox of the sandbox as well', async () => {
    await open().send(merged(1));
    const [mail] = vendor.kept;
    if (mail === undefined) throw new Error('nothing was kept');
    const { createSesVendor } = await import('../../../sandbox/vendors/ses.ts');
    const kept = { ...mail, workspaceId: account().workspaceId, callbackUrl: playedCallbackUrl };
    const draft = await createSesVendor(authority).act?.(kept, { kind: 'bounce' }, vendor.desk);
    if (draft === undefined) throw new Error('nothing was told');
    expect(await verify(callbackOf(draft))).toMatchObject({ kind: 'genuine' });
    expect(sesReceipts.read(callbackOf(draft)).receipts).toMatchObject([
      { kind: 'bounced', category: 'address', messageId: idOf(1) },
    ]);
  });
});

it('an account is tested without sending anything', async () => {
  const test = (change: Partial<SesAccount> = {}) => sesProvider.test({ ...account(), ...change }, vendor.open());
  expect(await test()).toMatchObject({
    ok: true,
    steps: [{ name: 'connect' }, { name: 'auth' }, { name: 'sending', detail: 'the account may send' }],
  });
  expect(await test({ secrets: { accessKeyId: 'AKIAWRONG', secretAccessKey: 'x' } })).toMatchObject({
    ok: false,
    steps: [{ ok: true }, { name: 'auth', ok: false }],
  });
  expect(vendor.kept).toEqual([]);
});
