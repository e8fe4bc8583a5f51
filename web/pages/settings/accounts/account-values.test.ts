import { describe, expect, it } from 'vitest';
import { account, createProvider, updateProvider } from '../../../../contract/providers.ts';
import { changeOf, creationOf, valuesOf } from './account-values.ts';

const filled = () => ({
  ...valuesOf(undefined),
  name: 'Our server',
  sender: { from: { name: 'Acme', email: 'news@example.com' }, replyTo: '' },
  limits: { perSecond: 20, perMinute: '', perHour: '', perDay: '', perRecipientPerDay: '' },
});

const smtpKind = { kind: 'smtp', channel: 'email' as const, fields: [] };
const stored = account.parse({
  id: '01900000-0000-7000-8000-000000000000',
  channel: 'email',
  kind: 'smtp',
  name: 'Our server',
  settings: {
    host: 'smtp.example.com',
    port: 465,
    security: 'tls',
    username: 'u',
    maxConnections: 3,
    chunking: 'off',
    dkim: { domain: 'example.com', selector: 's1' },
  },
  secretsSet: ['password'],
  callbackUrl: null,
  limits: { perMinute: 100, warmup: { startsOn: '2026-11-01', ceilings: [50, 100] } },
  sender: { from: { email: 'news@example.com', name: 'Acme' }, replyTo: null },
  pausedAt: null,
  createdAt: '2026-11-21T10:00:00Z',
  updatedAt: '2026-11-21T10:00:00Z',
  revision: 1,
});

describe('the form of an account', () => {
  it('makes what the API takes, for each kind', () => {
    const smtp = creationOf(smtpKind, { ...filled(), settings: { ...filled().settings, host: 'smtp.example.com' } });
    expect(createProvider.body.parse(smtp)).toMatchObject({ kind: 'smtp', limits: { perSecond: 20 } });
    expect(smtp.settings).not.toHaveProperty('password');
    expect(
      createProvider.body.parse(creationOf({ kind: 'sandbox', channel: 'email', fields: [] }, filled())).kind,
    ).toBe('sandbox');
  });

  it('leaves a stored secret alone unless a new one was typed', () => {
    const same = changeOf(smtpKind, { ...filled(), settings: { ...filled().settings, host: 'h' } }, stored);
    expect(same.settings).not.toHaveProperty('password');
    const other = changeOf(
      smtpKind,
      { ...filled(), settings: { ...filled().settings, host: 'h', password: 'new' } },
      stored,
    );
    expect(updateProvider.body.parse(other).settings).toHaveProperty('password', 'new');
  });

  it('shows what is stored and gives the same back', () => {
    expect(changeOf(smtpKind, valuesOf(stored), stored)).toEqual({
      name: stored.name,
      settings: stored.settings,
      limits: stored.limits,
      sender: stored.sender,
    });
  });
});
