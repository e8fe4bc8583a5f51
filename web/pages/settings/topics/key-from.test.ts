import { expect, test } from 'vitest';
import { topicKey } from '../../../../contract/topics.ts';
import { keyFrom } from './key-from.ts';

test('a name becomes a key that the API takes', () => {
  expect(keyFrom('Très bon — News!', '-', 63)).toBe('tres-bon-news');
  expect(keyFrom('Monthly news', '_', 63)).toBe('monthly_news');
  for (const name of ['News', '2026 offers', ' x ', 'a'.repeat(100), `${'a'.repeat(62)} b`]) {
    expect(topicKey.safeParse(keyFrom(name, '-', 63)).success, name).toBe(true);
  }
});

test('a name without any latin letter leaves the key to the person', () => {
  expect(keyFrom('新闻', '-', 63)).toBe('');
});
