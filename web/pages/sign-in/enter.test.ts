import { expect, test } from 'vitest';
import { insideOnly } from './enter.ts';

test('after signing in nobody is led to another site', () => {
  for (const away of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '',
    undefined,
  ]) {
    expect(insideOnly(away)).toBe('/');
  }
  expect(insideOnly('/campaigns?status=running')).toBe('/campaigns?status=running');
});
