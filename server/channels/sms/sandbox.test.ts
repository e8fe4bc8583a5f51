import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../../platform/clock.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { fateOfAddress } from '../../sandbox/behaviour.rules.ts';
import { partsOf } from '../../sandbox/sms.rules.ts';
import { createSnsAuthority } from '../../sandbox/sns.ts';
import type { CallbackDraft, Desk, Vendor, VendorAct, VendorMail } from '../../sandbox/vendor.ts';
import { plivo } from '../../sandbox/vendors/plivo.ts';
import { createSnsVendor } from '../../sandbox/vendors/sns.ts';
import { createTwilioVendor } from '../../sandbox/vendors/twilio.ts';
import type { Callback, OutgoingSms, Provider, ProviderAccount, Told } from '../port.ts';
import { validatorFor } from '../testing-spec.ts';
import { providerDeps } from '../testing.ts';
import { plivoProvider } from './plivo/provider.ts';
import { countSegments } from '../../../contract/sms-segments.ts';
import { snsProvider } from './sns/provider.ts';
import { accountId, callbackUrl, messageId, playedNumber, sms, workspaceId } from './testing.ts';
import { twilioProvider } from './twilio/provider.ts';

/** The real adapters against the sandbox's vendors: what one sends the other takes, and what that tells is believed and read. */

function lab(vendor: Vendor, provider: Provider) {
  const clock = createVirtualClock(systemClock.now().toString());
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
  const baseUrl = `http://127.0.0.1:1/${workspaceId}/${vendor.name}`;
  const callback = callbackUrl(provider.kind, accountId);
  const http: HttpClient = {
    trust: () => {},
    close: () => Promise.resolve(),
    call: async ({ method, url, headers = {}, body = '' }) => {
      const { pathname, searchParams } = new URL(url);
      const path = decodeURIComponent(pathname).slice(`/${workspaceId}/${vendor.name}`.length);
      const request = { method, path, query: searchParams, headers, workspaceId, callbackUrl: callback, baseUrl };
      const made = await vendor.handle({ ...request, body: Buffer.from(body) }, desk);
      if ('fate' in made) return { kind: 'failed', mayHaveArrived: true, code: 'timeout', reason: 'quiet' };
      answers.push(made.body);
      const text = typeof made.body === 'string' ? made.body : JSON.stringify(made.body);
      return { kind: 'answer', status: made.status, headers: made.headers ?? {}, body: Buffer.from(text) };
    },
  };
  const fields: Record<string, unknown> = { ...vendor.accounts[0]?.fields(workspaceId, desk), baseUrl };
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
  const told = async (draft: CallbackDraft): Promise<Told> => {
    const { method, url, headers } = draft;
    const request: Callback = {
      method,
      url,
      headers,
      body: Buffer.from(draft.body),
      receivedAt: clock.now().toString(),
    };
    expect(await provider.receipts?.verify(account, request, deps)).toMatchObject({ kind: 'genuine' });
    return provider.receipts?.read(request) ?? { receipts: [], inbound: [], news: [] };
  };
  return {
    account,
    deps,
    clock,
    kept,
    drafts,
    answers,
    provider,
    open: (change: Partial<ProviderAccount> = {}) => provider.create({ ...account, ...change }, deps),
    send: (change: Partial<OutgoingSms> = {}) => provider.create(account, deps).send(sms(change)),
    receipts: async () => {
      const made = drafts.splice(0);
      expect(made.map((one) => one.afterMs)).toEqual(made.map((one) => one.afterMs).toSorted((a, b) => a - b));
      const read = await Promise.all(made.map(told));
      return { receipts: read.flatMap((one) => one.receipts), inbound: read.flatMap((one) => one.inbound) };
    },
    act: async (act: VendorAct) => {
      const mail = kept.at(-1);
      if (mail === undefined) throw new Error('nothing was kept');
      const draft = await vendor.act?.({ ...mail, workspaceId, callbackUrl: callback }, act, desk);
      return draft === undefined ? undefined : told(draft);
    },
  };
}

const labs = {
  twilio: () => lab(createTwilioVendor(), twilioProvider),
  sns: () => lab(createSnsVendor(authority), snsProvider),
  plivo: () => lab(plivo, plivoProvider),
};
const authority = await createSnsAuthority(systemClock);

