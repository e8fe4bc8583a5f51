import { describe, expect, test } from 'vitest';
import { changesOf, createBody, emptyForm, formProblems, type CampaignFormValues } from './form.rules.ts';

const filled: CampaignFormValues = { ...emptyForm, name: 'May news', templateId: 't1', topic: 'news' };

describe('a campaign form', () => {
  test('the audience of a topic is the topic it is about, unless another is chosen', () => {
    expect(createBody(filled).audience).toEqual({ topic: 'news' });
    expect(createBody({ ...filled, audienceTopic: 'offers' }).audience).toEqual({ topic: 'offers' });
    expect(createBody({ ...filled, audience: 'all' }).audience).toEqual({ all: true });
  });

  test('a sender that is switched off is not sent, even when its fields are filled in', () => {
    const values = { ...filled, fromEmail: 'ada@example.com', fromName: 'Ada' };
    expect(createBody(values)).not.toHaveProperty('from');
    expect(createBody({ ...values, ownSender: true }).from).toEqual({ email: 'ada@example.com', name: 'Ada' });
  });

  test('a change carries what changed; null takes the sender back to the account’s', () => {
    const before = { ...filled, ownSender: true, fromEmail: 'ada@example.com' };
    expect(changesOf(before, { ...before, ownSender: false })).toEqual({ from: null });
    expect(changesOf(filled, { ...filled, topic: 'offers' })).toEqual({
      topic: 'offers',
      audience: { topic: 'offers' },
    });
    expect(changesOf(filled, filled)).toEqual({});
  });

  test('a campaign of another channel has no sender of its own', () => {
    const values = { ...filled, channel: 'sms' as const, ownSender: true, fromEmail: 'ada@example.com' };
    expect(createBody(values)).toMatchObject({ channels: ['sms'] });
    expect(createBody(values)).not.toHaveProperty('from');
    expect(formProblems({ ...values, fromEmail: '' })).toEqual({});
    expect(changesOf(filled, { ...filled, channel: 'push', templateId: 't2' })).toEqual({
      channels: ['push'],
      templateId: 't2',
    });
  });

  test('what is missing is named by field', () => {
    expect(Object.keys(formProblems(emptyForm))).toEqual(['name', 'templateId', 'topic']);
    expect(formProblems({ ...filled, ownSender: true })).toHaveProperty('fromEmail');
    expect(formProblems(filled)).toEqual({});
  });
});
