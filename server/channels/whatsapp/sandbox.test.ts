import { createHmac, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../platform/clock.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { fateOfAddress } from '../../sandbox/behaviour.rules.ts';
import type { CallbackDraft, Desk, Vendor, VendorAct, VendorMail } from '../../sandbox/vendor.ts';
import { createMetaVendor } from '../../sandbox/vendors/meta.ts';
import { createTwilioWhatsAppVendor } from '../../sandbox/vendors/twilio-whatsapp.ts';
import type { Callback, OutgoingWhatsApp, Provider, ProviderAccount, Told, WhatsAppContent } from '../port.ts';
import { readContract, validatorFor } from '../testing-spec.ts';
import { providerDeps } from '../testing.ts';
import { metaProvider } from './meta/provider.ts';
import { listTemplates } from './meta/templates.ts';
import type { MetaAccount } from './meta/send.ts';
import { playedMessage } from './testing.ts';
import { twilioWhatsAppProvider } from './twilio-whatsapp/provider.ts';
import { listTemplates as listContents } from './twilio-whatsapp/templates.ts';

/** The real adapters against the sandbox's vendors: what one sends the other takes, and what that tells is believed and read. */

const workspaceId = '0198c1d2-0000-7000-8000-00000000000a';
const accountId = '0198c1d2-0000-7000-8000-00000000000b';
const messageId = '0198c1d2-0000-7000-8000-000000000001';
const base = `http://127.0.0.1:1/${workspaceId}`;
const callbackUrl = (kind: string, id: string) => `https://parley.example/api/v1/callbacks/${kind}/${id}`;

function lab(vendor: Vendor, provider: Provider) {
  const clock = createVirtualClock('2026-03-01T12:00:00Z');
  const kept: VendorMail[] = [];
  const drafts: CallbackDraft[] = [];
  const answers: unknown[] = [];
  const desk: Desk = {
    clock,
    hex: (digits) => randomBytes(digits).toString('hex').slice(0, digits),
    fateOf: (_, recipient) => fateOfAddress(recipient),
    keep: (_, mail) => Promise.resolve(void kept.push(mail)),
    later: (_, draft) => void drafts.push(draft),
    secret: (workspace, use) => createHmac('sha256', 'key').update(`${workspace}:${use}`).digest(),
  };
  const callback = callbackUrl(provider.kind, accountId);
  const http: HttpClient = {
    trust: () => {},
    close: () => Promise.resolve(),
    call: async ({ method, url, headers = {}, body = '' }) => {
      const { pathname, searchParams } = new URL(url);
      const path = decodeURIComponent(pathname).slice(`/${workspaceId}/${vendor.name}`.length);
      const request = {
        method,
        path,
        query: searchParams,
        headers,
        body: Buffer.from(body),
        workspaceId,
        baseUrl: `${base}/${vendor.name}`,
        callbackUrl: callback,
      };
      const made = await vendor.handle(request, desk);
      if ('fate' in made) return { kind: 'failed', mayHaveArrived: true, code: 'timeout', reason: 'quiet' };
      answers.push(made.body);
      const text = typeof made.body === 'string' ? made.body : JSON.stringify(made.body);
      return { kind: 'answer', status: made.status, headers: made.headers ?? {}, body: Buffer.from(text) };
    },
  };
  const fields: Record<string, unknown> = {
    ...vendor.accounts[0]?.fields(workspaceId, desk),
    baseUrl: `${base}/${vendor.name}`,
  };
  const pick = (names: readonly string[]) =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
  const account: ProviderAccount = {
    workspaceId,
    id: accountId,
    revision: 1,
    settings: provider.settings.parse(pick(Object.keys(provider.settings.shape))),
    secrets: provider.secrets.parse(pick(Object.keys(provider.secrets.shape))),
  };
  const deps = providerDeps(clock, { http, callbackUrl });
  const sender = provider.create(account, deps);
  const told = async (draft: CallbackDraft): Promise<Told> => {
    const request: Callback = {
      method: draft.method,
      url: draft.url,
      headers: draft.headers,
      body: Buffer.from(draft.body),
    };
    expect(await provider.receipts?.verify(account, request, deps)).toEqual({ kind: 'genuine' });
    return provider.receipts?.read(request) ?? { receipts: [], inbound: [], news: [] };
  };
  return {
    account,
    deps,
    clock,
    kept,
    drafts,
    answers,
    fields,
    told,
    send: (content: WhatsAppContent, change: Partial<OutgoingWhatsApp> = {}) =>
      sender.send(playedMessage(messageId, { content, ...change })),
    receipts: async () =>
      (await Promise.all(drafts.splice(0).map(told))).flatMap((one) => [...one.receipts, ...one.news]),
    act: async (act: VendorAct) => {
      const mail = kept.at(-1);
      if (mail === undefined) throw new Error('nothing was kept');
      const draft = await vendor.act?.({ ...mail, workspaceId, callbackUrl: callback }, act, desk);
      return draft === undefined ? undefined : told(draft);
    },
  };
}

const template: WhatsAppContent = {
  kind: 'template',
  name: 'order_confirmation',
  language: 'en_US',
  contentSid: `HX${'a'.repeat(32)}`,
  body: ['Ada', '42'],
};
const text: WhatsAppContent = { kind: 'text', body: 'Hello' };

describe.each([
  [
    'meta',
    createMetaVendor,
    metaProvider as unknown as Provider,
    { missed: '131026', closed: '131047', held: '131049' },
  ],
  [
    'twilio-whatsapp',
    createTwilioWhatsAppVendor,
    twilioWhatsAppProvider as unknown as Provider,
    { missed: '63024', closed: '63016', held: '63049' },
  ],
] as const)('%s against the sandbox', (kind, createVendor, provider, codes) => {
  let play: ReturnType<typeof lab>;
  beforeEach(() => {
    play = lab(createVendor(), provider);
  });

  it('an account of it fills the form, and is all that is needed', async () => {
    expect(provider.problems(play.account.settings, play.account.secrets)).toEqual([]);
    expect(
      Object.keys(play.fields).filter(
        (name) => !(name in provider.settings.shape) && !(name in provider.secrets.shape),
      ),
    ).toEqual([]);
    expect(await provider.test(play.account, play.deps)).toMatchObject({ ok: true });
  });

  it('a template is taken, kept, and told to be sent, delivered and read, each later than the one before', async () => {
    const sent = await play.send(template);
    expect(sent).toMatchObject({ kind: 'accepted' });
    expect(play.kept).toEqual([
      expect.objectContaining({ channel: 'whatsapp', vendor: kind, to: '+16505551234', messageId }),
    ]);
    const times = play.drafts.map(({ afterMs }) => afterMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const receipts = await play.receipts();
    expect(receipts.map((receipt) => receipt.kind)).toEqual(['sent', 'delivered', 'read']);
    expect(receipts).toEqual(
      receipts.map(() => expect.objectContaining({ messageId, ref: sent.kind === 'accepted' ? sent.ref : '' })),
    );
  });

  it('a text fails outside of the 24 hours, and is delivered within them', async () => {
    expect(await play.send(text)).toMatchObject({ kind: 'accepted' });
    expect(await play.receipts()).toEqual([
      expect.objectContaining({ kind: 'failed', code: codes.closed, category: 'content' }),
    ]);
    const wrote = await play.act({ kind: 'reply', text: 'Hi there' });
    expect(wrote?.inbound).toEqual([
      expect.objectContaining({ from: '+16505551234', text: 'Hi there', inReplyTo: play.kept.at(-1)?.ref }),
    ]);
    await play.send(text);
    expect((await play.receipts()).map((receipt) => receipt.kind)).toEqual(['sent', 'delivered', 'read']);
    play.clock.advance(86_400_000);
    await play.send(text);
    expect(await play.receipts()).toEqual([expect.objectContaining({ code: codes.closed })]);
  });

  it.each([
    ['+15005550001', { kind: 'refused', category: 'address' }],
    ['+15005550003', { kind: 'refused', category: 'content' }],
    ['+15005550120', { kind: 'retry', category: 'throttled', afterMs: 7000 }],
    ['+15005550121', { kind: 'retry', category: 'provider-down' }],
    ['+15005550130', { kind: 'unknown' }],
    ['+15005550132', { kind: 'unknown', code: 'malformed' }],
  ])('%s has its fate', async (to, result) => {
    expect(await play.send(template, { to })).toMatchObject(result);
    expect(play.kept).toEqual([]);
  });

  it('numbers that bounce or are held back are told so later', async () => {
    await play.send(template, { to: '+15005550110' });
    expect(await play.receipts()).toEqual([expect.objectContaining({ code: codes.missed, category: 'address' })]);
    await play.send(template, { to: '+15005550111' });
    expect(await play.receipts()).toEqual([expect.objectContaining({ code: codes.held, category: 'transient' })]);
  });

  it('what somebody does in the inbox is told as if the person had', async () => {
    await play.send(template);
    expect((await play.act({ kind: 'read' }))?.receipts).toEqual([
      expect.objectContaining({ kind: 'read', messageId }),
    ]);
    expect((await play.act({ kind: 'bounce' }))?.receipts).toEqual([
      expect.objectContaining({ category: 'address', messageId }),
    ]);
    const complained = await play.act({ kind: 'complain' });
    if (kind === 'meta')
      expect(complained?.news).toEqual([
        expect.objectContaining({
          kind: 'marketing-preference',
          data: expect.objectContaining({ wish: 'stop' }) as object,
        }),
      ]);
    else expect(complained?.inbound).toEqual([expect.objectContaining({ keyword: 'stop' })]);
  });

  it('another workspace’s key opens nothing', async () => {
    const secrets = Object.fromEntries(Object.keys(play.account.secrets).map((name) => [name, 'f'.repeat(32)]));
    const stranger = provider.create({ ...play.account, secrets }, play.deps);
    expect(await stranger.send(playedMessage(messageId))).toMatchObject({ kind: 'refused', category: 'account' });
  });
});

describe('what the sandbox’s Meta says', () => {
  let play: ReturnType<typeof lab>;
  beforeEach(() => {
    play = lab(createMetaVendor(), metaProvider);
  });

  it('has the form of Meta’s own answers', async () => {
    const examples = readContract<{ samples: { payload: object }[] }>(
      'payloads/meta/send_message_responses.json',
    )?.samples;
    await play.send(text);
    const shape = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shape)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one)]))
          : typeof value;
    if (examples !== undefined) expect(shape(play.answers.at(-1))).toEqual(shape(examples[0]?.payload));
    expect(play.answers.at(-1)).toMatchObject({
      messages: [{ id: expect.stringMatching(/^wamid\.HBgL[\w+/]+=*$/) as string }],
    });
  });

  it('lists its templates as they are synchronised', async () => {
    const list = await listTemplates(play.account as MetaAccount, play.deps);
    if (list.kind !== 'listed') throw new Error(list.reason);
    expect(list.templates.map(({ name, category, status }) => [name, category, status])).toEqual([
      ['hello_world', 'utility', 'APPROVED'],
      ['order_confirmation', 'utility', 'APPROVED'],
      ['seasonal_offer', 'marketing', 'APPROVED'],
      ['login_code', 'authentication', 'APPROVED'],
    ]);
    expect(list.templates[3]).toMatchObject({ buttons: [{ kind: 'copy-code' }], variables: { body: 1, buttons: [1] } });
  });

  it.each([
    [{ ...template, body: ['Ada'] }, '132000'],
    [{ ...template, language: 'de' }, '132001'],
    [{ ...template, name: 'a_missing_one' }, '132001'],
    [{ ...template, name: 'a_paused_one' }, '132015'],
  ] as const)('refuses a template that is not so: %o', async (content, code) => {
    expect(await play.send(content as WhatsAppContent)).toMatchObject({ kind: 'refused', category: 'content', code });
  });

  it('shows a template as it reads on the phone', async () => {
    await play.send(template);
    expect(play.kept[0]).toMatchObject({
      title: 'order_confirmation: Ada, 42',
      shown: { text: 'Thank you, Ada! Your order 42 is on its way.' },
    });
    await play.send({
      kind: 'list',
      body: 'Choose',
      label: 'Open',
      sections: [{ title: 'A', rows: [{ id: '1', title: 'One' }] }],
    });
    expect(play.kept[1]?.shown).toEqual({ text: 'Choose', buttons: ['One'] });
  });

  it('keeps the rate of a pair', async () => {
    for (let index = 0; index < 45; index++) expect((await play.send(template)).kind).toBe('accepted');
    expect(await play.send(template)).toMatchObject({ kind: 'retry', category: 'transient', code: '131056' });
    expect((await play.send(template, { to: '+16505550000' })).kind).toBe('accepted');
    play.clock.advance(6_000);
    expect((await play.send(template)).kind).toBe('accepted');
  });
});

