import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualClock, systemClock } from '../../platform/clock.ts';
import type { VirtualClock } from '../../platform/clock.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { createHostResolver } from '../../platform/network.ts';
import type { ProviderDeps, Sender, SendResult } from '../port.ts';
import { providerDeps } from '../testing.ts';
import { apnsProvider } from './apns/provider.ts';
import { apnsToken, startApns } from './apns/testing.ts';
import { fcmProvider } from './fcm/provider.ts';
import { fcmToken, startFcm } from './fcm/testing.ts';
import { push } from './testing.ts';
import type { PlayedPush } from './testing.ts';
import { webpushProvider } from './webpush/provider.ts';
import { startWebpush, subscriptionOf } from './webpush/testing.ts';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function played(start: () => Promise<PlayedPush>): Promise<PlayedPush> {
  const vendor = await start();
  opened.push(vendor);
  return vendor;
}

const settingsOf = (vendor: PlayedPush) => vendor.account() as never;
function line(
  provider: { create(account: never, deps: ProviderDeps): Sender },
  vendor: PlayedPush,
  deps = vendor.open(),
) {
  const sender = provider.create(settingsOf(vendor), deps);
  opened.push(sender);
  return sender;
}

/** Lets the network do its part, and the clock move on, until it has happened. */
async function until(clock: VirtualClock, ready: () => boolean, stepMs: number): Promise<void> {
  for (let look = 0; look < 5_000 && !ready(); look++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    clock.advance(stepMs);
  }
  expect(ready()).toBe(true);
}

describe('FCM', () => {
  const asksForTokens = (vendor: PlayedPush) => vendor.requests.filter(({ path }) => path === '/token').length;

  it('shows the message on the device, and tells where it came from', async () => {
    const vendor = await played(startFcm);
    expect(await line(fcmProvider, vendor).send(push(fcmToken))).toMatchObject({
      kind: 'accepted',
      ref: expect.stringMatching(/^projects\/parley-sandbox\/messages\//),
    });
    expect(vendor.kept[0]).toMatchObject({
      to: fcmToken,
      shown: { heading: 'Hello', text: 'There is news', url: 'https://example.com/news' },
      messageId: push(fcmToken).messageId,
    });
  });

  it('signs in once for many messages, and again before the token ends', async () => {
    const clock = createVirtualClock(systemClock.now().toString());
    const vendor = await played(startFcm);
    const sender = line(fcmProvider, vendor, vendor.open({ clock }));
    const results = await Promise.all(Array.from({ length: 20 }, () => sender.send(push(fcmToken))));
    expect(results.every((one) => one.kind === 'accepted')).toBe(true);
    expect(asksForTokens(vendor)).toBe(1);
    clock.advance(50 * 60_000);
    await sender.send(push(fcmToken));
    expect(asksForTokens(vendor)).toBe(1);
    clock.advance(6 * 60_000);
    await sender.send(push(fcmToken));
    expect(asksForTokens(vendor)).toBe(2);
  });

  it('signs in again when its token was revoked, and hands the message over once', async () => {
    const vendor = await played(startFcm);
    const sender = line(fcmProvider, vendor);
    await sender.send(push(fcmToken));
    vendor.answer({ status: 401, body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'expired' } } });
    expect(await sender.send(push(fcmToken))).toMatchObject({ kind: 'accepted' });
    expect([asksForTokens(vendor), vendor.kept.length]).toEqual([2, 2]);
    const refused = { status: 401, body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'no' } } };
    vendor.answer(refused, refused);
    expect(await sender.send(push(fcmToken))).toMatchObject({ kind: 'refused', category: 'account' });
  });

  it('never asks the server that a key file names for a token, and hides the token of the device', async () => {
    const vendor = await played(startFcm);
    const { settings, secrets } = vendor.account();
    const file = JSON.parse(String(secrets['serviceAccount'])) as object;
    const evil = JSON.stringify({ ...file, token_uri: 'http://127.0.0.1:1/steal' });
    const sender = fcmProvider.create(
      { ...vendor.account(), settings, secrets: { serviceAccount: evil } } as never,
      vendor.open(),
    );
    opened.push(sender);
    expect(await sender.send(push(fcmToken))).toMatchObject({ kind: 'accepted' });
    const error = { code: 400, status: 'INVALID_ARGUMENT', message: `bad ${fcmToken}` };
    vendor.answer({ status: 400, body: { error } });
    expect(JSON.stringify(await sender.send(push(fcmToken)))).not.toContain(fcmToken);
  });

  it('retires a token that is dead, and keeps one that the message is to blame for', async () => {
    const vendor = await played(startFcm);
    const sender = line(fcmProvider, vendor);
    expect(await sender.send(push(`bounce-${fcmToken}`))).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: 'UNREGISTERED',
    });
    expect(await sender.send(push(`block-${fcmToken}`))).toMatchObject({ kind: 'refused', category: 'content' });
    expect(await sender.send(push(fcmToken, { data: { from: 'x' } }))).toMatchObject({
      kind: 'refused',
      category: 'content',
    });
  });
});

