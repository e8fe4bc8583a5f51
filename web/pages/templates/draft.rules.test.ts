import { describe, expect, test } from 'vitest';
import {
  blankDraft,
  changeBody,
  createBody,
  draftFromSource,
  isSameDraft,
  previewBody,
  readerBody,
  samplePerson,
  valuesNeeded,
  variableWords,
  type Draft,
} from './draft.rules.ts';

const draft: Draft = { ...blankDraft, name: 'News', subject: 'Hi {{ contact.first_name }}', markup: '<mjml></mjml>' };

describe('what is sent to the server', () => {
  test('empty parts are left out of a new template', () => {
    expect(createBody(draft)).toEqual({
      name: 'News',
      channel: 'email',
      category: 'marketing',
      locale: 'en',
      subject: 'Hi {{ contact.first_name }}',
      mjml: '<mjml></mjml>',
    });
  });

  test('a change carries only what changed, so that renaming makes no new version', () => {
    expect(changeBody(draft, { ...draft, name: 'News 2' })).toEqual({ name: 'News 2' });
    expect(changeBody(draft, { ...draft, subject: ' ' })).toEqual({ subject: null });
  });

  test('switching from MJML to HTML sends the HTML', () => {
    expect(changeBody(draft, { ...draft, format: 'html', markup: '<p>x</p>' })).toEqual({ html: '<p>x</p>' });
  });

  test('a hand-written text part that is switched off is removed', () => {
    const before = { ...draft, hasOwnText: true, text: 'Hello' };
    expect(changeBody(before, { ...before, hasOwnText: false })).toEqual({ text: null });
  });
});

describe('a draft', () => {
  test('read from a version and compared with itself is the same', () => {
    const source = {
      channel: 'email' as const,
      subject: 'S',
      preheader: null,
      mjml: null,
      html: '<p>x</p>',
      text: 'x',
    };
    const read = draftFromSource(source, { name: 'N', category: 'marketing', locale: 'en' });
    expect(read).toMatchObject({ format: 'html', markup: '<p>x</p>', hasOwnText: true });
    expect(isSameDraft(read, { ...read })).toBe(true);
    expect(isSameDraft(read, { ...read, markup: '<p>y</p>' })).toBe(false);
  });

  test('a text that is not used is no difference', () => {
    expect(isSameDraft(draft, { ...draft, text: 'left over' })).toBe(true);
  });
});

test('a path says where its value comes from, and when nobody has it', () => {
  const labels = new Map([['city', 'City']]);
  expect(variableWords('contact.city', labels)).toBe('the contact’s “City”');
  expect(variableWords('contact.citty', labels)).toBe('no contact has this attribute yet');
  expect(variableWords('variables.code', labels)).toMatch(/a campaign gives none/);
  expect(variableWords('contact.email', labels)).toBe('');
});

describe('whom it is previewed for', () => {
  test('values are looked for in tags only, in subject and body', () => {
    const written = {
      ...draft,
      markup: '{% if contact.vip %}{{ variables.code }}{% endif %} contact.not_this {{ contact.email }}',
    };
    expect(valuesNeeded(written)).toEqual(['contact.first_name', 'contact.vip', 'variables.code']);
  });

  test('what is not typed is left to the server', () => {
    expect(readerBody(samplePerson, ['contact.first_name', 'variables.code'])).toEqual({});
  });

  test('one typed value sends its whole side; an emptied one is left out', () => {
    const reader = {
      contactId: undefined,
      values: { 'contact.first_name': '', 'variables.items': '[{"name":"Cup"}]' },
    };
    expect(readerBody(reader, ['contact.city', 'contact.first_name', 'variables.code', 'variables.items'])).toEqual({
      sample: { city: 'London' },
      variables: { code: '481 516', items: [{ name: 'Cup' }] },
    });
  });

  test('a real contact brings its own attributes', () => {
    expect(previewBody(draft, { contactId: 'c', values: {} })).toMatchObject({ contactId: 'c' });
    expect(previewBody(draft, { contactId: 'c', values: {} })).not.toHaveProperty('sample');
  });
});
