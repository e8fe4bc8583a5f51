import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../../../platform/clock.ts';
import type { Callback, ErrorCategory, OutgoingWhatsApp, WhatsAppContent } from '../../port.ts';
import { contractFile, readContract, validatorFor } from '../../testing-spec.ts';
import { providerDeps } from '../../testing.ts';
import { playedMessage } from '../testing.ts';
import type { Playing } from '../testing.ts';
import { twilioWhatsAppErrors } from './errors.rules.ts';
import { twilioWhatsAppProvider } from './provider.ts';
import { readCallback } from './receipts.rules.ts';
import { messageRequest } from './request.rules.ts';
import type { TwilioWhatsAppAccount } from './send.ts';
import {
  accountSid,
  callbackUrl,
  contract,
  sender,
  sid,
  twilioCallback,
  twilioError,
  twilioWhatsAppAccount,
} from './testing.ts';

const id = '0198c1d2-0000-7000-8000-000000000001';
const contentSid = `HX${'a'.repeat(32)}`;
const service = `MG${'c'.repeat(32)}`;
const receivedAt = '2026-03-01T12:00:00Z';

interface Codes {
  codes: { code: number; class: string }[];
}

const allowed: Record<string, readonly ErrorCategory[]> = {
  permanent: ['address', 'content'],
  suppress: ['address'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled', 'transient'],
  config: ['account', 'content'],
  window: ['content', 'transient'],
};

describe.skipIf(contractFile('errors/twilio.json') === undefined)('the codes of Twilio', () => {
  const codes = readContract<Codes>('errors/twilio.json')?.codes ?? [];

  it.each(codes.map((one) => [one.code, one.class] as const))('%s is of the class %s', (code, name) => {
    expect(allowed[name]).toContain(twilioWhatsAppErrors[code]?.category);
  });

  it('of WhatsApp hold advertising back for 24 hours, and ask for a template outside of the window', () => {
    expect(codes.length).toBeGreaterThan(90);
    expect(twilioWhatsAppErrors[63049]).toMatchObject({ category: 'transient', afterMs: 86_400_000 });
    expect(twilioWhatsAppErrors[63016]).toMatchObject({ category: 'content' });
    expect(twilioWhatsAppErrors[63018]).toMatchObject({ category: 'throttled' });
    expect(twilioWhatsAppErrors[63024]).toMatchObject({ category: 'address' });
  });
});

const form = (
  content: WhatsAppContent,
  category: OutgoingWhatsApp['category'] = 'utility',
  from: string | null = sender,
) => {
  const settings = { from, messagingServiceSid: from === null ? service : null };
  const made = messageRequest(playedMessage(id, { content, category }), settings, 'https://parley.example/c?message=1');
  if (made.kind === 'unfit') return made.reason;
  const many = made.fields.filter(([name]) => name === 'MediaUrl').map(([, value]) => value);
  return { ...Object.fromEntries(made.fields), ...(many.length === 0 ? {} : { MediaUrl: many }) };
};
const template = (change: Partial<WhatsAppContent & { kind: 'template' }> = {}): WhatsAppContent => ({
  kind: 'template',
  name: 'x',
  language: 'en_US',
  contentSid,
  body: ['Ada', '42'],
  ...change,
});
const variables = (...given: Parameters<typeof form>) =>
  JSON.parse((form(...given) as { ContentVariables: string }).ContentVariables) as unknown;

describe('a request to Twilio', () => {
  const judge = validatorFor(
    'specs/twilio/twilio_api_v2010.messages.json',
    'post',
    '/2010-04-01/Accounts/{AccountSid}/Messages.json',
    { closed: true },
  );

  it.skipIf(judge === undefined).each<[string, WhatsAppContent, OutgoingWhatsApp['category']?, null?]>([
    ['a template', template()],
    ['a template without values', template({ body: [] })],
    ['a template with a picture', template({ header: { kind: 'image', url: 'https://cdn.example/a.png' } })],
    ['a text', { kind: 'text', body: 'Hello' }],
    ['a text by a Messaging Service', { kind: 'text', body: 'Hello' }, 'service', null],
    ['a picture', { kind: 'image', url: 'https://cdn.example/a.png', caption: 'A' }],
    ['a document', { kind: 'document', url: 'https://cdn.example/a.pdf' }],
  ])('is as Twilio’s specification wants it: %s', (_, content, category, from) => {
    expect(judge?.(form(content, category, from))).toEqual([]);
  });

  it('names both ends as addresses of WhatsApp, and where to report', () => {
    expect(form({ kind: 'text', body: 'Hello' })).toEqual({
      To: 'whatsapp:+16505551234',
      From: `whatsapp:${sender}`,
      Body: 'Hello',
      StatusCallback: 'https://parley.example/c?message=1',
    });
    expect(form({ kind: 'text', body: 'Hello' }, 'service', null)).toMatchObject({ MessagingServiceSid: service });
    expect(form({ kind: 'text', body: 'Hello' }, 'service', null)).not.toHaveProperty('From');
  });

  it('numbers the values of a template through header, body and buttons', () => {
    expect(form(template())).toMatchObject({ ContentSid: contentSid, ContentVariables: '{"1":"Ada","2":"42"}' });
    expect(form(template({ body: [] }))).not.toHaveProperty('ContentVariables');
    const header = { kind: 'text', values: ['Sale'] } as const;
    const buttons = [
      { index: 1, kind: 'url', value: 'b' },
      { index: 0, kind: 'copy-code', value: '25OFF' },
    ] as const;
    expect(variables(template({ header, buttons }))).toEqual({ 1: 'Sale', 2: 'Ada', 3: '42', 4: '25OFF', 5: 'b' });
    const image = { kind: 'image', url: 'https://cdn.example/a.png' } as const;
    expect(variables(template({ header: image }))).toEqual({ 1: 'https://cdn.example/a.png', 2: 'Ada', 3: '42' });
  });

  it('has a one-time code once, for the text and the button together', () => {
    const code = template({ body: ['123456'], buttons: [{ index: 0, kind: 'copy-code', value: '123456' }] });
    expect(variables(code, 'authentication')).toEqual({ 1: '123456' });
  });

  it('is not made for what Twilio has no form for', () => {
    expect(form(template({ contentSid: 'HX1' }))).toMatch(/Content SID/);
    const { contentSid: _, ...without } = template() as WhatsAppContent & { kind: 'template' };
    expect(form(without)).toMatch(/Content SID/);
    expect(form({ kind: 'buttons', body: 'x', buttons: [{ id: '1', title: 'Yes' }] })).toMatch(
      /Content templates only/,
    );
    expect(form({ kind: 'list', body: 'x', label: 'x', sections: [] })).toMatch(/Content templates only/);
    expect(form({ kind: 'text', body: 'x'.repeat(1601) })).toMatch(/1600/);
    expect(form({ kind: 'text', body: '👋'.repeat(1600) })).toMatchObject({ Body: '👋'.repeat(1600) });
  });
});

describe('a hand-over to Twilio', () => {
  let vendor: Playing;
  beforeAll(async () => {
    vendor = (await contract.start()) as Playing;
  });
  afterEach(() => vendor.plays('accept'));
  afterAll(() => vendor.close());
  const account = () => vendor.account() as TwilioWhatsAppAccount;
  const open = () => twilioWhatsAppProvider.create(account(), vendor.deps(providerDeps(systemClock, { callbackUrl })));

  it('is one form, signed in, whose receipts carry our id', async () => {
    expect(await open().send(playedMessage(id))).toEqual({ kind: 'accepted', ref: sid, detail: 'queued' });
    const request = vendor.requests.at(-1);
    expect(request).toMatchObject({ method: 'POST', path: `/2010-04-01/Accounts/${accountSid}/Messages.json` });
    const fields = new URLSearchParams(request?.body);
    expect(fields.get('ContentSid')).toBe(contentSid);
    expect(fields.get('StatusCallback')).toBe(`${callbackUrl('twilio-whatsapp', account().id)}?message=${id}`);
  });

  it.each([
    ['refuse-address', { kind: 'refused', category: 'address', code: '21211' }],
    ['refuse-content', { kind: 'refused', category: 'content', code: '21656' }],
    ['refuse-account', { kind: 'refused', category: 'account', code: '20003' }],
    ['throttle', { kind: 'retry', category: 'throttled', code: '20429', afterMs: 7000 }],
    ['down', { kind: 'retry', category: 'provider-down', code: '20503' }],
    ['malformed', { kind: 'unknown', code: 'malformed' }],
    ['hang-up', { kind: 'unknown', code: 'connection-lost' }],
  ] as const)('%s', async (play, result) => {
    vendor.plays(play);
    const told = await open().send(playedMessage(id));
    expect(told).toMatchObject(result);
    expect(JSON.stringify(told)).not.toContain('6505551234');
  });

  it('is tried again no sooner than a day after Meta held advertising back', async () => {
    vendor.answers(() => twilioError(400, 63049, 'Meta chose not to deliver this WhatsApp marketing message'));
    expect(await open().send(playedMessage(id, { category: 'marketing' }))).toMatchObject({
      kind: 'retry',
      category: 'transient',
      afterMs: 86_400_000,
    });
  });

  it('is not begun for what Twilio has no form for', async () => {
    const before = vendor.requests.length;
    const content = { kind: 'buttons', body: 'x', buttons: [{ id: '1', title: 'Yes' }] } as const;
    expect(await open().send(playedMessage(id, { content }))).toMatchObject({
      category: 'content',
      code: 'unfit-content',
    });
    expect(vendor.requests).toHaveLength(before);
  });

  it('whose answer never came is looked up by its number, as Twilio knows it', async () => {
    const clock = createVirtualClock('2026-03-01T12:00:00Z');
    const asked = { messageId: id, to: '+16505551234', sentAfter: clock.now().subtract({ hours: 1 }) };
    const found = await twilioWhatsAppProvider.lookUp?.(account(), asked, vendor.deps(providerDeps(clock)));
    expect(found).toEqual({ kind: 'absent' });
    expect(new URL(vendor.requests.at(-1)?.path ?? '', 'http://x').searchParams.get('To')).toBe(
      'whatsapp:+16505551234',
    );
  });

  it('needs a sender, and what callbacks are judged by', async () => {
    const { settings, secrets } = account();
    const { problems, test } = twilioWhatsAppProvider;
    expect(problems(settings, secrets)).toEqual([]);
    expect(problems({ ...settings, from: null }, {}).map(({ pointer }) => pointer)).toEqual([
      '/settings/authToken',
      '/settings/from',
    ]);
    expect(problems({ ...settings, from: null, messagingServiceSid: service }, secrets)).toEqual([]);
    expect((await test(account(), vendor.deps(providerDeps(systemClock)))).ok).toBe(true);
    expect(twilioWhatsAppProvider.settings.safeParse({ ...settings, surprise: 1 }).success).toBe(false);
  });
});

describe('what Twilio tells', () => {
  const account = twilioWhatsAppAccount('http://127.0.0.1:1');
  const ends = { To: 'whatsapp:+16505551234', From: `whatsapp:${sender}` };
  const told = (fields: Record<string, string>, messageId?: string) =>
    readCallback({ ...twilioCallback(account, fields, messageId), receivedAt });

  it.each([
    ['queued', 'accepted'],
    ['sent', 'sent'],
    ['delivered', 'delivered'],
    ['read', 'read'],
  ])('%s is %s', (status, kind) => {
    expect(told({ MessageSid: sid, MessageStatus: status, ...ends }, id)).toEqual({
      receipts: [{ kind, key: `${sid}:${status}`, ref: sid, at: receivedAt, messageId: id }],
      inbound: [],
      news: [],
    });
  });

  it('a failure with its code and Meta’s words, without the number', () => {
    const fields = {
      MessageSid: sid,
      MessageStatus: 'undelivered',
      ErrorCode: '63024',
      ChannelStatusMessage: 'Invalid recipient 16505551234',
    };
    expect(told({ ...fields, ...ends }).receipts[0]).toMatchObject({
      kind: 'bounced',
      category: 'address',
      code: '63024',
      reason: 'Invalid recipient •••••234',
    });
    expect(told({ MessageSid: sid, MessageStatus: 'failed', ErrorCode: '99999', ...ends }).receipts[0]).toMatchObject({
      kind: 'failed',
      category: 'unknown',
      code: '99999',
    });
    expect(told({ MessageSid: sid, MessageStatus: 'failed', ErrorCode: '63049', ...ends }).receipts[0]).toMatchObject({
      category: 'transient',
      reason: 'Meta holds back advertising to this person for now',
    });
  });

  const wrote = (fields: Record<string, string>) =>
    told({
      MessageSid: sid,
      SmsStatus: 'received',
      NumMedia: '0',
      From: 'whatsapp:+16505551234',
      To: `whatsapp:${sender}`,
      WaId: '16505551234',
      ProfileName: 'Ada',
      ...fields,
    });
  const frame = { channel: 'whatsapp', key: sid, from: '+16505551234', to: sender, name: 'Ada', at: receivedAt };

  it('what a person wrote, or pressed, or sent along', () => {
    expect(wrote({ Body: 'Hello' })).toEqual({ receipts: [], news: [], inbound: [{ ...frame, text: 'Hello' }] });
    expect(wrote({ Body: 'Stop' }).inbound[0]).toMatchObject({ keyword: 'stop' });
    expect(wrote({ Body: 'No more', OptOutType: 'STOP' }).inbound[0]).toMatchObject({ keyword: 'stop' });
    const pressed = {
      Body: 'Unsubscribe',
      ButtonText: 'Unsubscribe',
      ButtonPayload: 'off',
      OriginalRepliedMessageSid: `SM${'d'.repeat(32)}`,
    };
    expect(wrote(pressed).inbound[0]).toMatchObject({
      payload: 'off',
      keyword: 'stop',
      inReplyTo: pressed.OriginalRepliedMessageSid,
    });
    expect(wrote({ Body: 'Cancel', ButtonPayload: 'no' }).inbound[0]).not.toHaveProperty('keyword');
    const media = { NumMedia: '1', MediaUrl0: 'https://api.twilio.com/m/1', MediaContentType0: 'image/jpeg' };
    expect(wrote(media).inbound[0]).toMatchObject({
      text: '',
      media: [{ url: media.MediaUrl0, contentType: 'image/jpeg' }],
    });
    const place = { Latitude: '37.75', Longitude: '-122.42', Label: 'META HQ', Address: '1 Hacker Way' };
    expect(wrote(place).inbound[0]).toMatchObject({ text: 'META HQ, 1 Hacker Way (37.75, -122.42)' });
  });

  it('things that cannot be read, which are named', () => {
    const news = [
      { key: expect.stringMatching(/^unreadable:/) as string, kind: 'unreadable', at: receivedAt, data: {} },
    ];
    expect(told({ What: 'ever' })).toEqual({ receipts: [], inbound: [], news });
    expect(told({ MessageSid: sid, MessageStatus: 'dancing' })).toEqual({ receipts: [], inbound: [], news });
    expect(told({ MessageSid: sid, SmsStatus: 'received', From: 'messenger:abc', To: 'x' }).news).toEqual(news);
  });

  it('only what is signed with the account’s token', async () => {
    const deps = providerDeps(systemClock);
    const verify = (callback: Callback) =>
      twilioWhatsAppProvider.receipts?.verify(account as TwilioWhatsAppAccount, callback, deps);
    const callback = twilioCallback(account, { MessageSid: sid, MessageStatus: 'read', ...ends }, id);
    expect(await verify(callback)).toEqual({ kind: 'genuine' });
    expect((await verify({ ...callback, body: Buffer.from(`${callback.body.toString()}&x=1`) }))?.kind).toBe('forged');
    expect((await verify({ ...callback, url: callback.url.replace(id, id.replace('1', '2')) }))?.kind).toBe('forged');
    expect((await verify({ ...callback, headers: {} }))?.kind).toBe('forged');
  });
});