describe('APNs', () => {
  it('uses one connection for all messages, and the id of ours', async () => {
    const vendor = await played(startApns);
    const sender = line(apnsProvider, vendor);
    const ids = Array.from(
      { length: 30 },
      (_, at) => `0198c1d2-0000-7000-8000-0000000000${String(at).padStart(2, '0')}`,
    );
    const results = await Promise.all(ids.map((messageId) => sender.send(push(apnsToken, { messageId }))));
    expect(results).toEqual(ids.map((ref) => ({ kind: 'accepted', ref })));
    expect(vendor.connections()).toBe(1);
    expect(vendor.kept[0]).toMatchObject({ shown: { heading: 'Hello', text: 'There is news' } });
  });

  it('opens another when the server goes away, and loses nothing', async () => {
    const vendor = await played(startApns);
    const sender = line(apnsProvider, vendor);
    await sender.send(push(apnsToken));
    vendor.goAway();
    const results = await Promise.all(Array.from({ length: 10 }, () => sender.send(push(apnsToken))));
    const kinds = results.map((one) => one.kind);
    // Whatever met the closing line was not taken, and says so.
    expect(kinds.filter((kind) => kind === 'unknown')).toEqual([]);
    expect(vendor.kept.length).toBe(1 + kinds.filter((kind) => kind === 'accepted').length);
    expect(await sender.send(push(apnsToken))).toMatchObject({ kind: 'accepted' });
    expect(vendor.connections()).toBe(2);
  });

  it('gives up a line whose server answers no pings: what was on it is in doubt, what comes next takes another', async () => {
    const clock = createVirtualClock(systemClock.now().toString());
    let connections = 0;
    const sockets: Socket[] = [];
    // Accepts connections, and is deaf and dumb.
    const deaf = createServer((socket) => {
      connections++;
      sockets.push(socket.on('error', () => {}));
    });
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const vendor = await played(startApns);
    const account = vendor.account();
    const baseUrl = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
    const settings = { ...account.settings, baseUrl };
    const sender = apnsProvider.create({ ...account, settings } as never, vendor.open({ clock }));
    const first = sender.send(push(apnsToken));
    await until(clock, () => connections === 1, 0);
    let settled: SendResult | undefined;
    void first.then((result) => (settled = result));
    await until(clock, () => settled !== undefined, 1000);
    expect(settled).toMatchObject({ kind: 'unknown', code: 'timeout' });
    for (let second = 0; second < 90; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      clock.advance(1000);
    }
    const next = sender.send(push(apnsToken));
    await until(clock, () => connections === 2, 0);
    for (const socket of sockets) socket.destroy();
    expect(await next).toMatchObject({ kind: expect.stringMatching(/unknown|retry/) });
    await sender.close();
    await new Promise((resolve) => deaf.close(resolve));
  });

  it('makes a new provider token when the old one has expired, once', async () => {
    const clock = createVirtualClock(systemClock.now().toString());
    const vendor = await played(startApns);
    const sender = line(apnsProvider, vendor, vendor.open({ clock }));
    await sender.send(push(apnsToken));
    clock.advance(25 * 60_000);
    vendor.answer({ status: 403, body: { reason: 'ExpiredProviderToken' } });
    expect(await sender.send(push(apnsToken))).toMatchObject({ kind: 'accepted' });
    // Within 20 minutes Apple takes no other.
    vendor.answer({ status: 403, body: { reason: 'ExpiredProviderToken' } });
    expect(await sender.send(push(apnsToken))).toMatchObject({ kind: 'refused', category: 'account' });
  });

  it('retires a device that is gone, and sends nothing that is too long', async () => {
    const vendor = await played(startApns);
    const sender = line(apnsProvider, vendor);
    expect(await sender.send(push(`dead${apnsToken.slice(4)}`))).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: 'Unregistered',
    });
    expect(await sender.send(push('not-hexadecimal'))).toMatchObject({ kind: 'refused', category: 'address' });
    const before = vendor.heard.length;
    expect(await sender.send(push(apnsToken, { body: 'x'.repeat(4096) }))).toMatchObject({
      kind: 'refused',
      category: 'content',
      code: 'PayloadTooLarge',
    });
    expect(vendor.heard).toHaveLength(before);
  });

  it('connects nowhere the operator does not let it', async () => {
    const vendor = await played(startApns);
    const resolveHost = createHostResolver({ allowPrivateNetworks: false, clock: systemClock });
    const sender = line(apnsProvider, vendor, vendor.open({ resolveHost }));
    expect(await sender.send(push(apnsToken))).toMatchObject({
      kind: 'refused',
      category: 'account',
      code: 'refused-host',
    });
    expect(vendor.connections()).toBe(0);
    const sandbox = {
      host: '',
      port: 0,
      password: () => '',
      vendorUrl: () => String(vendor.account().settings['baseUrl']),
    };
    const trusted = line(apnsProvider, vendor, vendor.open({ resolveHost, sandbox: () => sandbox }));
    expect(await trusted.send(push(apnsToken))).toMatchObject({ kind: 'accepted' });
  });
});

