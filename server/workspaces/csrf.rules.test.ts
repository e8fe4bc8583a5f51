import { describe, expect, test } from 'vitest';
import { refuseCookieRequest, refuseForeignPage } from './csrf.rules.ts';

const own = 'https://parley.example.com';
const request = (headers: { origin?: string; site?: string; marker?: string; method?: string }) => ({
  method: headers.method ?? 'POST',
  origin: headers.origin,
  secFetchSite: headers.site,
  marker: headers.marker,
});

describe('a request with the session cookie', () => {
  test.each([
    ['our own page', { site: 'same-origin', origin: own, marker: '1' }],
    [
      'our own page behind a proxy that changes the host',
      { site: 'same-origin', origin: 'http://inner:3000', marker: '1' },
    ],
    ['a browser without Sec-Fetch-Site', { origin: own, marker: '1' }],
    ['a program that sends the marker', { marker: '1' }],
    ['a read from anywhere', { method: 'GET', site: 'cross-site', origin: 'https://evil.example' }],
  ])('passes: %s', (_, headers) => {
    expect(refuseCookieRequest(request(headers), own)).toBeUndefined();
  });

  test.each([
    ['a form on another site', { site: 'cross-site', origin: 'https://evil.example' }],
    ['another site that somehow sends the marker', { site: 'cross-site', origin: 'https://evil.example', marker: '1' }],
    ['a sister domain', { site: 'same-site', origin: 'https://blog.example.com', marker: '1' }],
    ['an old browser on another site', { origin: 'https://evil.example', marker: '1' }],
    ['an opaque origin', { origin: 'null', marker: '1' }],
    ['our own page without the marker', { site: 'same-origin', origin: own }],
    ['nothing at all', {}],
    ['an empty marker', { origin: own, marker: '' }],
    ['a delete', { method: 'DELETE', site: 'cross-site', marker: '1' }],
  ])('is refused: %s', (_, headers) => {
    expect(refuseCookieRequest(request(headers), own)).toEqual(expect.any(String));
  });
});

describe('a sign-in', () => {
  test('may come from a program or our page, not from a page elsewhere', () => {
    expect(refuseForeignPage(request({}), own)).toBeUndefined();
    expect(refuseForeignPage(request({ site: 'none' }), own)).toBeUndefined();
    expect(refuseForeignPage(request({ origin: own }), own)).toBeUndefined();
    expect(refuseForeignPage(request({ site: 'cross-site' }), own)).toEqual(expect.any(String));
    expect(refuseForeignPage(request({ origin: 'https://evil.example' }), own)).toEqual(expect.any(String));
  });
});
