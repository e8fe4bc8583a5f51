import { describe, expect, it } from 'vitest';
import { refusalResult } from '../../outcome.rules.ts';
import type { ErrorCategory } from '../../port.ts';
import { contractFile, readContract } from '../../testing-spec.ts';
import { metaCode, metaErrors } from './errors.rules.ts';

const category = (code: number | string) => metaErrors[metaCode(code)]?.category;

interface Codes {
  codes: { code: number | string; class: string }[];
}

/** What each class of the collected table may become. `window`: in another form (content), or at another time (transient). */
const allowed: Record<string, readonly ErrorCategory[]> = {
  permanent: ['address', 'content'],
  suppress: ['address'],
  transient: ['transient', 'provider-down'],
  throttle: ['throttled', 'transient'],
  config: ['account', 'content'],
  window: ['content', 'transient'],
};

describe.skipIf(contractFile('errors/meta_whatsapp.json') === undefined)('the codes of Meta', () => {
  const codes = readContract<Codes>('errors/meta_whatsapp.json')?.codes ?? [];

  it('are all known', () => {
    expect(codes.length).toBeGreaterThan(50);
    expect(codes.filter(({ code }) => category(code) === undefined)).toEqual([]);
  });

  it.each(codes.map((one) => [one.code, one.class] as const))('%s is of the class %s', (code, name) => {
    expect(allowed[name]).toContain(category(code));
  });
});

describe('what a code of Meta means', () => {
  const result = (code: string, more: object = {}) =>
    refusalResult(metaErrors, { code, reason: 'x', status: 400, ...more });

  it('holds advertising to one person back for 24 hours at least, whatever Meta asks', () => {
    expect(result('131049')).toMatchObject({ kind: 'retry', category: 'transient', afterMs: 86_400_000 });
    expect(result('131049', { afterMs: 1000 })).toMatchObject({ afterMs: 86_400_000 });
  });

  it('slows one pair down and not the lane', () => {
    expect(result('131056')).toMatchObject({ kind: 'retry', category: 'transient', afterMs: 6000 });
    for (const code of ['130429', '80007', '4', '131048'])
      expect(result(code)).toMatchObject({ category: 'throttled' });
  });

  it('tells the account from the message where both are called a wrong parameter', () => {
    expect(category(metaCode(100))).toBe('content');
    expect(category(metaCode(100, 33))).toBe('account');
    expect(metaCode(100, 99)).toBe('100');
    expect(metaCode('131026', undefined)).toBe('131026');
  });

  it('stops the lane for a token, a lock, a payment, and any missing permission', () => {
    for (const code of ['190', '368', '131031', '131042', '200', '250', '299']) expect(category(code)).toBe('account');
    expect(category('300')).toBeUndefined();
  });

  it('asks for a template outside of the window, and blames each template for itself', () => {
    for (const code of ['131047', '132000', '132001', '132015', '131053'])
      expect(result(code)).toMatchObject({ kind: 'refused', category: 'content' });
  });

  it('closes an address for advertising only when that is what the person stopped', () => {
    expect(metaErrors['131050']).toMatchObject({ category: 'address', scope: 'marketing' });
    expect(metaErrors['131026']).toMatchObject({ category: 'address' });
    expect(metaErrors['131026']).not.toHaveProperty('scope');
  });
});
