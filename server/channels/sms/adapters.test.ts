import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../../platform/clock.ts';
import type { Callback, OutgoingSms, Provider, Sender } from '../port.ts';
import { providerDeps } from '../testing.ts';
import { readContract, validatorFor } from '../testing-spec.ts';
import type { ProviderContract } from '../testing-contract.ts';
import { plivoProvider } from './plivo/provider.ts';
import * as plivo from './plivo/testing.ts';
import { snsProvider } from './sns/provider.ts';
import * as sns from './sns/testing.ts';
import { accountId, callbackUrl, messageId, playedNumber, sms, workspaceId } from './testing.ts';
import type { Playing } from './testing.ts';
import { twilioProvider } from './twilio/provider.ts';
import * as twilio from './twilio/testing.ts';

/** Each adapter over a real socket, with a server that plays the vendor; requests are held to the vendors' own specs. */

/** As the rest of Parley sees them: settings and secrets of any kind. */
const providers: Readonly<Record<'twilio' | 'sns' | 'plivo', Provider>> = {
  twilio: twilioProvider,
  sns: snsProvider,
  plivo: plivoProvider,
};

function lab(contract: ProviderContract, provider: Provider) {
  let vendor: Playing;
  let senders: Sender[] = [];
  beforeAll(async () => {
    vendor = (await contract.start()) as Playing;
  });
  afterEach(async () => {
    for (const sender of senders) await sender.close();
    senders = [];
    vendor.plays('accept');
  });
  afterAll(() => vendor.close());
  const deps = (clock = systemClock) => vendor.deps(providerDeps(clock, { callbackUrl }));
  const account = (change: object = {}) => {
    const made = vendor.account();
    return { ...made, settings: { ...made.settings, ...change } };
  };
  return {
    vendor: () => vendor,
    deps,
    account,
    async send(change: Partial<OutgoingSms> = {}, settings: object = {}) {
      const sender = provider.create(account(settings), deps());
      senders.push(sender);
      return sender.send(sms(change));
    },
    last: () => vendor.requests.at(-1) ?? { method: '', path: '', headers: {}, body: '' },
    form: () => [...new URLSearchParams(vendor.requests.at(-1)?.body ?? '')],
  };
}

