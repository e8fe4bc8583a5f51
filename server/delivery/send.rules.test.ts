import { describe, expect, test } from 'vitest';
import type { AppError } from '../platform/errors.ts';
import { answerOf, checkTemplate, checkTried, kindOf, timeOf } from './send.rules.ts';

const now = Temporal.Instant.from('2026-02-10T12:00:00Z');

function refusal(act: () => unknown): Pick<AppError, 'code' | 'errors'> | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as AppError;
  }
}

describe('what a caller is told', () => {
  test('is the decision, in its own words', () => {
    expect(answerOf('m', { outcome: 'send' })).toEqual({ id: 'm', state: 'planned', decision: { outcome: 'send' } });
    expect(answerOf('m', { outcome: 'hold', reason: 'scheduled', until: now })).toEqual({
      id: 'm',
      state: 'held',
      decision: { outcome: 'hold', reason: 'scheduled', until: '2026-02-10T12:00:00Z' },
    });
    expect(answerOf('m', { outcome: 'suppress', reason: 'withdrawn' })).toEqual({
      id: 'm',
      state: 'suppressed',
      decision: { outcome: 'suppress', reason: 'withdrawn' },
    });
  });
});

describe('a template', () => {
  test('of another channel is refused where it is named', () => {
    const act = () => checkTemplate({ channel: 'sms', category: 'otp' }, { channel: 'email' }, false, '/messages/7');
    expect(refusal(act)).toMatchObject({ code: 'invalid-input', errors: [{ pointer: '/messages/7/templateId' }] });
  });

  test('of marketing needs a topic, whatever else it has', () => {
    const marketing = { channel: 'email', category: 'marketing' };
    expect(refusal(() => checkTemplate(marketing, { channel: 'email' }, true, ''))).toMatchObject({
      code: 'message/topic-required',
      errors: [{ pointer: '/topic' }],
    });
    expect(refusal(() => checkTemplate(marketing, { channel: 'email', topic: 'news' }, true, ''))).toBeUndefined();
  });
});

describe('a time', () => {
  test('may lie up to a year ahead, or behind', () => {
    expect(timeOf(undefined, now, '')).toBeNull();
    expect(timeOf('2025-01-01T00:00:00Z', now, '')?.toString()).toBe('2025-01-01T00:00:00Z');
    expect(timeOf('2027-02-10T12:00:00+01:00', now, '')?.toString()).toBe('2027-02-10T11:00:00Z');
    expect(refusal(() => timeOf('2027-03-01T00:00:00Z', now, '/messages/1'))?.errors).toEqual([
      { pointer: '/messages/1/sendAt', message: 'is more than a year ahead' },
    ]);
  });
});

describe('a value without which it cannot be rendered', () => {
  const missing = (names: readonly string[]) =>
    refusal(() => checkTried({ ok: false, detail: 'x', missing: names }, '/messages/2'));

  test('is named where the caller can put it right', () => {
    expect(
      missing(['variables.code', 'variables.order.a/b', 'contact.first_name', 'workspace.postal_address']),
    ).toMatchObject({
      code: 'message/missing-variable',
      errors: [
        { pointer: '/messages/2/variables/code' },
        { pointer: '/messages/2/variables/order/a~1b' },
        { pointer: '/messages/2/to', message: 'has no value for contact.first_name, which has no default' },
        { pointer: '/messages/2/templateId' },
      ],
    });
  });

  test('is told apart from a template that fails', () => {
    const act = () => checkTried({ ok: false, detail: 'html: too slow', missing: [] }, '');
    expect(refusal(act)).toMatchObject({ code: 'message/render-failed', errors: [{ pointer: '/templateId' }] });
    expect(refusal(() => checkTried({ ok: true }, ''))).toBeUndefined();
  });
});

test('a channel goes to addresses of its kind', () => {
  expect(['email', 'sms', 'whatsapp', 'push'].map(kindOf)).toEqual(['email', 'phone', 'phone', 'push']);
});
