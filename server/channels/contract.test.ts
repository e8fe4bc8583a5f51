import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../platform/clock.ts';
import type { Clock, VirtualClock } from '../platform/clock.ts';
import { contracts } from './testing-contracts.ts';
import type { Callback, Provider, ProviderDeps, Receipt, Sender, SendResult } from './port.ts';
import { allProviders } from './registry.ts';
import { providerDeps } from './testing.ts';
import type { ContractPromise, PlayedVendor, ProviderContract } from './testing-contract.ts';

/**
 * The promises of `port.ts`, held against every provider there is. What a vendor cannot have stands here and, with its
 * reason, in the provider's own `testing.ts`; the two must agree, so that no promise is dropped by the way.
 */
const cannot: Readonly<Record<string, readonly ContractPromise[]>> = {
  smtp: ['bad-signature', 'look-up', 'out-of-order-callbacks', 'replayed-callback', 'stale-callback'],
  sandbox: ['bad-signature', 'look-up', 'out-of-order-callbacks', 'replayed-callback', 'stale-callback'],
  twilio: ['stale-callback'],
  sns: ['look-up'],
  plivo: ['look-up', 'stale-callback'],
  meta: ['look-up', 'stale-callback'],
  'twilio-whatsapp': ['stale-callback'],
  sendgrid: [],
  ses: ['look-up'],
  mailgun: [],
  fcm: ['bad-signature', 'look-up', 'out-of-order-callbacks', 'replayed-callback', 'stale-callback'],
  apns: ['bad-signature', 'look-up', 'out-of-order-callbacks', 'replayed-callback', 'retry-after', 'stale-callback'],
  webpush: ['bad-signature', 'look-up', 'out-of-order-callbacks', 'replayed-callback', 'stale-callback'],
  // Parley's own house: nobody to go quiet, hang up or call back.
  inapp: [
    'bad-signature',
    'hang-up',
    'malformed',
    'out-of-order-callbacks',
    'quiet',
    'refuse-account',
    'refuse-content',
    'replayed-callback',
    'retry-after',
    'stale-callback',
    'throttle',
    'unreachable',
  ],
};

it('every registered provider is held to the contract', () => {
  const kinds = (list: readonly { readonly kind: string }[]) => list.map((one) => one.kind).toSorted();
  expect(kinds(contracts)).toEqual(kinds(allProviders()));
});

describe.each(allProviders().map((provider) => [provider.kind, provider] as const))('%s', (kind, provider) => {
  const contract = contracts.find((one) => one.kind === kind);
  if (contract === undefined) throw new Error(`${kind} has no contract`);
  heldTo(provider, contract);
});

