import { describe, expect, test } from 'vitest';
import { isBurst, machineReason } from './machine.rules.ts';
import type { HitFacts } from './machine.rules.ts';

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const facts = (change: Partial<HitFacts> = {}): HitFacts => ({
  method: 'GET',
  userAgent: chrome,
  purpose: '',
  sinceHandOverMs: 3_600_000,
  ...change,
});

describe('who opened', () => {
  test.each([
    ['a browser', chrome],
    ['Apple Mail', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)'],
    ['Outlook', 'Mozilla/4.0 (compatible; ms-office; MSOffice 16)'],
    ['Thunderbird', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0'],
    [
      'a phone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
    ],
    [
      'a Gmail reader, through the proxy',
      'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
    ],
    ['a Yahoo reader, through the proxy', 'YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html'],
    ['a developer', 'curl/8.5.0'],
  ])('%s counts', (_who, userAgent) => {
    expect(machineReason('open', facts({ userAgent }))).toBeUndefined();
  });

  test.each([
    ['apple-privacy', 'Mozilla/5.0'],
    [
      'gmail-prefetch',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0',
    ],
    ['scanner', 'Mozilla/5.0 (compatible; Barracuda Sentinel (EE))'],
    ['scanner', 'Microsoft Office Existence Discovery'],
    ['preview', 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)'],
    ['preview', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)'],
    ['bot', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
    [
      'bot',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36',
    ],
    ['no-user-agent', ''],
  ])('%s does not: %s', (reason, userAgent) => {
    expect(machineReason('open', facts({ userAgent }))).toBe(reason);
    expect(machineReason('click', facts({ userAgent }))).toBe(reason);
  });

  test('a reading proxy right after arrival is the mailbox looking, later it is the person', () => {
    const userAgent = 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)';
    expect(machineReason('open', facts({ userAgent, sinceHandOverMs: 2000 }))).toBe('proxy-at-arrival');
    expect(machineReason('open', facts({ userAgent, sinceHandOverMs: undefined }))).toBe('proxy-at-arrival');
    expect(machineReason('open', facts({ userAgent, sinceHandOverMs: 31_000 }))).toBeUndefined();
  });

  test('a HEAD request and a prefetch are nobody reading', () => {
    expect(machineReason('open', facts({ method: 'HEAD' }))).toBe('head');
    for (const purpose of ['prefetch', 'prefetch;prerender', 'preview', 'PREFETCH;anonymous-client-ip'])
      expect(machineReason('click', facts({ purpose }))).toBe('prefetch');
  });
});

describe('who clicked everything', () => {
  test('three links within a second is a scanner, one link thrice is an impatient person', () => {
    expect(
      isBurst(
        [
          { n: 0, atMs: 0 },
          { n: 1, atMs: 300 },
          { n: 2, atMs: 900 },
        ],
        undefined,
      ),
    ).toBe(true);
    expect(
      isBurst(
        [
          { n: 0, atMs: 0 },
          { n: 0, atMs: 300 },
          { n: 0, atMs: 900 },
        ],
        undefined,
      ),
    ).toBe(false);
  });
  test('two links within a second are a scanner only at arrival', () => {
    const two = [
      { n: 0, atMs: 10_200 },
      { n: 1, atMs: 10_500 },
    ];
    expect(isBurst(two, 10_000)).toBe(true);
    expect(isBurst(two, 1000)).toBe(false);
    expect(isBurst(two, undefined)).toBe(false);
  });
  test('reading one link after the other is a person', () => {
    expect(
      isBurst(
        [
          { n: 0, atMs: 0 },
          { n: 1, atMs: 4000 },
          { n: 2, atMs: 9000 },
        ],
        undefined,
      ),
    ).toBe(false);
  });
});
