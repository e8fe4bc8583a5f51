import { describe, expect, test } from 'vitest';
import { report } from './report.ts';

type Results = Parameters<typeof report>[1];

const stats: Results['stats'] = {
  status: 'done',
  planned: 97,
  waiting: 0,
  held: 0,
  sending: 0,
  suppressed: 7,
  accepted: 90,
  failed: 0,
  unknown: 0,
  cancelled: 0,
  expired: 0,
  opened: 30,
  clicked: 12,
  unsubscribed: 3,
  reasons: { suppressed: { withdrawn: 7 } },
};

/** 100 rows, of which one is repeated and two cannot be read; 7 had left before; 90 got it, 3 of them left. */
const whole: Results = {
  file: { text: '', good: 97, duplicates: 1, malformed: 2 },
  withdrawnBefore: 7,
  imported: { state: 'done', rowsRead: 100, created: 97, updated: 0, unchanged: 1, rejected: 2, failure: null },
  waterfall: {
    steps: [
      { name: 'everybody', count: 97 },
      { name: 'agreed', count: 90 },
    ],
    willSend: 90,
  },
  stats,
  caught: Array.from({ length: 90 }, (_, n) => ({ id: `m${n}`, to: `friend.${n}@example.com`, subject: 'Hello' })),
  seconds: 9,
  sample: { headers: {}, html: '<p>Dear Zoé</p>', text: '\nDear Zoé\nThe harvest is in.\n' },
  expected: { opened: 30, clicked: 12, unsubscribed: 3 },
  again: { steps: [], willSend: 87 },
  chainsWhole: true,
};

function told(results: Results): { addsUp: boolean; lines: string[] } {
  const lines: string[] = [];
  const addsUp = report((line) => void lines.push(...line.split('\n')), results);
  return { addsUp, lines };
}
const wrong = (results: Results) =>
  told(results)
    .lines.filter((line) => line.startsWith('  NO '))
    .map((line) => line.slice(6).trim());

describe('the report of the demo', () => {
  test('tells the import, the audience, the campaign, the speed and one mail, and that all of it adds up', () => {
    const { addsUp, lines } = told(whole);
    expect(addsUp).toBe(true);
    expect(lines.at(-1)).toBe('Everything adds up.');
    for (const line of [
      '     100  rows read: 97 created, 0 updated, 1 unchanged, 2 refused',
      '      90  agreed',
      '      97  planned',
      '       7  suppressed: withdrawn',
      "      10  messages/s, from start to end, the sandbox's inbox included",
      '       0  duplicates',
      '       0  lost',
      '  | To: friend.0@example.com',
      '  | Dear Zoé',
      '  | The harvest is in.',
    ])
      expect(lines).toContain(line);
    expect(wrong(whole)).toEqual([]);
  });

  const [first, ...others] = whole.caught;
  const change = (name: keyof Results, by: object): Results => ({
    ...whole,
    [name]: { ...(whole[name] as object), ...by },
  });
  test.each<[string, string[], Results]>([
    ['a row that was read and then forgotten', ['every row was read and judged'], change('imported', { created: 96 })],
    ['an import that broke off', ['every row was read and judged'], change('imported', { state: 'failed' })],
    [
      'an unreadable row that was let in',
      ['rows that cannot be read were refused'],
      change('imported', { rejected: 1, created: 98 }),
    ],
    [
      'somebody who had left and was revived',
      ['the import revived nobody who had left'],
      change('stats', { reasons: { suppressed: { withdrawn: 6, 'no-consent': 1 } } }),
    ],
    ['a suppression without its reason', ['the import revived nobody who had left'], change('stats', { reasons: {} })],
    [
      'an audience that promised too many',
      ['as many were sent as were announced'],
      change('waterfall', { willSend: 91 }),
    ],
    ['a count that lost one', ['the counts add up'], change('stats', { planned: 98 })],
    [
      'a mail that came twice',
      ['nobody got it twice', 'nobody was lost'],
      { ...whole, caught: [...whole.caught, ...(first === undefined ? [] : [first])] },
    ],
    ['a mail that was accepted and never came', ['nobody was lost'], { ...whole, caught: others }],
    ['a click that was not counted', ['opens, clicks and leavings came back'], change('stats', { clicked: 11 })],
    ['a machine counted as a person', ['opens, clicks and leavings came back'], change('stats', { opened: 31 })],
    [
      'somebody who left and is asked again',
      ['the next campaign leaves out who left'],
      change('again', { willSend: 88 }),
    ],
    ['a broken chain', ['the consent ledger and the audit log are whole'], { ...whole, chainsWhole: false }],
  ])('names %s, and does not add up', (_what, expected, results) => {
    const { addsUp, lines } = told(results);
    expect(addsUp).toBe(false);
    expect(lines.at(-1)).toBe('Something does not add up.');
    expect(wrong(results)).toEqual(expected);
  });

  test('counts what came twice and what was lost', () => {
    const twice = told({ ...whole, caught: [...whole.caught.slice(2), ...whole.caught.slice(2, 4)] });
    expect(twice.lines).toContain('       2  duplicates');
    expect(told({ ...whole, caught: others }).lines).toContain('       1  lost');
  });
});
