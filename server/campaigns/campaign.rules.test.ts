import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../delivery/index.ts';
import { audienceItem, launchItem, launchProblems, refusalOf, variablesItem, waterfallOf } from './campaign.rules.ts';
import type { AudienceGroup, LaunchFacts } from './campaign.rules.ts';

const now = Temporal.Instant.from('2026-03-01T00:00:00Z');
const group = (count: number, facts: Partial<AudienceGroup> = {}): AudienceGroup => ({
  addressState: 'ok',
  suppression: null,
  consent: 'granted',
  lineType: null,
  addressCountry: null,
  lastInboundAt: null,
  ...facts,
  count,
});
const marketing = { channel: 'email', category: 'marketing', topicId: 't' };

describe('the waterfall', () => {
  test('loses people where the gate would stop them, with its reasons', () => {
    const { steps, willSend, suppressed, held } = waterfallOf(
      [
        group(500),
        group(10, { addressState: null, consent: null }),
        group(5, { addressState: 'bounced' }),
        group(4, { suppression: 'complaint' }),
        group(3, { consent: 'withdrawn' }),
        group(2, { consent: null }),
        group(1, { consent: 'expired' }),
      ],
      marketing,
      now,
      decide,
    );
    expect(steps).toEqual([
      { name: 'In the audience', count: 525 },
      { name: 'Has an address', count: 515 },
      { name: 'Address works', count: 510 },
      { name: 'Not on the suppression list', count: 506 },
      { name: 'Agreed to the topic', count: 500 },
      { name: 'Will be sent', count: 500 },
    ]);
    expect(willSend).toBe(500);
    expect(held).toEqual({});
    expect(Object.values(suppressed).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 10]);
    expect(suppressed['suppressed-complaint']).toBe(4);
  });

  test('transactional mail needs no consent, but honours the suppression list', () => {
    const groups = [group(7, { consent: null }), group(2, { suppression: 'opt-out' })];
    expect(
      waterfallOf(groups, { channel: 'email', category: 'transactional', topicId: 't' }, now, decide),
    ).toMatchObject({
      willSend: 7,
      suppressed: { 'suppressed-opt-out': 2 },
    });
  });

  test('accounts for everybody, never gaining people on the way', () => {
    const facts = fc.record({
      addressState: fc.constantFrom(null, 'ok', 'bounced', 'complained', 'invalid'),
      suppression: fc.constantFrom(null, 'bounce', 'manual', 'opt-out'),
      consent: fc.constantFrom(null, 'granted', 'withdrawn', 'expired', 'something new'),
      lineType: fc.constantFrom(null, 'mobile', 'fixed-line'),
      addressCountry: fc.constant(null),
      lastInboundAt: fc.constant(null),
      count: fc.nat(1000),
    });
    fc.assert(
      fc.property(
        fc.array(facts),
        fc.constantFrom('marketing', 'transactional'),
        fc.boolean(),
        (groups, category, isSms) => {
          const objects = ({ lineType }: { lineType: string | null }) =>
            lineType === 'fixed-line' ? 'landline' : undefined;
          const plan = {
            channel: isSms ? 'sms' : 'inapp',
            category,
            topicId: 't',
            objects: isSms ? objects : undefined,
          };
          const { steps, willSend, held, suppressed } = waterfallOf(groups, plan, now, decide);
          const whole = groups.reduce((sum, one) => sum + one.count, 0);
          const others = [...Object.values(held), ...Object.values(suppressed)].reduce((a, b) => a + b, 0);
          expect(willSend + others).toBe(whole);
          expect(steps[0]?.count).toBe(whole);
          expect(steps.at(-1)?.count).toBe(willSend);
          expect(steps.every((step, at) => step.count <= (steps[at - 1]?.count ?? whole))).toBe(true);
        },
      ),
    );
  });
});

test('each verb fits some statuses and is refused in the others with its own code', () => {
  const verbs = ['start', 'pause', 'resume', 'cancel', 'delete'] as const;
  const table = (['draft', 'running', 'paused', 'cancelled', 'done'] as const).map((status) =>
    verbs.map((verb) => refusalOf(verb, status)?.replace('campaign/', '') ?? 'fits'),
  );
  expect(table).toEqual([
    ['fits', 'not-running', 'not-paused', 'not-running', 'fits'],
    ['already-started', 'fits', 'not-paused', 'fits', 'already-started'],
    ['already-started', 'not-running', 'fits', 'fits', 'already-started'],
    ['already-started', 'ended', 'ended', 'ended', 'already-started'],
    ['already-started', 'ended', 'ended', 'ended', 'already-started'],
  ]);
});

describe('a start', () => {
  const fine: LaunchFacts = {
    template: { channel: 'email', archived: false },
    channel: 'email',
    topicKnown: true,
    topicArchived: false,
    audienceTopicKnown: true,
    variables: [
      { name: 'contact.city', hasDefault: false },
      { name: 'variables.code', hasDefault: true },
    ],
    hasAccount: true,
    account: [{ key: 'spf', title: 'SPF', state: 'warning', detail: '', fix: null }],
  };

  test('with everything in order has nothing against it', () => {
    expect(launchProblems(fine)).toEqual([]);
    expect(launchItem([])).toBeUndefined();
  });

  test.each([
    [{ template: undefined }, '/templateId', 'does not exist any more'],
    [{ template: { channel: 'email', archived: true } }, '/templateId', 'is archived'],
    [{ template: { channel: 'sms', archived: false } }, '/templateId', 'is for sms, the campaign for email'],
    [{ topicArchived: true }, '/topic', 'is archived'],
    [{ topicKnown: false }, '/topic', 'does not exist any more'],
    [{ audienceTopicKnown: false }, '/audience/topic', 'does not exist any more'],
    [
      { variables: [{ name: 'variables.code', hasDefault: false }] },
      '/templateId',
      'reads variables.code, which only a call of the API can give',
    ],
    [{ hasAccount: false }, '/channels/0', 'has no account: choose one for email under Settings'],
    [
      { account: [{ key: 'sender', title: 'Sender', state: 'problem', detail: 'None.', fix: null }] },
      '/from',
      'Sender: None.',
    ],
  ] satisfies [Partial<LaunchFacts>, string, string][])('with %j is refused at %s', (change, pointer, message) => {
    const problems = launchProblems({ ...fine, ...change });
    expect(problems).toEqual([{ pointer, message }]);
    expect(launchItem(problems)).toMatchObject({ state: 'problem', detail: `${pointer.slice(1)} ${message}.` });
  });
});

test('missing values are said with how many lack them', () => {
  expect(variablesItem([{ name: 'contact.a', lacking: 0, of: 9 }]).state).toBe('ok');
  expect(
    variablesItem([
      { name: 'contact.a', lacking: 9, of: 9 },
      { name: 'contact.b', lacking: 2, of: 9 },
    ]),
  ).toMatchObject({
    state: 'warning',
    detail:
      'contact.a is missing for everybody; contact.b is missing for 2 of 9 contacts looked at. They would be left out.',
  });
});

test('an empty audience is said, not refused', () => {
  expect(audienceItem(0)).toMatchObject({ state: 'warning' });
  expect(audienceItem(3)).toMatchObject({ state: 'ok' });
});