describe('Twilio', () => {
  const at = lab(twilio.contract, providers.twilio);

  it('is sent a form, signed in to with the auth token, that names where to report', async () => {
    expect(await at.send({ validForSeconds: 600 })).toEqual({
      kind: 'accepted',
      ref: twilio.messageSid,
      detail: 'queued, 1 part',
    });
    const { method, path, headers } = at.last();
    expect([method, path]).toEqual(['POST', `/2010-04-01/Accounts/${twilio.accountSid}/Messages.json`]);
    expect(headers['authorization']).toBe(
      `Basic ${Buffer.from(`${twilio.accountSid}:auth-token-of-acme`).toString('base64')}`,
    );
    expect(at.form()).toEqual([
      ['From', twilio.from],
      ['To', playedNumber],
      ['Body', 'Hello Ada'],
      ['ValidityPeriod', '600'],
      ['StatusCallback', `${callbackUrl('twilio', accountId)}?message=${messageId}`],
    ]);
  });

  it('chooses from the Messaging Service where no sender is set, and names one where the country has its own', async () => {
    const messagingServiceSid = `MG${'c'.repeat(32)}`;
    await at.send({}, { messagingServiceSid, senders: [{ country: 'US', from: '12345' }] });
    expect(at.form()).toContainEqual(['MessagingServiceSid', messagingServiceSid]);
    expect(at.form().map(([name]) => name)).not.toContain('From');
    await at.send({ to: '+14155552671' }, { messagingServiceSid, senders: [{ country: 'US', from: '12345' }] });
    expect(at.form()).toContainEqual(['From', '12345']);
  });

  it('is sent pictures one by one', async () => {
    await at.send({ mediaUrls: ['https://a.example/1.png', 'https://a.example/2.png'] });
    expect(at.form().filter(([name]) => name === 'MediaUrl')).toHaveLength(2);
  });

  it('is not asked where no sender may be shown: the message fails, the account does not', async () => {
    const before = at.vendor().requests.length;
    expect(await at.send({ to: '+14155552671' }, { senders: [{ country: null, from: 'Acme' }] })).toMatchObject({
      kind: 'refused',
      category: 'content',
      code: 'no-sender',
    });
    expect(at.vendor().requests).toHaveLength(before);
  });

  const validate = validatorFor(
    'specs/twilio/twilio_api_v2010.messages.json',
    'post',
    '/2010-04-01/Accounts/{AccountSid}/Messages.json',
    { contentType: 'application/x-www-form-urlencoded', closed: true },
  );

  it.skipIf(validate === undefined)('is sent what its own spec allows', async () => {
    for (const change of [{}, { validForSeconds: 90_000 }, { validForSeconds: 30 }, { text: 'ж'.repeat(200) }]) {
      await at.send(change);
      const fields: Record<string, unknown> = Object.fromEntries(at.form());
      if ('ValidityPeriod' in fields) fields['ValidityPeriod'] = Number(fields['ValidityPeriod']);
      expect(validate?.(fields)).toEqual([]);
    }
    await at.send({ mediaUrls: ['https://a.example/1.png'] });
    const fields: Record<string, unknown> = Object.fromEntries(at.form());
    expect(validate?.({ ...fields, MediaUrl: [fields['MediaUrl']] })).toEqual([]);
  });

  it('says for sure only that it has nothing, and not too soon', async () => {
    const provider = providers.twilio;
    const now = systemClock.now();
    const ask = (sentAfter: Temporal.Instant) =>
      provider.lookUp?.(at.account(), { messageId, to: playedNumber, sentAfter }, at.deps());
    expect(await ask(now.subtract({ minutes: 5 }))).toEqual({ kind: 'absent' });
    expect(at.last().path).toContain(`To=${encodeURIComponent(playedNumber)}`);
    expect(await ask(now)).toMatchObject({ kind: 'unclear' });
    const listed = (age: Temporal.DurationLike) =>
      at.vendor().answers(() => ({
        status: 200,
        body: {
          messages: [
            { sid: twilio.messageSid, date_created: new Date(now.subtract(age).epochMilliseconds).toUTCString() },
          ],
        },
      }));
    listed({ minutes: 4 });
    expect(await ask(now.subtract({ minutes: 5 }))).toMatchObject({ kind: 'unclear' });
    listed({ hours: 1 });
    expect(await ask(now.subtract({ minutes: 5 }))).toEqual({ kind: 'absent' });
    at.vendor().answers(() => ({ status: 200, body: '<html>' }));
    expect(await ask(now.subtract({ minutes: 5 }))).toMatchObject({ kind: 'unclear' });
  });

  it('tells a suspended account from one that may send', async () => {
    at.vendor().answers(() => ({ status: 200, body: { status: 'suspended' } }));
    const tested = await providers.twilio.test(at.account(), at.deps());
    expect(tested).toMatchObject({ ok: false, steps: [{ ok: true }, { ok: true }, { name: 'account', ok: false }] });
  });
});

interface BotocoreShape {
  readonly type: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string; readonly locationName?: string }>>;
}
const model = readContract<{ shapes: Readonly<Record<string, BotocoreShape>> }>(
  'specs/aws/botocore/sns/2010-03-31/service-2.json',
);