describe('Web Push', () => {
  it('is read by the browser that subscribed, and by nobody on the way', async () => {
    const vendor = await played(startWebpush);
    const sender = line(webpushProvider, vendor);
    expect(await sender.send(push(subscriptionOf('ada'), { ttlSeconds: 60, collapseKey: 'order 17' }))).toMatchObject({
      kind: 'accepted',
    });
    expect(vendor.kept[0]).toMatchObject({ to: 'ada', shown: { heading: 'Hello', text: 'There is news' } });
    expect(vendor.heard[0]).not.toContain('There is news');
    expect(vendor.requests[0]?.headers).toMatchObject({
      ttl: '60',
      urgency: 'high',
      topic: expect.stringMatching(/^[\w-]{1,32}$/),
    });
  });

  it('retires a subscription that has ended', async () => {
    const vendor = await played(startWebpush);
    const sender = line(webpushProvider, vendor);
    expect(await sender.send(push(subscriptionOf('bounce-1')))).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: '410',
    });
    vendor.answer({ status: 404 });
    expect(await sender.send(push(subscriptionOf('ada')))).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: '404',
    });
    expect(await sender.send(push('{"endpoint":"https://fcm.googleapis.com/x"}'))).toMatchObject({
      kind: 'refused',
      category: 'address',
      code: 'invalid-subscription',
    });
  });

  it('calls no host that a stranger made up, and none inside the house', async () => {
    const vendor = await played(startWebpush);
    const elsewhere = subscriptionOf('ada').replace('http://sandbox.localhost/webpush', 'https://evil.example');
    expect(await line(webpushProvider, vendor).send(push(elsewhere))).toMatchObject({
      kind: 'refused',
      code: 'unknown-service',
    });
    // A name that the account trusts but that leads inside is stopped by the guard of the client.
    const resolveHost = createHostResolver({
      allowPrivateNetworks: false,
      clock: systemClock,
      lookup: () => Promise.resolve(['127.0.0.1']),
    });
    const http = createHttpClient({ resolveHost, clock: systemClock });
    opened.push(http);
    const account = vendor.account();
    const settings = { ...account.settings, services: ['push.own.example'] };
    const sender = webpushProvider.create({ ...account, settings } as never, { ...providerDeps(systemClock), http });
    opened.push(sender);
    const inside = elsewhere.replace('evil.example', 'push.own.example');
    const result = await sender.send(push(inside));
    expect(result).toMatchObject({ kind: 'refused', code: 'refused-host' });
    expect(vendor.heard).toEqual([]);
  });

  it('without a base URL the sandbox is nowhere', async () => {
    const vendor = await played(startWebpush);
    const account = vendor.account();
    const sender = webpushProvider.create(
      { ...account, settings: { ...account.settings, baseUrl: null } } as never,
      vendor.open(),
    );
    opened.push(sender);
    expect(await sender.send(push(subscriptionOf('ada')))).toMatchObject({ kind: 'refused', code: 'unknown-service' });
  });
});