describe.each(Object.entries(labs))('%s in the sandbox', (kind, open) => {
  const hasTag = kind !== 'sns';

  it('takes a message, and tells step by step that it was delivered', async () => {
    const at = open();
    const result = await at.send({ text: 'Grüße 👋'.repeat(12) });
    expect(result).toMatchObject({ kind: 'accepted' });
    const ref = result.kind === 'accepted' ? result.ref : '';
    expect(at.kept).toEqual([expect.objectContaining({ channel: 'sms', vendor: kind, to: playedNumber, ref })]);
    if (hasTag) expect(at.kept[0]?.messageId).toBe(messageId);
    const { receipts } = await at.receipts();
    expect(receipts.map((one) => one.kind)).toEqual(['accepted', 'sent', 'delivered']);
    for (const receipt of receipts) expect(receipt).toMatchObject({ ref, ...(hasTag ? { messageId } : {}) });
  });

  it('tells an address that is finished from a text that is objected to', async () => {
    const at = open();
    await at.send({ to: '+15005550110' });
    expect((await at.receipts()).receipts.at(-1)).toMatchObject({ kind: 'bounced', category: 'address' });
    await at.send({ to: '+15005550111' });
    expect((await at.receipts()).receipts.at(-1)).toMatchObject({ kind: 'bounced', category: 'content' });
  });

  it('lets who complains answer STOP', async () => {
    const at = open();
    await at.send({ to: '+15005550112' });
    const { receipts, inbound } = await at.receipts();
    expect(receipts.at(-1)?.kind).toBe('delivered');
    expect(inbound).toEqual([expect.objectContaining({ from: '+15005550112', text: 'STOP', keyword: 'stop' })]);
  });

  it('plays what numbers ask for', async () => {
    const at = open();
    const to = (digits: string) => at.send({ to: `+1500555${digits}` });
    expect(await to('0001')).toMatchObject({ kind: 'refused', category: 'address' });
    expect(await to('0120')).toMatchObject({
      kind: 'retry',
      category: 'throttled',
      ...(hasTag ? { afterMs: 7000 } : {}),
    });
    expect(await to('0121')).toMatchObject({ kind: 'retry', category: 'provider-down' });
    expect(await to('0130')).toMatchObject({ kind: 'unknown', code: 'timeout' });
    expect(await to('0132')).toMatchObject({ kind: 'unknown', code: 'malformed' });
    expect(at.drafts).toEqual([]);
    const slow = to('0131');
    while (at.clock.sleepers() === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    at.clock.advance(3000);
    expect(await slow).toMatchObject({ kind: 'accepted' });
  });

  it('is signed in to with the right secret only', async () => {
    const at = open();
    expect((await at.provider.test(at.account, at.deps)).ok).toBe(true);
    const secrets = Object.fromEntries(Object.keys(at.account.secrets).map((name) => [name, 'wrong']));
    expect((await at.provider.test({ ...at.account, secrets }, at.deps)).ok).toBe(false);
    const result = await at.open({ secrets }).send(sms());
    expect(result).toMatchObject({ kind: 'refused', category: 'account' });
    expect(at.kept).toEqual([]);
  });

  it('lets a person at the inbox bounce, complain and answer', async () => {
    const at = open();
    await at.send();
    expect((await at.act({ kind: 'bounce' }))?.receipts).toEqual([
      expect.objectContaining({ kind: 'bounced', category: 'address' }),
    ]);
    expect((await at.act({ kind: 'complain' }))?.inbound[0]?.keyword).toBe('stop');
    expect((await at.act({ kind: 'reply', text: 'Danke & bis bald' }))?.inbound).toEqual([
      expect.objectContaining({ channel: 'sms', from: playedNumber, text: 'Danke & bis bald' }),
    ]);
    expect(await at.act({ kind: 'read' })).toBeUndefined();
  });

  it('sets up an account without problems', () => {
    const { account, provider } = open();
    expect(provider.problems(account.settings, account.secrets)).toEqual([]);
  });
});

describe('Twilio in the sandbox', () => {
  it.each([
    ['+15005550002', '21612', 'content'],
    ['+15005550003', '21408', 'content'],
    ['+15005550004', '21610', 'address'],
    ['+15005550009', '21614', 'address'],
  ])('refuses its magic number %s with %s', async (to, code, category) => {
    expect(await labs.twilio().send({ to })).toMatchObject({ kind: 'refused', category, code });
  });

  it.each([
    ['+15005550001', { kind: 'refused', category: 'account', code: '21212' }],
    ['+15005550007', { kind: 'refused', category: 'account', code: '21606' }],
    ['+15005550008', { kind: 'retry', category: 'throttled', code: '21611' }],
  ])('refuses its magic sender %s: that of all messages is the account’s matter', async (from, result) => {
    const at = labs.twilio();
    const settings = { ...at.account.settings, senders: [{ country: null, from }] };
    expect(await at.open({ settings }).send(sms())).toMatchObject(result);
  });

  it('does not stop an account for the sender of one message, or of one country', async () => {
    const at = labs.twilio();
    const refused = { kind: 'refused', category: 'content', code: '21606' };
    expect(await at.send({ from: '+15005550007' })).toMatchObject(refused);
    const senders = [
      { country: null, from: '+15005550006' },
      { country: 'DE', from: '+15005550007' },
    ];
    const sender = at.open({ settings: { ...at.account.settings, senders } });
    expect(await sender.send(sms())).toMatchObject(refused);
    expect(await sender.send(sms({ to: '+14155552671' }))).toMatchObject({ kind: 'accepted' });
  });

  it('takes pictures as an MMS', async () => {
    const at = labs.twilio();
    expect(await at.send({ mediaUrls: ['https://a.example/1.png'] })).toMatchObject({
      ref: expect.stringMatching(/^MM/),
    });
    expect(at.kept[0]?.shown?.pictures).toEqual(['https://a.example/1.png']);
  });

  it('lists what it took, so that what is in doubt can be asked for', async () => {
    const at = labs.twilio();
    const sentAfter = at.clock.now();
    const ask = () => at.provider.lookUp?.(at.account, { messageId, to: playedNumber, sentAfter }, at.deps);
    at.clock.advance(300_000);
    expect(await ask()).toEqual({ kind: 'absent' });
    await at.send();
    expect(await ask()).toMatchObject({ kind: 'unclear' });
  });

  const validate = validatorFor(
    'specs/twilio/twilio_api_v2010.messages.json',
    'post',
    '/2010-04-01/Accounts/{AccountSid}/Messages.json',
    { status: 201 },
  );
  it.skipIf(validate === undefined)('answers as Twilio’s own spec says', async () => {
    const at = labs.twilio();
    await at.send();
    expect(validate?.(at.answers.at(-1))).toEqual([]);
  });
});

it('the sandbox bills about what the networks would', () => {
  for (const text of ['Hello', 'a'.repeat(161), '€'.repeat(81), 'ж'.repeat(71), 'ж'.repeat(135), 'a'.repeat(1600)])
    expect(partsOf(text)).toBe(countSegments(text).count);
});
