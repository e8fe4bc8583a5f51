import type { CompiledVariable } from './variables.rules.ts';

/** Values that look like the real thing, for a preview without a contact. */
const known: Readonly<Record<string, unknown>> = {
  email: 'ada@example.com',
  first_name: 'Ada',
  last_name: 'Lovelace',
  name: 'Ada Lovelace',
  full_name: 'Ada Lovelace',
  company: 'Example & Co.',
  city: 'Berlin',
  country: 'DE',
  locale: 'en',
  time_zone: 'Europe/Berlin',
  phone: '+49 30 901820',
  order_number: '10042',
  code: '123456',
  total: 49.9,
  items: [
    { name: 'First thing', quantity: 2, price: 12.5, url: 'https://example.com/1' },
    { name: 'Second thing', quantity: 1, price: 24.9, url: 'https://example.com/2' },
  ],
};

function sampleOf(key: string): unknown {
  if (Object.hasOwn(known, key)) return known[key];
  const words = key.replaceAll('_', ' ').trim();
  if (/(?:^|_)(?:url|link|site|website)$/.test(key)) return 'https://example.com/';
  if (/(?:^|_)(?:date|at|on|day)$/.test(key)) return '2026-03-14';
  if (/(?:^|_)(?:count|number|amount|price|points)$/.test(key)) return 42;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Something for every path the template reads, so that a first look needs no contact. */
export function sampleFor(
  variables: readonly CompiledVariable[],
  root: 'contact' | 'variables',
): Record<string, unknown> {
  const sample: Record<string, unknown> = {};
  for (const { name } of variables) {
    const [first, key, ...below] = name.split('.');
    if (first !== root || key === undefined) continue;
    if (below.length === 0) sample[key] ??= sampleOf(key);
    else fill(sample, [key, ...below]);
  }
  return sample;
}

function fill(target: Record<string, unknown>, [key = '', ...below]: readonly string[]): void {
  if (below.length === 0) {
    target[key] ??= sampleOf(key);
    return;
  }
  const inner = target[key];
  const next = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : {};
  target[key] = next;
  fill(next as Record<string, unknown>, below);
}