function heldTo(provider: Provider, contract: ProviderContract): void {
  const told: unknown[] = [];
  const opened: Sender[] = [];
  const clients: { close(): Promise<void> }[] = [];
  let vendor: PlayedVendor;
  let count = 0;

  beforeAll(async () => {
    vendor = await contract.start();
  });
  beforeEach(() => vendor.plays('accept'));
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    for (const one of clients.splice(0)) await one.close();
  });
  afterAll(() => vendor.close());

  const depsOf = (clock: Clock = systemClock, at = vendor): ProviderDeps => {
    const log = { info: (...one: unknown[]) => told.push(one), warn: (...one: unknown[]) => told.push(one) };
    const plain = providerDeps(clock, {
      log,
      callbackUrl: (kind, id) => `https://parley.example/callbacks/${kind}/${id}`,
    });
    clients.push(plain.http);
    return at.deps(plain);
  };
  const open = (clock: Clock = systemClock, at = vendor) => {
    const sender = provider.create(at.account(), depsOf(clock, at));
    opened.push(sender);
    return sender;
  };
  const messageId = () => `0198c1d2-0000-7000-8000-${String(++count).padStart(12, '0')}`;
  const message = () => contract.message(messageId());
  const promise = (name: ContractPromise, text: string, work: () => Promise<void> | void) =>
    // eslint-disable-next-line vitest/valid-title, vitest/expect-expect -- the promises below name and assert
    it.skipIf(contract.without[name] !== undefined)(text, work);

  /** On a clock that a test moves: time passes only once the vendor has the whole request. */
  const whileQuiet = async (send: (sender: Sender) => Promise<SendResult>) => {
    const clock = createVirtualClock(systemClock.now().toString());
    const before = vendor.heard.length;
    return settledBy(clock, send(open(clock)), () => vendor.heard.length > before);
  };

  it('cannot have exactly what is written down, each for a reason', () => {
    expect(Object.keys(contract.without).toSorted()).toEqual(cannot[provider.kind] ?? []);
    for (const reason of Object.values(contract.without)) expect(reason.length).toBeGreaterThan(20);
    expect(provider.receipts === undefined).toBe(contract.without['bad-signature'] !== undefined);
    expect(provider.lookUp === undefined).toBe(contract.without['look-up'] !== undefined);
  });

  promise('accept', 'accepts, and tells a reference', async () => {
    const before = vendor.heard.length;
    const result = await open().send(message());
    expect(result).toMatchObject({ kind: 'accepted', ref: expect.stringMatching(/./) });
    expect(vendor.heard).toHaveLength(before + 1);
  });

  it.each(['address', 'content', 'account'] as const)('tells a refusal for the %s', async (category) => {
    if (contract.without[`refuse-${category}`] !== undefined) return;
    vendor.plays(`refuse-${category}`);
    expect(await open().send(message())).toMatchObject({
      kind: 'refused',
      category,
      permanent: true,
      code: expect.stringMatching(/./),
      reason: expect.stringMatching(/./),
    });
  });

  promise('throttle', 'tells that it was too fast, and hands on how long to wait', async () => {
    vendor.plays('throttle');
    const result = await open().send(message());
    expect(result).toMatchObject({ kind: 'retry', category: 'throttled' });
    if (contract.without['retry-after'] !== undefined) return;
    const afterMs = result.kind === 'retry' ? (result.afterMs ?? 0) : 0;
    expect(afterMs).toBeGreaterThan(5_000);
    expect(afterMs).toBeLessThanOrEqual(8_000);
  });

  promise('down', 'tells that the vendor is not well', async () => {
    vendor.plays('down');
    expect(await open().send(message())).toMatchObject({ kind: 'retry', category: 'provider-down' });
  });

  promise('unreachable', 'tells that nobody is there', async () => {
    const gone = await contract.start();
    const sender = open(systemClock, gone);
    await gone.close();
    expect(await sender.send(message())).toMatchObject({ kind: 'retry', category: 'provider-down' });
  });

  promise('quiet', 'is in doubt when the vendor took the message and kept silent', async () => {
    vendor.plays('quiet');
    const result = await whileQuiet((sender) => sender.send(message()));
    expect(result).toMatchObject({ kind: 'unknown', code: 'timeout' });
  });

  promise('hang-up', 'is in doubt when the vendor took the message and hung up', async () => {
    vendor.plays('hang-up');
    const result = await open().send(message());
    expect(result).toMatchObject({ kind: 'unknown', code: 'connection-lost' });
  });

  promise('malformed', 'is in doubt when the answer makes no sense', async () => {
    vendor.plays('malformed');
    expect(await open().send(message())).toMatchObject({ kind: 'unknown', code: 'malformed' });
  });

  it('settles as many at once as it says it can carry, each exactly once', async () => {
    const sender = open();
    const before = vendor.heard.length;
    const amount = Math.min(sender.capacity * 2, 100);
    const results = await Promise.all(Array.from({ length: amount }, () => sender.send(message())));
    expect(results.filter((one) => one.kind !== 'accepted')).toEqual([]);
    expect(vendor.heard).toHaveLength(before + amount);
  });

  it('settles each of many, where it takes many at once', async () => {
    const { many } = open();
    if (many === undefined) return;
    const messages = Array.from({ length: Math.min(many.most, 7) }, message);
    const results = await many.send(messages);
    expect(results.map((one) => one.kind)).toEqual(messages.map(() => 'accepted'));
    vendor.plays('refuse-account');
    expect((await many.send(messages)).map((one) => one.kind)).toEqual(messages.map(() => 'refused'));
    expect(await many.send([])).toEqual([]);
  });

  it('gives up what has not begun', async () => {
    const before = vendor.heard.length;
    expect(await open().send(message(), AbortSignal.abort())).toMatchObject({ kind: 'retry', code: 'aborted' });
    const closed = open();
    await closed.close();
    expect(await closed.send(message())).toMatchObject({ kind: 'retry', code: 'closed' });
    expect(vendor.heard).toHaveLength(before);
  });

  it('refuses a message of another channel', async () => {
    const foreign = provider.channel === 'email' ? sms : mail;
    expect(await open().send(foreign)).toMatchObject({ kind: 'refused', category: 'content', permanent: true });
  });

  it('tests an account without sending anything', async () => {
    const tested = await provider.test(vendor.account(), depsOf());
    expect(tested).toMatchObject({ ok: true });
    expect(tested.steps.length).toBeGreaterThan(0);
    expect(tested.steps.every((step) => step.ok)).toBe(true);
    if (contract.without['refuse-account'] === undefined) {
      vendor.plays('refuse-account');
      const refused = await provider.test(vendor.account(), depsOf());
      expect([refused.ok, refused.steps.at(-1)?.ok]).toEqual([false, false]);
    }
    if (contract.without.unreachable !== undefined) return;
    const gone = await contract.start();
    const account = gone.account();
    const deps = depsOf(systemClock, gone);
    await gone.close();
    expect((await provider.test(account, deps)).ok).toBe(false);
  });

  it('takes no settings and no secrets it does not know', () => {
    const { settings, secrets } = vendor.account();
    expect(provider.settings.safeParse(settings).success).toBe(true);
    expect(provider.settings.safeParse({ ...settings, surprise: 1 }).success).toBe(false);
    expect(provider.secrets.safeParse({ ...secrets, surprise: 1 }).success).toBe(false);
    expect(provider.problems(settings, secrets)).toEqual([]);
  });

  it('has a meaning for each of its codes', () => {
    for (const [code, { category, meaning }] of Object.entries(provider.errors)) {
      expect(code).not.toBe('');
      expect(meaning.length).toBeGreaterThan(3);
      expect(categories).toContain(category);
    }
  });

  heldToItsCallbacks(provider, contract, { vendor: () => vendor, depsOf, promise, messageId });

  promise('look-up', 'is asked about a message whose answer never came', async () => {
    const asked = { messageId: messageId(), to: recipientOf(contract), sentAfter: systemClock.now() };
    const found = await provider.lookUp?.(vendor.account(), asked, depsOf());
    expect(['accepted', 'absent', 'unclear']).toContain(found?.kind);
    vendor.plays('down');
    expect(await provider.lookUp?.(vendor.account(), asked, depsOf())).toMatchObject({ kind: 'unclear' });
  });

  it('tells neither addresses nor secrets to the log', () => {
    const secrets = Object.values(vendor.account().secrets).filter((one) => typeof one === 'string');
    const text = JSON.stringify(told);
    for (const secret of [...secrets, recipientOf(contract)].filter((one) => one.length > 5))
      expect(text).not.toContain(secret);
  });
}

