import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../../../platform/clock.ts';
import type { VirtualClock } from '../../../platform/clock.ts';
import { providerDeps } from '../../testing.ts';
import { playedMessage } from '../testing.ts';
import type { Playing } from '../testing.ts';
import { metaProvider } from './provider.ts';
import type { MetaAccount } from './send.ts';
import { contract, graphError, metaAccount, metaAnswers, phoneNumberId } from './testing.ts';

const id = '0198c1d2-0000-7000-8000-000000000001';
let vendor: Playing;
const logged: unknown[] = [];
const log = { info: (...one: unknown[]) => void logged.push(one), warn: (...one: unknown[]) => void logged.push(one) };
const account = (change: object = {}) =>
  ({
    ...metaAccount((vendor.account() as MetaAccount).settings.baseUrl ?? '', change),
  }) as MetaAccount;
const open = (clock = systemClock, change: object = {}) =>
  metaProvider.create(account(change), vendor.deps(providerDeps(clock, { log })));

beforeAll(async () => {
  vendor = (await contract.start()) as Playing;
});
afterEach(() => vendor.plays('accept'));
afterAll(() => vendor.close());

describe('a hand-over to Meta', () => {
  it('is one call with the token, the number in the path and our id in the body', async () => {
    expect(await open().send(playedMessage(id))).toEqual({
      kind: 'accepted',
      ref: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA',
    });
    const request = vendor.requests.at(-1);
    expect(request).toMatchObject({ method: 'POST', path: `/v23.0/${phoneNumberId}/messages` });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer EAAtoken-of-acme',
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^[\w-]+\/\d+\.\d+\.\d+$/) as string,
    });
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ to: '+16505551234', biz_opaque_callback_data: id });
  });

  it('goes through the Marketing Messages API where that is switched on, for marketing templates only', async () => {
    const sender = open(systemClock, { useMarketingApi: true });
    await sender.send(playedMessage(id, { category: 'marketing' }));
    expect(vendor.requests.at(-1)?.path).toBe(`/v23.0/${phoneNumberId}/marketing_messages`);
    expect(JSON.parse(vendor.requests.at(-1)?.body ?? '')).toMatchObject({ product_policy: 'CLOUD_API_FALLBACK' });
    await sender.send(playedMessage(id));
    expect(vendor.requests.at(-1)?.path).toBe(`/v23.0/${phoneNumberId}/messages`);
    await open().send(playedMessage(id, { category: 'marketing' }));
    expect(vendor.requests.at(-1)?.path).toBe(`/v23.0/${phoneNumberId}/messages`);
  });

  it('that Meta holds back to judge the template is accepted, and says so', async () => {
    vendor.answers(() => ({
      status: 200,
      body: { messages: [{ id: 'wamid.1', message_status: 'held_for_quality_assessment' }] },
    }));
    expect(await open().send(playedMessage(id))).toEqual({
      kind: 'accepted',
      ref: 'wamid.1',
      detail: 'held_for_quality_assessment',
    });
  });

  it.each([
    ['refuse-address', { kind: 'refused', category: 'address', code: '131026' }],
    ['refuse-content', { kind: 'refused', category: 'content', code: '132001' }],
    ['refuse-account', { kind: 'refused', category: 'account', code: '190' }],
    ['throttle', { kind: 'retry', category: 'throttled', code: '130429', afterMs: 7000 }],
    ['down', { kind: 'retry', category: 'provider-down', code: '131016' }],
    ['malformed', { kind: 'unknown', code: 'malformed' }],
    ['hang-up', { kind: 'unknown', code: 'connection-lost' }],
  ] as const)('%s', async (play, result) => {
    vendor.plays(play);
    expect(await open().send(playedMessage(id))).toMatchObject(result);
  });

  it('is unknown when Meta goes quiet', async () => {
    vendor.plays('quiet');
    const clock = createVirtualClock();
    const before = vendor.requests.length;
    const sent = open(clock).send(playedMessage(id));
    expect(await settledBy(clock, sent, () => vendor.requests.length > before)).toMatchObject({
      kind: 'unknown',
      code: 'timeout',
    });
  });

  it('is told apart by the subcode, and masks the number in what is said', async () => {
    vendor.answers(() => graphError(400, 100, 'Unsupported post request', undefined, 33));
    expect(await open().send(playedMessage(id))).toMatchObject({ category: 'account', code: '100/33' });
    vendor.answers(() => graphError(400, 131026, 'Message undeliverable', 'to 16505551234 or +16505551234'));
    expect(await open().send(playedMessage(id))).toMatchObject({
      reason: '(#131026) Message undeliverable: to •••••234 or •••••234',
    });
  });

  it('waits as long as the usage header says', async () => {
    const usage = JSON.stringify({ '1': [{ type: 'messages', call_count: 100, estimated_time_to_regain_access: 3 }] });
    vendor.answers(() => ({
      ...graphError(400, 80007, 'Rate limit issues'),
      headers: { 'x-business-use-case-usage': usage },
    }));
    expect(await open().send(playedMessage(id))).toMatchObject({ category: 'throttled', afterMs: 180_000 });
  });

  it('is judged by the status where the answer has no error of Meta in it', async () => {
    vendor.answers(() => ({ status: 503, body: 'Service Unavailable' }));
    expect(await open().send(playedMessage(id))).toMatchObject({ kind: 'retry', category: 'provider-down' });
    vendor.answers(() => ({ status: 502, body: 'Bad Gateway' }));
    expect(await open().send(playedMessage(id))).toMatchObject({ kind: 'unknown' });
    vendor.answers(() => ({ status: 200, body: { messages: [] } }));
    expect(await open().send(playedMessage(id))).toMatchObject({ kind: 'unknown', code: 'malformed' });
  });

  it('is not begun for what WhatsApp would refuse', async () => {
    const before = vendor.requests.length;
    const text = { kind: 'text', body: 'x'.repeat(4097) } as const;
    expect(await open().send(playedMessage(id, { content: text }))).toMatchObject({
      category: 'content',
      code: 'unfit-content',
    });
    expect(await open().send(playedMessage(id, { to: '+1\r\nX: y' }))).toMatchObject({ category: 'address' });
    expect(vendor.requests).toHaveLength(before);
  });

  it('takes no more at once than its capacity, gives up what waits, and finishes what has begun', async () => {
    vendor.plays('quiet');
    const clock = createVirtualClock();
    const sender = open(clock, { requestsAtOnce: 5 });
    expect(sender.capacity).toBe(5);
    const before = vendor.requests.length;
    const begun = Array.from({ length: sender.capacity }, () => sender.send(playedMessage(id)));
    const abort = new AbortController();
    const aborted = sender.send(playedMessage(id), abort.signal);
    const waiting = sender.send(playedMessage(id));
    abort.abort();
    expect(await aborted).toMatchObject({ kind: 'retry', code: 'aborted' });
    await reached(() => vendor.requests.length === before + sender.capacity);
    const closing = sender.close();
    expect(await waiting).toMatchObject({ kind: 'retry', code: 'closed' });
    expect(await sender.send(playedMessage(id))).toMatchObject({ kind: 'retry', code: 'closed' });
    const results = await settledBy(clock, Promise.all(begun));
    expect(results.every((result) => result.kind === 'unknown')).toBe(true);
    await closing;
    expect(vendor.requests).toHaveLength(before + sender.capacity);
  });

  it('lets the next begin when one is through', async () => {
    const sender = open();
    const results = await Promise.all(
      Array.from({ length: sender.capacity * 2 }, () => sender.send(playedMessage(id))),
    );
    expect(results.every((result) => result.kind === 'accepted')).toBe(true);
  });

  it('tells neither numbers nor the token to the log', () => {
    expect(JSON.stringify(logged)).not.toMatch(/6505551234|EAAtoken|app-secret/);
  });
});

