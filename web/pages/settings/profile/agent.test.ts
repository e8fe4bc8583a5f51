import { expect, test } from 'vitest';
import { agentInWords } from './agent.ts';

test('a browser that pretends to be others is told apart', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
  expect(agentInWords(chrome)).toBe('Chrome on Linux');
  expect(agentInWords(`${chrome} Edg/140.0`)).toBe('Edge on Linux');
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile Safari/604.1';
  expect(agentInWords(phone)).toBe('Safari on iOS');
});

test('what is no browser is shown as it calls itself', () => {
  expect(agentInWords('curl/8.5.0')).toBe('curl/8.5.0');
  expect(agentInWords(null)).toBe('Unknown');
});
