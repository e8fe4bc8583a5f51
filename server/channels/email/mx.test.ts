import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../platform/clock.ts';
import type { MailDns } from '../port.ts';
import { createMailRoutes } from './mx.ts';

const mx: Record<string, { exchange: string; priority: number }[]> = {
  'example.com': [
    { exchange: 'backup.example.com', priority: 20 },
    { exchange: 'mail.example.com', priority: 10 },
  ],
  'null.example.com': [{ exchange: '', priority: 0 }],
};

function opened(silent = false) {
  const asked: string[] = [];
  const clock = createVirtualClock();
  const state = { silent };
  const dns: MailDns = {
    mx: async (name) => {
      asked.push(name);
      if (state.silent) throw new Error('ETIMEOUT');
      return mx[name] ?? [];
    },
    addresses: async (name) => (name === 'bare.example.com' ? ['192.0.2.1'] : []),
  };
  return { check: createMailRoutes({ dns, clock }), asked, clock, state };
}

describe('whether a domain takes mail', () => {
  it.each([
    ['example.com', 'yes', 'mail.example.com'],
    ['bare.example.com', 'yes', 'no MX record'],
    ['null.example.com', 'no', 'null MX'],
    ['gone.example.com', 'no', 'neither'],
    ['EXAMPLE.com', 'yes', 'example.com'],
    ['not a domain', 'no', 'not a domain'],
  ])('%s: %s', async (domain, takesMail, word) => {
    expect(await opened().check(domain)).toMatchObject({ takesMail, detail: expect.stringContaining(word) });
  });

  it('is asked once for all who ask at the same time, and again after an hour', async () => {
    const { check, asked, clock } = opened();
    await Promise.all([check('example.com'), check('Example.com'), check('example.com')]);
    clock.advance(3_599_000);
    await check('example.com');
    expect(asked).toHaveLength(1);
    clock.advance(2_000);
    await check('example.com');
    expect(asked).toHaveLength(2);
  });

  it('is unknown while the DNS is silent, and asked again in a minute', async () => {
    const { check, asked, clock, state } = opened(true);
    expect(await check('example.com')).toMatchObject({ takesMail: 'unknown' });
    state.silent = false;
    expect(await check('example.com')).toMatchObject({ takesMail: 'unknown' });
    expect(asked).toHaveLength(1);
    clock.advance(61_000);
    expect(await check('example.com')).toMatchObject({ takesMail: 'yes' });
  });
});