describe('a test of the account', () => {
  const test = () => metaProvider.test(account(), vendor.deps(providerDeps(systemClock)));

  it('reads how the number stands, and that templates can be read', async () => {
    expect(await test()).toEqual({
      ok: true,
      steps: [
        { name: 'connect', ok: true, detail: 'Meta answered.' },
        {
          name: 'number',
          ok: true,
          detail: 'Acme (+1 555-078-3881), quality green, 80 messages a second, 2000 people in 24 hours',
        },
        { name: 'templates', ok: true, detail: 'Templates can be read.' },
      ],
    });
    expect(vendor.requests.slice(-2).every(({ method }) => method === 'GET')).toBe(true);
  });

  it('says which part failed, and why', async () => {
    vendor.answers(() => graphError(401, 190, 'Invalid OAuth access token'));
    expect(await test()).toMatchObject({
      ok: false,
      steps: [{ ok: true }, { name: 'auth', ok: false, detail: '190: (#190) Invalid OAuth access token' }],
    });
    vendor.answers((request) =>
      request.path.includes('message_templates')
        ? graphError(403, 200, 'You do not have permission')
        : metaAnswers(request),
    );
    expect((await test()).steps.at(-1)).toMatchObject({ name: 'templates', ok: false });
    const nobody = { ...account(), settings: { ...account().settings, baseUrl: 'http://127.0.0.1:1' } };
    const deps = vendor.deps(providerDeps(systemClock));
    deps.http.trust('http://127.0.0.1:1');
    expect(await metaProvider.test(nobody, deps)).toMatchObject({ ok: false, steps: [{ name: 'connect', ok: false }] });
  });

  it('needs what calls are signed in with and what webhooks are judged by', () => {
    const { settings } = account();
    expect(metaProvider.problems(settings, {}).map(({ pointer }) => pointer)).toEqual([
      '/settings/accessToken',
      '/settings/appSecret',
      '/settings/verifyToken',
    ]);
    expect(metaProvider.problems(settings, account().secrets)).toEqual([]);
    expect(metaProvider.settings.safeParse({ ...settings, surprise: 1 }).success).toBe(false);
    expect(metaProvider.secrets.safeParse({ accessToken: 'a b' }).success).toBe(false);
  });
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Moves time on once the network has done its part. */
async function settledBy<T>(clock: VirtualClock, promise: Promise<T>, when: () => boolean = () => true): Promise<T> {
  await reached(when);
  let done = false;
  const watched = promise.finally(() => (done = true));
  while (!done) {
    await turn();
    clock.advance(1000);
  }
  return watched;
}
