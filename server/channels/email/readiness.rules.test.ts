import { describe, expect, it } from 'vitest';
import type { Dns } from '../port.ts';
import {
  dkimItem,
  dmarcItem,
  dmarcNames,
  oneClickItem,
  originItem,
  postalItem,
  senderItem,
  spfItem,
} from './readiness.rules.ts';
import type { VendorDns } from './readiness.rules.ts';
import { emailReadiness, mailReadiness } from './readiness.ts';

const signing = { host: 'mail.example.com', dkim: { domain: 'example.com', selector: 's1', publicKey: 'AAAA' } };

describe('the public address', () => {
  it.each([
    ['https://mail.acme.com', 'smtp.acme.com', 'ok'],
    ['http://mail.acme.com', 'smtp.acme.com', 'warning'],
    ['http://127.0.0.1:3000', 'smtp.acme.com', 'problem'],
    ['http://localhost:3000', '8.8.8.8', 'problem'],
    ['https://parley.local', 'smtp.acme.com', 'problem'],
    ['http://127.0.0.1:3000', '127.0.0.1', 'warning'],
    ['http://localhost:3000', 'mailhog', 'warning'],
    ['http://[::1]:3000', '[::1]', 'warning'],
  ] as const)('%s, handing over to %s: %s', (origin, host, state) => {
    expect(originItem(origin, host).state).toBe(state);
  });

  it('must be https for one-click', () => {
    expect(oneClickItem('https://x.example').state).toBe('ok');
    expect(oneClickItem('http://x.example').state).toBe('warning');
  });
});

describe('SPF', () => {
  it.each([
    [['v=spf1 include:_spf.example.net -all'], 'ok'],
    [['google-site-verification=1', 'V=SPF1 mx ~all'], 'ok'],
    [[], 'warning'],
    [['v=spf10 -all'], 'warning'],
    [['v=spf1 -all', 'v=spf1 mx -all'], 'warning'],
    [['v=spf1 +all'], 'warning'],
    [['v=spf1 all'], 'warning'],
    [undefined, 'unknown'],
  ] as const)('%j: %s', (records, state) => {
    expect(spfItem('example.com', records).state).toBe(state);
  });
});

describe('DKIM', () => {
  it.each([
    [['v=DKIM1; k=rsa; p=AAAA'], 'example.com', 'ok'],
    [['v=DKIM1; p=AA AA'], 'news.example.com', 'ok'],
    [['v=DKIM1; p=BBBB'], 'example.com', 'warning'],
    [['v=DKIM1; p='], 'example.com', 'warning'],
    [[], 'example.com', 'warning'],
    [['v=DKIM1; p=AAAA'], 'example.org', 'warning'],
    [['v=DKIM1; p=AAAA'], 'notexample.com', 'warning'],
    [undefined, 'example.com', 'unknown'],
  ] as const)('%j for %s: %s', (records, domain, state) => {
    expect(dkimItem(domain, signing, records).state).toBe(state);
  });

  it('tells what to publish, and what an account that does not sign should make sure of', () => {
    expect(dkimItem('example.com', signing, []).fix).toContain('p=AAAA');
    expect(dkimItem('example.com', { host: 'h', dkim: undefined }, undefined)).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('List-Unsubscribe-Post'),
    });
  });
});

describe('DMARC', () => {
  it.each([
    [['v=DMARC1; p=none; rua=mailto:a@example.com'], 'ok'],
    [['v=DMARC1;p=reject'], 'ok'],
    [['v=DMARC1; rua=mailto:a@example.com'], 'warning'],
    [[], 'warning'],
    [undefined, 'unknown'],
  ] as const)('%j: %s', (records, state) => {
    expect(dmarcItem('example.com', records).state).toBe(state);
  });

  it('is looked for at the domain, then above it', () => {
    expect(dmarcNames('a.b.example.com')).toEqual([
      '_dmarc.a.b.example.com',
      '_dmarc.b.example.com',
      '_dmarc.example.com',
    ]);
    expect(dmarcNames('example.com')).toEqual(['_dmarc.example.com']);
  });
});

