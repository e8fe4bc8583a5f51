import { describe, expect, it } from 'vitest';
import { contractFile, readContract } from '../testing-spec.ts';
import { buttonKeywordOf, keywordOf } from './keyword.rules.ts';
import { e164Of } from './number.rules.ts';

describe('a word that somebody writes', () => {
  it.each([
    'STOP',
    'stop',
    'Stop ',
    ' stop.',
    'STOP!',
    '“Stop”',
    'Unsubscribe',
    'opt out',
    'OPT-OUT',
    'Arrêt',
    'arrete',
    'Stop all',
  ])('%s is a wish to stop', (text) => {
    expect(keywordOf(text)).toBe('stop');
  });

  it.each(['start', 'UNSTOP'])('%s is a wish to start', (text) => {
    expect(keywordOf(text)).toBe('start');
  });

  it.each(['Help', 'INFO?'])('%s asks for help', (text) => {
    expect(keywordOf(text)).toBe('help');
  });

  it.each(['stop please', "don't stop", 'yes', 'Yes!', '', '   ', 'constructor', `stop${' '.repeat(60)}`])(
    '"%s" is an ordinary message',
    (text) => {
      expect(keywordOf(text)).toBeUndefined();
    },
  );
});

describe('a button that somebody presses', () => {
  it.each([
    'Unsubscribe',
    'Unsubscribe from All',
    'STOP',
    'Stop promotions',
    'Stop Delivery Updates',
    'stop_marketing',
    'Opt out',
  ])('%s is a wish to stop', (label) => {
    expect(buttonKeywordOf(label)).toBe('stop');
    expect(buttonKeywordOf('Tap', label)).toBe('stop');
  });

  it.each(['Cancel', 'End', 'Stop by the store', 'Stopwatch', 'Help', 'Start', 'Priority Mail Express'])(
    '%s is a choice',
    (label) => {
      expect(buttonKeywordOf(label)).toBeUndefined();
    },
  );
});

interface Words {
  vendors: Record<string, { optOut?: string[]; help?: string[]; frenchCanada?: { optOut: string[] } }>;
  fccRevocation: { reasonableWords: string[] };
}

describe.skipIf(contractFile('rules/sms_optout_keywords.json') === undefined)('the words that vendors handle', () => {
  const words = readContract<Words>('rules/sms_optout_keywords.json');
  const vendors = Object.values(words?.vendors ?? {});
  const stops = [
    ...vendors.flatMap((vendor) => [...(vendor.optOut ?? []), ...(vendor.frenchCanada?.optOut ?? [])]),
    ...(words?.fccRevocation.reasonableWords ?? []),
  ];

  it('are all wishes to stop on WhatsApp, too', () => {
    expect(stops.length).toBeGreaterThan(20);
    expect(stops.filter((word) => keywordOf(word) !== 'stop')).toEqual([]);
    expect(vendors.flatMap((vendor) => vendor.help ?? []).filter((word) => keywordOf(word) !== 'help')).toEqual([]);
  });
});

describe('a number of WhatsApp', () => {
  it.each([
    ['16505551234', '+16505551234'],
    [16505551234, '+16505551234'],
    ['whatsapp:+4915123456789', '+4915123456789'],
    ['+1 (650) 555-1234', '+16505551234'],
  ])('%s is %s', (said, number) => {
    expect(e164Of(said)).toBe(number);
  });

  it.each(['US.13491208655302741918', '', '123', 'Y2FwaV9ncm91cDo', '1234567890123456', undefined, {}])(
    '%s is none',
    (said) => {
      expect(e164Of(said)).toBeUndefined();
    },
  );
});
