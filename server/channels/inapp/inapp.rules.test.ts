import { describe, expect, it } from 'vitest';
import type { OutgoingInApp } from '../port.ts';
import { contentProblem, isLink } from './content.rules.ts';
import { inAppSettings } from './settings.ts';
import { makeInboxToken, readInboxToken } from './token.rules.ts';

const message: OutgoingInApp = {
  channel: 'inapp',
  messageId: '0198c1d2-0000-7000-8000-000000000001',
  contactId: '0198c1d2-0000-7000-8000-000000000002',
  title: 'Hello',
  body: 'There is news',
};

describe('a link', () => {
  it('leads over the web or to a path of the app, nowhere else', () => {
    for (const url of ['https://example.com/x?y#z', 'http://localhost:3000', '/orders/17', '/'])
      expect(isLink(url), url).toBe(true);
    for (const url of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      ' javascript:alert(1)',
      'java\tscript:alert(1)',
      'data:text/html,<script>alert(1)</script>',
      '//evil.example',
      '/\\evil.example',
      'vbscript:x',
      'example.com',
      'https://',
      '',
    ])
      expect(isLink(url), url).toBe(false);
  });

  it('that leads elsewhere, or a picture that is not encrypted, keeps the message from being sent', () => {
    expect(contentProblem(message)).toBeUndefined();
    expect(contentProblem({ ...message, url: '/x', imageUrl: 'https://example.com/a.png' })).toBeUndefined();
    expect(contentProblem({ ...message, url: 'javascript:alert(1)' })).toContain('link');
    expect(contentProblem({ ...message, imageUrl: 'http://example.com/a.png' })).toContain('picture');
    expect(contentProblem({ ...message, imageUrl: '/a.png' })).toContain('picture');
    expect(contentProblem({ ...message, expiresAt: 'soon' })).toContain('expiry');
    expect(contentProblem({ ...message, body: 'x'.repeat(20_001) })).toContain('20000');
  });
});

describe('an inbox token', () => {
  const key = Buffer.alloc(32, 1);
  const now = Temporal.Instant.from('2026-01-01T00:00:00Z');
  const pass = {
    workspaceId: '0198c1d2-0000-7000-8000-00000000000a',
    contactId: '0198c1d2-0000-7000-8000-000000000002',
    until: now.add({ seconds: 60 }),
  };
  const token = makeInboxToken(key, pass);

  it('names the workspace, the contact and the end, and ends then', () => {
    expect(readInboxToken(token, () => key, now)).toEqual(pass);
    expect(readInboxToken(token, () => key, now.add({ seconds: 59 }))).toEqual(pass);
    expect(readInboxToken(token, () => key, now.add({ seconds: 60 }))).toBeUndefined();
  });

  it('is good with its own key only, and with no bit changed', () => {
    expect(readInboxToken(token, () => Buffer.alloc(32, 2), now)).toBeUndefined();
    const bytes = Buffer.from(token, 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(
        readInboxToken(changed.toString('base64url'), () => key, now),
        String(at),
      ).toBeUndefined();
    }
    for (const odd of ['', 'x', `${token}A`, token.slice(1), `${token.slice(0, -1)}-`])
      if (odd !== token) expect(readInboxToken(odd, () => key, now)).toBeUndefined();
  });
});

it('an allowed origin is an origin: no path, no wildcard', () => {
  const judge = (origin: string) => inAppSettings.safeParse({ allowedOrigins: [origin] }).success;
  expect(judge('https://app.example.com')).toBe(true);
  expect(judge('http://localhost:5173')).toBe(true);
  for (const wrong of [
    'https://app.example.com/',
    'app.example.com',
    '*',
    'https://*.example.com/x',
    'null',
    'file://',
  ])
    expect(judge(wrong), wrong).toBe(false);
});
