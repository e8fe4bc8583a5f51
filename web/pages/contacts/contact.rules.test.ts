import { describe, expect, test } from 'vitest';
import { changedAttributes, contactName, keyFrom } from './contact.rules.ts';

const bare = { id: '01890000-0000-7000-8000-0000deadbeef', externalId: null, addresses: [], attributes: {} };

describe('what a contact is called', () => {
  test('the name when it is known', () => {
    expect(contactName({ ...bare, attributes: { first_name: 'Ada', last_name: 'Lovelace' } })).toBe('Ada Lovelace');
    expect(contactName({ ...bare, attributes: { first_name: '', name: 'Ada' } })).toBe('Ada');
  });

  test('else the external id, else the end of the id', () => {
    expect(contactName({ ...bare, externalId: 'crm-7' })).toBe('crm-7');
    expect(contactName(bare)).toBe('Contact deadbeef');
  });
});

describe('a change of attributes', () => {
  test('carries only what changed, and null for what was emptied', () => {
    const before = { city: 'Rome', age: 30, tags: ['a'], kept: true };
    expect(changedAttributes(before, { city: '', age: 31, tags: ['a'], kept: true })).toEqual({ city: null, age: 31 });
  });

  test('an emptied list is a removal; what was empty before is no change', () => {
    expect(changedAttributes({ tags: ['a'] }, { tags: [], note: ' ' })).toEqual({ tags: null });
  });
});

test.each([
  ['First Name', 'first_name'],
  ['Größe (cm)', 'grosse_cm'],
  ['2nd city', 'nd_city'],
  ['constructor', 'constructor_'],
])('the key of “%s” is %s', (label, key) => {
  expect(keyFrom(label)).toBe(key);
});