interface Lab {
  vendor(): PlayedVendor;
  depsOf(clock?: Clock): ProviderDeps;
  promise(name: ContractPromise, text: string, work: () => Promise<void> | void): void;
  messageId(): string;
}

function heldToItsCallbacks(provider: Provider, contract: ProviderContract, lab: Lab): void {
  const about = () => ({ messageId: lab.messageId(), ref: refOf(contract), at: systemClock.now() });
  const made = (given = about()) => contract.callbacks?.(lab.vendor().account(), given) ?? [];
  const verify = (callback: Callback, clock: Clock = systemClock) => {
    if (provider.receipts === undefined) throw new Error('it has no receipts');
    return provider.receipts.verify(lab.vendor().account(), callback, lab.depsOf(clock));
  };
  const read = (callback: Callback) => provider.receipts?.read(callback).receipts ?? [];

  lab.promise('bad-signature', 'believes its vendor, and nobody else', async () => {
    const callbacks = made();
    expect(callbacks.length).toBeGreaterThan(0);
    for (const { callback } of callbacks) {
      expect(await verify(callback)).toMatchObject({ kind: 'genuine' });
      const forgeries = forgeriesOf(callback);
      expect(forgeries.length).toBeGreaterThan(0);
      for (const forged of forgeries) expect(await verify(forged)).toMatchObject({ kind: 'forged' });
    }
  });

  lab.promise('stale-callback', 'believes nothing that was signed too long ago', async () => {
    const [first] = made();
    if (first === undefined) throw new Error('no callback');
    const later = createVirtualClock(systemClock.now().add({ hours: 48 }).toString());
    expect(await verify(first.callback, later)).toMatchObject({ kind: 'forged' });
  });

  lab.promise('replayed-callback', 'reads what is told again as the same', async () => {
    for (const { callback } of made()) {
      const [first, second] = [await verify(callback), await verify(callback)];
      if (first.kind === 'genuine') expect(second).toEqual(first);
      expect(read(callback)).toEqual(read(callback));
      expect(keysOf(read(callback)).length).toBeGreaterThan(0);
    }
  });

  lab.promise('out-of-order-callbacks', 'reads each callback as a fact of its own, in whatever order they come', () => {
    const given = about();
    const callbacks = made(given);
    const inOrder = callbacks.flatMap(({ callback }) => read(callback));
    const reversed = callbacks.toReversed().flatMap(({ callback }) => read(callback));
    expect(reversed.toReversed()).toEqual(inOrder);
    expect(inOrder.map((one) => one.kind)).toEqual(callbacks.map((one) => one.receipt));
    expect(new Set(keysOf(inOrder)).size).toBe(inOrder.length);
    for (const receipt of inOrder) {
      expect(receipt.messageId === given.messageId || receipt.ref === given.ref).toBe(true);
      expect(Number.isNaN(Date.parse(receipt.at))).toBe(false);
    }
  });
}