describe('Amazon SNS', () => {
  const at = lab(sns.contract, providers.sns);

  it('is sent Publish, signed, with the sender and the kind of text', async () => {
    expect(await at.send({}, { maxPrice: 0.25 })).toEqual({
      kind: 'accepted',
      ref: sns.snsMessageId,
      detail: '1 part',
    });
    expect(at.last().headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEEXAMPLE12\/\d{8}\/eu-west-1\/sns\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
    const entry = 'MessageAttributes.entry';
    expect(at.form()).toEqual([
      ['Action', 'Publish'],
      ['Version', '2010-03-31'],
      ['PhoneNumber', playedNumber],
      ['Message', 'Hello Ada'],
      [`${entry}.1.Name`, 'AWS.SNS.SMS.SMSType'],
      [`${entry}.1.Value.DataType`, 'String'],
      [`${entry}.1.Value.StringValue`, 'Promotional'],
      [`${entry}.2.Name`, 'AWS.SNS.SMS.SenderID'],
      [`${entry}.2.Value.DataType`, 'String'],
      [`${entry}.2.Value.StringValue`, 'Acme'],
      [`${entry}.3.Name`, 'AWS.SNS.SMS.MaxPrice'],
      [`${entry}.3.Value.DataType`, 'Number'],
      [`${entry}.3.Value.StringValue`, '0.25'],
    ]);
  });

  it('takes one-time codes on the better route, from a number where one is set, and chooses itself where none is', async () => {
    await at.send({ category: 'otp', from: '+14155552345' });
    expect(at.form().map(([, value]) => value)).toEqual(
      expect.arrayContaining(['Transactional', 'AWS.MM.SMS.OriginationNumber', '+14155552345']),
    );
    await at.send({ to: '+14155552671' });
    expect(at.form().map(([, value]) => value)).not.toContain('AWS.SNS.SMS.SenderID');
  });

  it.skipIf(model === undefined)('is sent what Amazon’s own model knows', async () => {
    await at.send({}, { maxPrice: 1 });
    const input = model?.shapes['PublishInput'];
    const names = at.form().map(([name]) => name.split('.')[0] ?? '');
    const known = new Set(['Action', 'Version', ...Object.keys(input?.members ?? {})]);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    for (const name of input?.required ?? []) expect(names).toContain(name);
    const value = model?.shapes['MessageAttributeValue'];
    const parts = at.form().flatMap(([name]) => /\.Value\.(\w+)$/.exec(name)?.[1] ?? []);
    expect(parts.filter((part) => value?.members?.[part] === undefined)).toEqual([]);
    for (const name of value?.required ?? []) expect(parts).toContain(name);
  });

  it('says in how many parts a text went', async () => {
    expect(await at.send({ text: 'ж'.repeat(71) })).toMatchObject({ detail: '2 parts' });
  });

  it('sends no pictures', async () => {
    expect(await at.send({ mediaUrls: ['https://a.example/1.png'] })).toMatchObject({
      category: 'content',
      code: 'media',
    });
  });

  it('a user who may not read the settings has signed in all the same', async () => {
    const test = () => providers.sns.test(at.account(), at.deps());
    at.vendor().answers(() => sns.snsError(403, 'AuthorizationError', 'User is not authorized'));
    expect(await test()).toMatchObject({ ok: true });
    at.vendor().answers(() => sns.snsError(403, 'SignatureDoesNotMatch', 'The request signature does not match'));
    expect(await test()).toMatchObject({
      ok: false,
      steps: [
        { name: 'connect', ok: true },
        { name: 'auth', ok: false },
      ],
    });
  });
});

describe('Plivo', () => {
  const at = lab(plivo.contract, providers.plivo);

  it('is sent JSON that names where to report', async () => {
    expect(await at.send({ validForSeconds: 600 })).toEqual({
      kind: 'accepted',
      ref: plivo.messageUuid,
      detail: '1 part',
    });
    expect(at.last().path).toBe(`/v1/Account/${plivo.authId}/Message/`);
    expect(JSON.parse(at.last().body)).toEqual({
      src: plivo.from,
      dst: playedNumber,
      text: 'Hello Ada',
      type: 'sms',
      message_expiry: 600,
      url: `${callbackUrl('plivo', accountId)}?message=${messageId}`,
      method: 'POST',
    });
  });

  it('chooses from the Powerpack where no sender is set, and is sent pictures', async () => {
    const powerpackUuid = '86bbb125-97bb-4d72-89fd-81d5c515b015';
    await at.send({ text: '', mediaUrls: ['https://a.example/1.png'] }, { powerpackUuid, senders: [] });
    expect(JSON.parse(at.last().body)).toMatchObject({
      powerpack_uuid: powerpackUuid,
      type: 'mms',
      media_urls: ['https://a.example/1.png'],
    });
  });

  it('lists a number it does not know apart', async () => {
    at.vendor().answers(() => ({ status: 202, body: { message_uuid: [], invalid_number: [playedNumber] } }));
    expect(await at.send()).toMatchObject({ kind: 'refused', category: 'address', code: '50' });
  });
});

describe.each([
  ['twilio', twilio.contract, providers.twilio],
  ['sns', sns.contract, providers.sns],
  ['plivo', plivo.contract, providers.plivo],
] as const)('what all promise: %s', (_kind, contract, provider) => {
  const at = lab(contract, provider);

  it.each([
    ['accept', { kind: 'accepted' }],
    ['refuse-address', { kind: 'refused', category: 'address' }],
    ['refuse-content', { kind: 'refused', category: 'content' }],
    ['refuse-account', { kind: 'refused', category: 'account' }],
    ['throttle', { kind: 'retry', category: 'throttled', afterMs: 7000 }],
    ['down', { kind: 'retry', category: 'provider-down' }],
    ['malformed', { kind: 'unknown', code: 'malformed' }],
    ['hang-up', { kind: 'unknown' }],
  ] as const)('%s', async (play, result) => {
    at.vendor().plays(play);
    const told = await at.send();
    expect(told).toMatchObject(result);
    expect(JSON.stringify(told)).not.toMatch(/15228817386|of-acme/);
  });

  it('quiet: in doubt', async () => {
    const clock = createVirtualClock(systemClock.now().toString());
    at.vendor().plays('quiet');
    const before = at.vendor().heard.length;
    const sender = provider.create(at.account(), at.deps(clock));
    let done = false;
    const sent = sender.send(sms()).finally(() => (done = true));
    while (at.vendor().heard.length === before) await turn();
    while (!done) {
      clock.advance(1000);
      await turn();
    }
    expect(await sent).toMatchObject({ kind: 'unknown', code: 'timeout' });
  });

  it('refuses what no vendor takes without a byte of it leaving', async () => {
    const before = at.vendor().requests.length;
    expect(await at.send({ to: '+4930123456' })).toMatchObject({ category: 'address', code: 'landline' });
    expect(await at.send({ to: '12345' })).toMatchObject({ category: 'address', code: 'not-a-number' });
    expect(await at.send({ to: '+49151\r\n2345' })).toMatchObject({ category: 'address' });
    expect(await at.send({ text: ' ' })).toMatchObject({ category: 'content', code: 'empty' });
    expect(await at.send({ text: 'a'.repeat(1601) })).toMatchObject({ category: 'content', code: 'too-long' });
    expect(await at.send({ from: 'a name too long' })).toMatchObject({ category: 'content', code: 'sender' });
    const sender = provider.create(at.account(), at.deps());
    const abort = new AbortController();
    abort.abort();
    expect(await sender.send(sms(), abort.signal)).toMatchObject({ kind: 'retry', code: 'aborted' });
    await sender.close();
    expect(await sender.send(sms())).toMatchObject({ kind: 'retry', code: 'closed' });
    expect(at.vendor().requests).toHaveLength(before);
  });

  it('reads its own callbacks, whatever their order, and judges a changed one forged', async () => {
    const now = systemClock.now();
    const ref = 'ref-1';
    const told = contract.callbacks?.(at.account(), { messageId, ref, at: now }) ?? [];
    const verify = (callback: Callback) => provider.receipts?.verify(at.account(), callback, at.deps());
    for (const { callback, receipt } of told.toReversed()) {
      expect(await verify(callback)).toMatchObject({ kind: 'genuine' });
      const { receipts, inbound, news } = provider.receipts?.read(callback) ?? {};
      expect(receipts).toEqual([expect.objectContaining({ kind: receipt, ref })]);
      expect([inbound, news]).toEqual([[], []]);
      const changed = Buffer.from(
        callback.body.toString('utf8').replace(/sent|SENT|delivered|DELIVERED|queued|QUEUED/, 'failed'),
      );
      expect(await verify({ ...callback, body: changed })).toMatchObject({ kind: 'forged' });
      expect(await verify({ ...callback, headers: {}, body: Buffer.from('x=y') })).toMatchObject({ kind: 'forged' });
    }
    const keys = told.flatMap(({ callback }) => provider.receipts?.read(callback).receipts.map(({ key }) => key) ?? []);
    expect(new Set(keys).size).toBe(told.length);
    expect(provider.receipts?.read({ ...(told[0]?.callback as Callback) })).toEqual(
      provider.receipts?.read(told[0]?.callback as Callback),
    );
  });

  it('makes news, not noise, of what it cannot read', () => {
    for (const body of [
      '',
      'x',
      '{}',
      '[]',
      'MessageUUID=1',
      'MessageSid=1&MessageStatus=new',
      '{"Type":"Notification"}',
    ]) {
      const callback = {
        method: 'POST',
        url: 'https://parley.example/c',
        headers: {},
        body: Buffer.from(body),
      } as const;
      const told = provider.receipts?.read(callback);
      expect(told).toMatchObject({ receipts: [], inbound: [], news: [{ kind: 'unreadable' }] });
    }
  });

  it('settles as many at once as it says it can carry', async () => {
    const sender = provider.create(at.account({ maxConnections: 3 }), at.deps());
    const before = at.vendor().heard.length;
    const results = await Promise.all(Array.from({ length: 10 }, () => sender.send(sms())));
    expect(results.every((result) => result.kind === 'accepted')).toBe(true);
    expect(at.vendor().heard.length - before).toBe(10);
    await sender.close();
  });

  it('tests an account by signing in', async () => {
    expect(await provider.test(at.account(), at.deps())).toMatchObject({
      ok: true,
      steps: [{ name: 'connect' }, { name: 'auth' }],
    });
    at.vendor().plays('refuse-account');
    expect(await provider.test(at.account(), at.deps())).toMatchObject({ ok: false });
    const gone = at.account({ baseUrl: 'http://127.0.0.1:9' });
    const deps = at.deps();
    deps.http.trust('http://127.0.0.1:9');
    expect(await provider.test(gone, deps)).toMatchObject({ ok: false, steps: [{ name: 'connect', ok: false }] });
  });

  it('has problems for what is missing, and none for what is there', () => {
    const { settings, secrets } = at.account();
    expect(provider.problems(settings, secrets)).toEqual([]);
    expect(provider.problems(settings, {}).length).toBeGreaterThan(0);
    expect(provider.settings.safeParse({ ...settings, surprise: 1 }).success).toBe(false);
    const bad = [
      { country: 'US', from: 'Acme' },
      { country: 'US', from: '+14155552345' },
    ];
    expect(provider.problems({ ...settings, senders: bad }, secrets).map((one) => one.pointer)).toEqual([
      '/settings/senders/0/from',
      '/settings/senders/1/country',
    ]);
  });

  it('says before a start what stands in its way', async () => {
    const facts = {
      from: undefined,
      publicOrigin: 'http://localhost:3000',
      postalAddress: undefined,
      dns: { txt: () => Promise.resolve([]) },
    };
    const items = await provider.readiness(at.account({ senders: [], powerpackUuid: null }), facts);
    expect(items.find((item) => item.key === 'callbacks')?.state).toBe('warning');
    const sure = await provider.readiness(at.account(), { ...facts, publicOrigin: 'https://parley.example' });
    expect(sure.map((item) => item.state)).toEqual(['ok', 'ok']);
  });
});

it('accounts of tests belong to one workspace', () => {
  expect(twilio.twilioAccount('https://x.example').workspaceId).toBe(workspaceId);
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