describe('what the sandbox’s Twilio says', () => {
  let play: ReturnType<typeof lab>;
  beforeEach(() => {
    play = lab(createTwilioWhatsAppVendor(), twilioWhatsAppProvider);
  });
  const spec = 'specs/twilio/twilio_api_v2010.messages.json';
  const path = '/2010-04-01/Accounts/{AccountSid}/Messages.json';
  const judge = validatorFor(spec, 'post', path, { status: 201 });
  const judgeList = validatorFor(spec, 'get', path, { status: 200 });

  it.skipIf(judge === undefined)('is as Twilio’s specification has it', async () => {
    await play.send(template);
    expect(judge?.(play.answers.at(-1))).toEqual([]);
    const asked = { messageId, to: '+16505551234', sentAfter: play.clock.now().subtract({ hours: 1 }) };
    expect(await twilioWhatsAppProvider.lookUp?.(play.account as never, asked, play.deps)).toMatchObject({
      kind: 'unclear',
    });
    expect(judgeList?.(play.answers.at(-1))).toEqual([]);
    play.clock.advance(600_000);
    expect(
      await twilioWhatsAppProvider.lookUp?.(play.account as never, { ...asked, to: '+16505550000' }, play.deps),
    ).toEqual({ kind: 'absent' });
  });

  it('lists its Content templates as they are synchronised', async () => {
    const list = await listContents(play.account as never, play.deps);
    if (list.kind !== 'listed') throw new Error(list.reason);
    expect(list.templates.map(({ name, category, variables }) => [name, category, variables.body])).toEqual([
      ['order_confirmation', 'utility', 2],
      ['seasonal_offer', 'marketing', 2],
      ['login_code', 'authentication', 1],
    ]);
    const judgeContents = validatorFor('specs/twilio/twilio_content_v1.json', 'get', '/v1/ContentAndApprovals', {
      status: 200,
    });
    expect(judgeContents?.(play.answers.at(-1)) ?? []).toEqual([]);
  });
});
