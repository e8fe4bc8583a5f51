import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createProvider } from '../../contract/providers.ts';
import {
  changeSettings,
  checkSettings,
  givenLimits,
  healthState,
  partSettings,
  senderIdentity,
  withAbsent,
} from './account.rules.ts';
import type { HealthFacts } from './account.rules.ts';
import { providerKinds } from './kinds.ts';
import { allProviders, findProvider } from './registry.ts';
import type { Provider } from './port.ts';

const smtp = findProvider('smtp') as Provider;
const pem = String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
const open = {
  host: 'mail.example.com',
  port: 587,
  security: 'starttls',
  username: 'acme',
  maxConnections: 5,
  chunking: 'auto',
  dkim: null,
};

describe('the kinds of providers', () => {
  it.each(providerKinds())('$kind is described field by field, so that a form can be made of it', (kind) => {
    const provider = findProvider(kind.kind);
    expect(provider?.channel).toBe(kind.channel);
    expect(kind.title).not.toBe(kind.kind);
    const fields = { ...(kind.settings['properties'] as object), ...(kind.secrets['properties'] as object) };
    const named = [...Object.keys(provider?.settings.shape ?? {}), ...Object.keys(provider?.secrets.shape ?? {})];
    expect(Object.keys(fields).toSorted()).toEqual(named.toSorted());
    for (const [name, field] of Object.entries(fields)) expect(field, name).toHaveProperty('title');
    expect(kind.callbacks === null).toBe(provider?.receipts === undefined);
  });

  it('are all there are', () => expect(providerKinds()).toHaveLength(allProviders().length));
});

describe('the settings of an account', () => {
  it('are parted into what may be shown and what is sealed', () => {
    expect(partSettings(smtp, { host: 'h', password: 'p', dkimPrivateKey: pem, username: undefined })).toEqual({
      settings: { host: 'h' },
      secrets: { password: 'p', dkimPrivateKey: pem },
    });
  });

  it('as the API takes them are settings as the provider takes them', () => {
    const body = createProvider.body.parse({
      kind: 'smtp',
      channel: 'email',
      name: 'Relay',
      settings: { host: 'mail.example.com' },
    });
    const { settings, secrets } = partSettings(smtp, body.settings);
    expect(checkSettings(smtp, { settings: withAbsent(smtp, settings), secrets })).toEqual({
      settings: {
        host: 'mail.example.com',
        port: 587,
        security: 'starttls',
        username: null,
        maxConnections: 5,
        chunking: 'auto',
        dkim: null,
      },
      secrets: {},
    });
  });

  it('are refused with every wrong field named', () => {
    const wrong = { settings: { ...open, host: 'not a host', port: 70_000 }, secrets: { dkimPrivateKey: 'nope' } };
    try {
      checkSettings(smtp, wrong);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid-input' });
      const pointers = (error as { errors: { pointer: string }[] }).errors.map((one) => one.pointer);
      expect(pointers).toEqual(['/settings/host', '/settings/port', '/settings/dkimPrivateKey']);
    }
  });

  it('need the password of a user and the key of a signature', () => {
    expect(() => checkSettings(smtp, { settings: open, secrets: {} })).toThrow('password is needed');
    const signing = { ...open, username: null, dkim: { domain: 'example.com', selector: 's1' } };
    expect(() => checkSettings(smtp, { settings: signing, secrets: {} })).toThrow('dkimPrivateKey is needed');
    expect(checkSettings(smtp, { settings: signing, secrets: { dkimPrivateKey: pem } }).settings).toEqual(signing);
  });
});

describe('changing an account', () => {
  const stored = { settings: open, secrets: { password: 'old' } };

  it('leaves what is left out, secrets included', () => {
    expect(changeSettings(smtp, stored, { port: 465, security: 'tls' })).toEqual({
      settings: { ...open, port: 465, security: 'tls' },
      secrets: { password: 'old' },
    });
    expect(changeSettings(smtp, stored, { password: 'new' }).secrets).toEqual({ password: 'new' });
  });

  it('does not let a stored password follow the account to another host or onto an open line', () => {
    expect(() => changeSettings(smtp, stored, { host: 'evil.example' })).toThrow('given again');
    expect(() => changeSettings(smtp, stored, { security: 'none' })).toThrow('given again');
    expect(changeSettings(smtp, stored, { host: 'new.example', password: 'mine' })).toMatchObject({
      secrets: { password: 'mine' },
    });
  });

  it('does not let any stored secret follow the account to another base URL', () => {
    const apns = findProvider('apns') as Provider;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const settings = {
      teamId: 'TEAM123456',
      keyId: 'KEY1234567',
      topic: 'com.example',
      environment: null,
      baseUrl: null,
    };
    const held = { settings, secrets: { privateKey: key } };
    expect(() => changeSettings(apns, held, { baseUrl: 'https://evil.example' })).toThrow(
      'privateKey: must be given again',
    );
    const moved = { baseUrl: 'https://own.example/', privateKey: key };
    expect(changeSettings(apns, held, moved).settings).toMatchObject({ baseUrl: 'https://own.example' });
    expect(changeSettings(apns, held, { topic: 'com.other' }).secrets).toEqual({ privateKey: key });
  });
});

describe('a sender', () => {
  it('is read in either spelling', () => {
    const from = { address: 'ada@example.com', name: 'Ada of Acme' };
    expect(senderIdentity({ from: 'Ada of Acme <ada@example.com>' })).toEqual({ from });
    expect(
      senderIdentity({ from: { email: 'ada@example.com', name: 'Ada of Acme' }, replyTo: 'help@example.com' }),
    ).toEqual({
      from,
      replyTo: { address: 'help@example.com' },
    });
  });

  it.each(['nobody', 'Ada <ada@example>', 'Ada <ada@exa mple.com>'])('%s is refused', (from) => {
    expect(() => senderIdentity({ from })).toThrow('sender/from');
  });

  it('with a line break in its name is refused', () => {
    expect(() => senderIdentity({ from: { email: 'ada@example.com', name: 'x\u0085Bcc: y' } })).toThrow(
      'control character',
    );
  });
});

describe('the health of an account', () => {
  const facts = (accepted: number, failed: number, unknown = 0): HealthFacts => ({
    accepted,
    failed,
    unknown,
    lastAcceptedAt: undefined,
    lastFailureAt: undefined,
    lastFailure: undefined,
  });
  it.each([
    [facts(0, 0), false, 'idle'],
    [facts(100, 1), false, 'ok'],
    [facts(90, 10), false, 'degraded'],
    [facts(95, 0, 6), false, 'degraded'],
    [facts(0, 3), false, 'down'],
    [facts(100, 0), true, 'paused'],
  ] as const)('%j, paused %s: %s', (given, paused, state) => {
    expect(healthState(given, paused)).toBe(state);
  });
});

it('limits that were left out are not there', () => {
  expect(
    givenLimits({
      perSecond: 5,
      perMinute: undefined,
      perHour: undefined,
      perDay: undefined,
      perRecipientPerDay: undefined,
    }),
  ).toEqual({ perSecond: 5 });
});