const keysOf = (receipts: readonly Receipt[]) => receipts.map((one) => one.key);

/** The same callback with another signature, without one, and, where it stands beside the body, with another body. */
function forgeriesOf(callback: Callback): Callback[] {
  const names = Object.keys(callback.headers).filter((name) => name.includes('signature') && !name.includes('nonce'));
  const headed = names.flatMap((name) => {
    const { [name]: value = '', ...others } = callback.headers;
    return [
      { ...callback, headers: { ...others, [name]: changed(value) } },
      { ...callback, headers: others },
    ];
  });
  if (names.length > 0) return [...headed, withOtherBody(callback)];
  const body = callback.body.toString('latin1');
  const signed = /signature"?\s*[:=]\s*"?([A-Za-z0-9+/=_%-]{20,})/i.exec(body)?.[1];
  if (signed === undefined) return [];
  return [changed(signed), ''].map((one) => ({ ...callback, body: Buffer.from(body.replace(signed, one), 'latin1') }));
}

/** Where there is no body, the address is what was signed. */
function withOtherBody(callback: Callback): Callback {
  if (callback.body.length === 0) return { ...callback, url: `${callback.url}&more=1` };
  return {
    ...callback,
    body: Buffer.from(callback.body.toString('latin1').replace(/[0-9a-f]{6}/, 'ffffff'), 'latin1'),
  };
}

/** One character in its middle is another. */
function changed(text: string): string {
  const at = Math.floor(text.length / 2);
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

const categories = ['address', 'content', 'account', 'throttled', 'transient', 'provider-down', 'unknown'];

const common = { messageId: '0198c1d2-0000-7000-8000-0000000fffff' };
const mail = {
  ...common,
  channel: 'email',
  to: 'ada@example.com',
  from: { address: 'us@example.com' },
  subject: 'Hello',
  text: 'Hello',
} as const;
const sms = { ...common, channel: 'sms', to: '+4915112345678', text: 'Hello', category: 'transactional' } as const;

function recipientOf(contract: ProviderContract): string {
  const made = contract.message('0198c1d2-0000-7000-8000-000000000000');
  return made.channel === 'push' ? made.token : made.channel === 'inapp' ? made.contactId : made.to;
}

/** As the vendor's own ids look, so that what is cut from them can be cut. */
const refOf = (contract: ProviderContract) => contract.ref ?? 'ref-0123456789abcdef';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function settledBy<T>(clock: VirtualClock, promise: Promise<T>, begun: () => boolean): Promise<T> {
  let done = false;
  const watched = promise.finally(() => (done = true));
  while (!done && !begun()) await turn();
  while (!done) {
    await turn();
    clock.advance(1000);
  }
  return watched;
}