describe('the list of an account', () => {
  const table: Record<string, string[]> = {
    'example.com': ['v=spf1 -all'],
    's1._domainkey.example.com': ['v=DKIM1; p=AAAA'],
    '_dmarc.example.com': ['v=DMARC1; p=reject'],
  };
  const dns: Dns = { txt: async (name) => table[name] ?? [] };
  const facts = {
    from: { address: 'news@example.com' },
    publicOrigin: 'https://mail.example.com',
    postalAddress: '1 Road, Town',
    dns,
  };

  it('is all green when everything is in order', async () => {
    const items = await emailReadiness(signing, facts);
    expect(items.map((item) => [item.key, item.state])).toEqual([
      ['sender', 'ok'],
      ['public-https-origin', 'ok'],
      ['one-click-unsubscribe', 'ok'],
      ['postal-address', 'ok'],
      ['spf', 'ok'],
      ['dkim', 'ok'],
      ['dmarc', 'ok'],
    ]);
    expect(items.every((item) => item.fix === null)).toBe(true);
  });

  it('finds the policy of the organisation above a subdomain', async () => {
    const items = await emailReadiness(signing, { ...facts, from: { address: 'a@news.example.com' } });
    expect(items.find((item) => item.key === 'dmarc')?.state).toBe('ok');
    expect(items.find((item) => item.key === 'spf')?.state).toBe('warning');
  });

  it('says unknown, not wrong, when the DNS does not answer', async () => {
    const silent: Dns = { txt: () => Promise.reject(new Error('ETIMEOUT')) };
    const items = await emailReadiness(signing, { ...facts, dns: silent });
    expect(items.filter((item) => item.state === 'unknown').map((item) => item.key)).toEqual(['spf', 'dkim', 'dmarc']);
  });

  it('looks nothing up without a sender, and calls that a problem', async () => {
    const never: Dns = { txt: () => Promise.reject(new Error('asked')) };
    const items = await emailReadiness(signing, { ...facts, from: undefined, dns: never });
    expect(items.map((item) => item.key)).toEqual([
      'sender',
      'public-https-origin',
      'one-click-unsubscribe',
      'postal-address',
    ]);
    expect(senderItem(undefined).state).toBe('problem');
    expect(postalItem(' ').state).toBe('warning');
  });
});

describe('the list of a vendor that signs for us', () => {
  const vendor: VendorDns = {
    name: 'Mailgun',
    host: 'api.mailgun.net',
    domain: 'mg.example.com',
    dkimSelectors: ['mx', 'k1'],
    spfInclude: 'mailgun.org',
    spfIsOptional: false,
    fix: 'Publish what Mailgun shows.',
  };
  const table: Record<string, string[]> = {
    'mg.example.com': ['v=spf1 include:mailgun.org ~all'],
    'k1._domainkey.mg.example.com': ['k=rsa; p=AAAA'],
    '_dmarc.example.com': ['v=DMARC1; p=reject'],
  };
  const facts = {
    from: { address: 'news@example.com' },
    publicOrigin: 'https://mail.example.com',
    postalAddress: '1 Road, Town',
    dns: { txt: async (name: string) => table[name] ?? [] },
  };
  const states = async (change: Partial<VendorDns>, from = 'news@example.com', dns: Dns = facts.dns) =>
    Object.fromEntries(
      (await mailReadiness({ ...vendor, ...change }, { ...facts, dns, from: { address: from } })).map((item) => [
        item.key,
        item.state,
      ]),
    );

  it('is all green when the vendor’s records are there', async () => {
    expect(await states({})).toMatchObject({ spf: 'ok', dkim: 'ok', dmarc: 'ok', sender: 'ok' });
  });

  it('misses the vendor in the SPF, unless its return path has one of its own', async () => {
    expect(await states({ spfInclude: 'sendgrid.net' })).toMatchObject({ spf: 'warning' });
    expect(await states({ spfInclude: 'sendgrid.net', spfIsOptional: true })).toMatchObject({ spf: 'ok' });
    expect(await states({ spfDomain: 'bounce.example.com' })).toMatchObject({ spf: 'warning' });
  });

  it('misses the key, the alignment, or says that it cannot see', async () => {
    expect(await states({ dkimSelectors: ['mx'] })).toMatchObject({ dkim: 'warning' });
    expect(await states({ dkimSelectors: [] })).toMatchObject({ dkim: 'unknown' });
    expect(await states({}, 'news@example.org')).toMatchObject({ dkim: 'warning' });
    const silent: Dns = { txt: () => Promise.reject(new Error('ETIMEOUT')) };
    expect(await states({}, 'news@example.com', silent)).toMatchObject({
      spf: 'unknown',
      dkim: 'unknown',
      dmarc: 'unknown',
    });
  });

  it('looks nothing up without a sender', async () => {
    const items = await mailReadiness(vendor, { ...facts, from: undefined });
    expect(items.map((item) => item.key)).not.toContain('spf');
  });
});
